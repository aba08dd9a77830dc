"""The pairs of an archive: held out by patient, for good, and errors if there are too few."""

from pathlib import Path

import numpy as np
import pytest

from engine.adapt import pairs
from engine.archive import Archive
from engine.errors import UserError
from engine.store.case import NewCase, NewImage, NewReport

VECTOR = np.ones(4, np.float32) / 2


def fill(folder: Path, cases: int, texts: int = 1000, patients: bool = True) -> Archive:
    """Two cases per patient, with one image and one report each, and at most this many different texts."""
    archive = Archive.create(folder / "archive", "tests")
    for n in range(cases):
        image = NewImage(np.full((6, 4), n % 250, np.uint8), VECTOR, "image")
        patient = f"P{n // 2}" if patients else ""
        words = NewReport(f"Report  {n % texts}.", VECTOR)
        archive.add_case(NewCase(str(n), "CT", patient=patient, images=(image,), report=words))
    return archive


def test_no_patient_is_learned_from_and_measured_on_and_held_out_ones_stay_so(tmp_path: Path) -> None:
    with fill(tmp_path, 300) as archive:
        before = {pair.image_id: pair for pair in pairs.read(archive)}
        of_person: dict[str, set[bool]] = {}
        for pair in before.values():
            of_person.setdefault(pair.person, set()).add(pair.held_out)
        assert all(len(found) == 1 for found in of_person.values())
        assert 0.1 < np.mean([pair.held_out for pair in before.values()]) < 0.3
        late = NewImage(np.zeros((9, 9), np.uint8), VECTOR, "x")
        archive.add_case(NewCase("late", patient="late", images=(late,), report=NewReport("Late.", VECTOR)))
        after = {pair.image_id: pair for pair in pairs.read(archive)}
        assert before.items() < after.items()


def test_views_without_a_patient_stay_together_by_their_report(tmp_path: Path) -> None:
    with fill(tmp_path, 300, texts=150, patients=False) as archive:
        found = pairs.read(archive)
    sides: dict[str, set[bool]] = {}
    for pair in found:
        sides.setdefault(pair.text, set()).add(pair.held_out)
    assert len(sides) == 150 == len({pair.person for pair in found})
    assert all(len(side) == 1 for side in sides.values())
    assert found[0].text == "Report 0."


def test_more_pairs_than_the_limit_are_sampled_the_same_each_time(tmp_path: Path) -> None:
    with fill(tmp_path, 300) as archive:
        some = pairs.read(archive, 200)
        assert some == pairs.read(archive, 200)
        assert len(some) == 200
        assert set(some) < set(pairs.read(archive))
        assert [pair.image_id for pair in some] == sorted(pair.image_id for pair in some)


def test_the_message_for_too_few_pairs_says_how_many_are_needed(tmp_path: Path) -> None:
    with fill(tmp_path, 30) as archive, pytest.raises(UserError) as refused:
        pairs.read(archive)
    assert str(refused.value) == (
        "The archive has 30 images with 30 different reports of 15 patients; adapting needs about 98 images with 52 "
        "reports of 65 patients, since some are held out. Import more studies with reports."
    )


def test_many_images_of_a_stock_report_are_too_few_texts(tmp_path: Path) -> None:
    with fill(tmp_path, 300, texts=3) as archive, pytest.raises(UserError, match="with 3 different reports"):
        pairs.read(archive)
