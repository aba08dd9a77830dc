"""The statistics of an archive agree with what was put into it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.archive import Archive
from engine.facts.fact import Fact
from engine.store.case import NewCase

Make = Callable[..., NewCase]
CHEST = {"region": Fact("chest", "header")}


def test_the_statistics_count_what_was_archived(archive: Archive, make_case: Make) -> None:
    archive.add_case(make_case("1", "Normal chest.", [1, 2], modality="CR", age=44, patient="A", facts=CHEST))
    archive.add_case(make_case("2", "Large effusion.", modality="CR", age=49, patient="A", facts=CHEST))
    archive.add_case(make_case("3", seeds=[3], modality="CT", age=61, patient="B"))
    archive.add_case(make_case("4", "Unremarkable."))
    found = archive.statistics()
    assert (found.cases, found.patients, found.images, found.reports, found.embeddings) == (4, 2, 3, 3, 6)
    assert found.modalities == {"CR": 2, "": 1, "CT": 1}
    assert found.reported == {"CR": 2, "": 1}
    assert found.regions == {"": 2, "chest": 2}
    assert found.decades == {40: 2, 60: 1}
    assert sum(found.added.values()) == 4
    assert found.bytes_on_disk > 0


@pytest.mark.folder
def test_a_file_that_is_replaced_while_they_are_read_does_not_count(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_file(path: Path) -> bool:
        found = looked(path)
        if path == temporary:
            path.unlink()
        return found

    looked, temporary = Path.is_file, archive.folder / "vectors.new"
    temporary.write_bytes(bytes(100))
    monkeypatch.setattr(Path, "is_file", is_file)
    before = sum(path.stat().st_size for path in archive.folder.iterdir()) - 100
    assert archive.statistics().bytes_on_disk == before


def test_an_empty_archive_has_nothing_to_count(archive: Archive) -> None:
    found = archive.statistics()
    assert (found.cases, found.patients, found.modalities, found.added) == (0, 0, {}, {})


@pytest.mark.folder
def test_a_rebuilt_index_holds_what_the_database_holds_whatever_the_file_said(
    archive: Archive, make_case: Make
) -> None:
    archive.add_case(make_case("1", "Normal chest.", [1, 2]))
    archive.index.refresh(save=True)
    archive.index.path.write_bytes(b"damaged")
    assert archive.rebuild() == 3
    assert archive.index.state() == "intact"
