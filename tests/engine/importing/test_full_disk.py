"""A disk that fills up during an import: one sentence, no committed data is lost, and the next run completes it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.archive import Archive
from engine.errors import UserError
from engine.importing.importer import import_path
from engine.importing.reindex import reindex, reindex_progress
from engine.retrieval.search import Query, search
from tests.paths import ROOT

PICTURES, CAPTIONS = 20, 120
TOTAL = PICTURES + CAPTIONS
# Files of this process are limited in size; SQLite treats the resulting write error as a failing disk.
LIMITED = """
import importlib.util, resource, sys
spec = importlib.util.spec_from_file_location("doubles", sys.argv[1])
doubles = importlib.util.module_from_spec(spec)
spec.loader.exec_module(doubles)
from engine.archive import Archive
from engine.errors import UserError
from engine.importing.importer import import_path
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]), resource.RLIM_INFINITY))
try:
    with Archive.open(sys.argv[2]) as archive:
        import_path(archive, doubles.WordEncoder(), sys.argv[3])
except UserError as problem:
    sys.exit(str(problem))
"""


@pytest.fixture
def many(tmp_path: Path) -> Path:
    folder = tmp_path / "many"
    (folder / "images").mkdir(parents=True)
    lines = ["image,text,modality"]
    for n in range(PICTURES):
        pixels = np.random.default_rng(n).integers(0, 256, (64, 64), np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{n}.png")
        lines.append(f"images/{n}.png,{f'Case number {n}' if n % 2 else ''},CR")
    (folder / "cases.csv").write_text("\n".join(lines) + "\n")
    captions = ["id,text", *(f"R{n},Caption number {n} of the full disk" for n in range(CAPTIONS))]
    (folder / "captions.csv").write_text("\n".join(captions) + "\n")
    return folder


def assert_sound(archive: Archive) -> int:
    """Check that no case is incomplete, and return the number of cases."""
    stats = archive.stats()
    assert stats["embeddings"] == stats["images"] + stats["reports"]
    assert archive._database.read("PRAGMA integrity_check") == [("ok",)]
    assert archive._database.read("PRAGMA foreign_key_check") == []
    return int(stats["cases"])


def assert_complete(archive: Archive, encoder) -> None:
    assert assert_sound(archive) == TOTAL
    assert archive.stats()["reports"] == CAPTIONS + PICTURES // 2
    assert archive.index.state() == "intact"
    words = "Caption number 77 of the full disk"
    assert search(archive, encoder, Query(text=words)).hits[0].text == words


@pytest.mark.skipif(sys.platform != "linux", reason="file size limits as Linux has them")
def test_an_import_stopped_by_a_full_disk_says_so_and_can_be_resumed(tmp_path: Path, many: Path, encoder) -> None:
    folder = tmp_path / "archive"
    Archive.create(folder, encoder.id).close()
    reached = [0]
    doubles = str(ROOT / "tests/engine/conftest.py")
    for limit in (500_000, 900_000):
        command = [sys.executable, "-c", LIMITED, doubles, str(folder), str(many), str(limit)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        assert str(folder) in done.stderr
        assert "try again" in done.stderr
        with Archive.open(folder) as archive:
            reached.append(assert_sound(archive))
    assert 0 < reached[1] < reached[2] < TOTAL
    with Archive.open(folder) as archive:
        result = import_path(archive, encoder, many)
        assert (result.added, result.skipped) == (TOTAL - reached[2], reached[2])
        assert_complete(archive, encoder)


@pytest.fixture
def nearly_full(tmp_path: Path, encoder) -> Iterator[Archive]:
    """An archive whose database can grow by a few pages only."""
    with Archive.create(tmp_path / "archive", encoder.id) as archive:
        limit_pages(archive, archive._database.read("PRAGMA page_count")[0][0] + 20)
        yield archive


def limit_pages(archive: Archive, pages: int) -> None:
    assert archive._database.read(f"PRAGMA max_page_count = {pages}") == [(pages,)]


def test_an_open_archive_works_again_once_the_disk_has_space(nearly_full: Archive, many: Path, encoder) -> None:
    with pytest.raises(UserError, match=r"disk is full.*try again"):
        import_path(nearly_full, encoder, many)
    before = assert_sound(nearly_full)
    assert 0 < before < TOTAL
    assert search(nearly_full, encoder, Query(text="Case number 1")).hits
    limit_pages(nearly_full, 10_000)
    assert import_path(nearly_full, encoder, many).added == TOTAL - before
    assert_complete(nearly_full, encoder)


def test_a_reindexing_stopped_by_a_full_disk_can_be_resumed(nearly_full: Archive, many: Path, encoder) -> None:
    limit_pages(nearly_full, 10_000)
    import_path(nearly_full, encoder, many)
    newer = type(encoder)(512, "newer")
    limit_pages(nearly_full, nearly_full._database.read("PRAGMA page_count")[0][0] + 10)
    with pytest.raises(UserError, match="full"):
        reindex(nearly_full, newer)
    assert nearly_full.bundle_id == encoder.id
    assert_complete(nearly_full, encoder)
    done = reindex_progress(nearly_full, newer.id).done
    assert 0 < done < TOTAL
    limit_pages(nearly_full, 10_000)
    assert reindex(nearly_full, newer).complete
    assert_complete(nearly_full, newer)
