"""Other views of the same study."""

from pathlib import Path

from training.data.pairs import Pair
from training.data.studies import other_views


def pair(name: str, text: str, modality: str, view: str, patient: str = "p") -> Pair:
    return Pair(Path(name), text, "train", patient, patient, {"modality": modality, "view": view})


def test_the_other_films_of_a_study_are_other_views_whatever_their_labels_say() -> None:
    rows = [
        pair("frontal", "clear", "CR", "PA"),
        pair("lateral", "clear", "CR", "PA"),
        pair("follow-up", "effusion", "CR", "PA"),
        pair("another patient", "clear", "CR", "PA", "q"),
    ]
    assert other_views(rows) == [[1], [0], [], []]


def test_neighbouring_slices_are_no_other_views_and_another_plane_is() -> None:
    rows = [pair("1", "mass", "CT", "Axial"), pair("2", "mass", "CT", "Axial"), pair("3", "mass", "CT", "Coronal")]
    assert other_views([*rows, pair("4", "mass", "CT", ""), pair("5", "mass", "MR", "Coronal")]) == [
        [2],
        [2],
        [0, 1],
        [],
        [],
    ]
