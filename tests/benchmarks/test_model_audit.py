"""The audit of the models changes a picture as it says, and counts what hits and drafts have in common."""

from pathlib import Path

import numpy as np

from benchmarks import model_audit
from export import model_card
from training.data.pairs import Pair


def test_either_half_is_blackened_and_the_picture_mirrored() -> None:
    gray = np.arange(1, 9, dtype=np.uint8).reshape(2, 4)
    found = model_audit.changed(gray)
    np.testing.assert_array_equal(found["left half black"], [[0, 0, 3, 4], [0, 0, 7, 8]])
    np.testing.assert_array_equal(found["right half black"], [[1, 2, 0, 0], [5, 6, 0, 0]])
    np.testing.assert_array_equal(found["mirrored"], [[4, 3, 2, 1], [8, 7, 6, 5]])
    assert gray[0, 0] == 1


def test_the_other_picture_is_of_another_patient_and_of_the_same_modality_if_there_is_one() -> None:
    rows = [
        Pair(Path("x.png"), "t", "val", group, group, {"modality": modality})
        for group, modality in (("a", "CT"), ("a", "CT"), ("b", "MR"), ("c", "CT"))
    ]
    assert [model_audit.another(rows, number) for number in range(4)] == [3, 3, 3, 0]


def test_a_change_is_not_noticed_if_four_of_five_hits_stay() -> None:
    assert model_audit.overlap([1, 2, 3, 4, 5], [5, 4, 3, 2, 9]) == 0.8
    tally = model_audit.Tally([0.8, 0.2], [True, False, False])
    made = model_audit.figures({"one source": {"mirrored": tally}}, archived=50)
    assert made["changes"] == [
        {
            "source": "one source",
            "change": "mirrored",
            "asked": 2,
            "common": 0.5,
            "unnoticed": 0.5,
            "same_drafts": 1,
            "drafts": 3,
        }
    ]
    card = model_card.audit(made)
    assert "| one source | mirrored | 50% | 50% | 1 of 3 |" in card
    assert "By chance two searches have 10.0% of their hits in common" in card
