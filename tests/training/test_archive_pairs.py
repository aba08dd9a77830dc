"""The pairs of an archive are parted by patient, always alike, and too few are refused."""

from pathlib import Path

import numpy as np
import pytest

from engine.archive import Archive, NewCase, NewImage, NewReport
from engine.errors import UserError
from training import archive_pairs


def fill(folder: Path, cases: int) -> Archive:
    """Two cases a patient, one image and one report each."""
    archive = Archive.create(folder / "archive", "tests")
    vector = np.ones(4, np.float32) / 2
    for n in range(cases):
        image = NewImage(np.full((60, 40), n % 250, np.uint8), vector, "image")
        report = NewReport(f"Report {n}.", vector)
        archive.add_case(NewCase(str(n), "CT", patient=f"P{n // 2}", images=(image,), report=report))
    return archive


def test_no_patient_stands_in_two_splits_and_a_grown_archive_keeps_who_was_held_out(tmp_path: Path) -> None:
    with fill(tmp_path, 400) as archive:
        pairs = archive_pairs.read(archive, 32)
        splits: dict[str, set[str]] = {}
        for row in pairs.rows:
            splits.setdefault(row.patient, set()).add(row.split)
        assert all(len(found) == 1 for found in splits.values())
        assert max(max(image.shape) for image in pairs.images) <= 48
        before = {row.path: row.split for row in pairs.rows}
        vector = np.ones(4, np.float32) / 2
        late = NewImage(np.zeros((9, 9), np.uint8), vector, "x")
        archive.add_case(NewCase("late", patient="late", images=(late,), report=NewReport("Late.", vector)))
        after = {row.path: row.split for row in archive_pairs.read(archive, 32).rows}
        assert before.items() <= after.items()


def test_too_few_pairs_say_how_many_are_needed(tmp_path: Path) -> None:
    with fill(tmp_path, 30) as archive, pytest.raises(UserError, match="needs about 240 of 90 patients"):
        archive_pairs.read(archive, 32)
