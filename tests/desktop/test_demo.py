"""The demo keeps each version of the sample archive in a folder of its own."""

from pathlib import Path

import pytest

from desktop.state.first_steps import sample


def test_another_version_of_the_sample_archive_is_imported_into_another_folder(
    tmp_path: Path, private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "shipped_cases", lambda: tmp_path / "sample-archive")
    (tmp_path / "sample-archive").mkdir()
    rows = tmp_path / "sample-archive" / "cases.csv"
    rows.write_text("image,text\na.jpg,Clear lungs.\n")
    before = sample.sample_folder()
    assert sample.sample_folder() == before
    rows.write_text("image,text\nb.jpg,Clear lungs.\n")
    assert sample.sample_folder() != before
    assert before.is_relative_to(private_home)
