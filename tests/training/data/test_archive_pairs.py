"""The pairs of an archive: reproducible splits by patient, and errors if there are too few."""

from pathlib import Path

import numpy as np
import pytest

from engine.archive import Archive
from engine.errors import UserError
from engine.store.case import NewCase, NewImage, NewReport
from training.data import archive_pairs


def fill(folder: Path, cases: int, texts: int = 1000) -> Archive:
    """Two cases per patient, with one image and one report each, and at most this many distinct texts."""
    archive = Archive.create(folder / "archive", "tests")
    vector = np.ones(4, np.float32) / 2
    for n in range(cases):
        image = NewImage(np.full((60, 40), n % 250, np.uint8), vector, "image")
        report = NewReport(f"Report {n % texts}.", vector)
        archive.add_case(NewCase(str(n), "CT", patient=f"P{n // 2}", images=(image,), report=report))
    return archive


def test_no_patient_is_in_two_splits_and_held_out_patients_stay_held_out(tmp_path: Path) -> None:
    with fill(tmp_path, 400) as archive:
        pairs = archive_pairs.read(archive, 32)
        splits: dict[str, set[str]] = {}
        for row in pairs.rows:
            splits.setdefault(row.patient, set()).add(row.split)
        assert all(len(found) == 1 for found in splits.values())
        before = {row.path: row.split for row in pairs.rows}
        vector = np.ones(4, np.float32) / 2
        late = NewImage(np.zeros((9, 9), np.uint8), vector, "x")
        archive.add_case(NewCase("late", patient="late", images=(late,), report=NewReport("Late.", vector)))
        after = {row.path: row.split for row in archive_pairs.read(archive, 32).rows}
        assert before.items() <= after.items()


def test_views_without_a_patient_stay_together_by_their_report(tmp_path: Path) -> None:
    vector = np.ones(4, np.float32) / 2
    with Archive.create(tmp_path / "archive", "tests") as archive:
        for n in range(400):  # a frontal and a lateral view of 200 patients, each image imported as a case of its own
            image = NewImage(np.full((6, 4), n % 250, np.uint8), vector, "image")
            archive.add_case(NewCase(str(n), images=(image,), report=NewReport(f"Nodule of {n // 2} mm.", vector)))
        pairs = archive_pairs.read(archive, 32)
        splits: dict[str, set[str]] = {}
        for row in pairs.rows:
            splits.setdefault(row.text, set()).add(row.split)
        assert len(splits) == len({row.patient for row in pairs.rows}) == 200
        assert all(len(found) == 1 for found in splits.values())
        counts = {name: len(found) for name, found in archive_pairs.images(archive, 400).items()}
        assert counts == {name: sum(row.split == name for row in pairs.rows) for name in counts}


def test_only_training_images_are_reduced(tmp_path: Path) -> None:
    with fill(tmp_path, 400) as archive:
        pairs = archive_pairs.read(archive, 32)
        stored = archive_pairs.images(archive, 400)
    for row, image in zip(pairs.rows, pairs.images, strict=True):
        assert image.shape == ((48, 32) if row.split == archive_pairs.TRAIN else (60, 40))
    assert {image.shape for images in stored.values() for image in images} == {(60, 40)}


def test_the_message_for_too_few_pairs_says_how_many_are_needed(tmp_path: Path) -> None:
    with (
        fill(tmp_path, 30) as archive,
        pytest.raises(UserError, match="needs about 240 images with 120 reports of 90 patients"),
    ):
        archive_pairs.read(archive, 32)


def test_an_archive_of_a_few_stock_texts_is_refused(tmp_path: Path) -> None:
    with fill(tmp_path, 400, texts=3) as archive, pytest.raises(UserError, match="400 images with 3 different reports"):
        archive_pairs.read(archive, 32)
