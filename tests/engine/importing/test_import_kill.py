"""An import that is killed at any time can be run again, loses nothing and imports nothing twice."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.archive import Archive
from engine.errors import UserError
from engine.importing.importer import import_path
from engine.store.folder.vectors.vector_index import VectorIndex
from tests.paths import ROOT

PICTURES, CAPTIONS, KILLS = 24, 160, 5

CHILD = """
import importlib.util, os, sys
spec = importlib.util.spec_from_file_location("doubles", sys.argv[1])
doubles = importlib.util.module_from_spec(spec)
spec.loader.exec_module(doubles)
from engine.archive import Archive
from engine.importing.importer import import_path
archive = Archive.open(sys.argv[2]) if Archive.exists(sys.argv[2]) else Archive.create(sys.argv[2])
import_path(archive, doubles.WordEncoder(), sys.argv[3], progress=lambda done, total, what: total and os.write(1, b"."))
"""


@pytest.fixture
def many(tmp_path: Path, make_picture) -> Path:
    folder = tmp_path / "many"
    (folder / "images").mkdir(parents=True)
    lines = ["image,text"]
    for n in range(PICTURES):
        Image.fromarray(make_picture(n)).save(folder / "images" / f"{n}.png")
        lines.append(f"images/{n}.png,{'Report of picture ' + str(n) if n % 2 else ''}")
    (folder / "cases.csv").write_text("\n".join(lines) + "\n")
    captions = ["id,text", *(f"R{n},Caption number {n} of the kill test" for n in range(CAPTIONS))]
    (folder / "captions.csv").write_text("\n".join(captions) + "\n")
    return folder


def kill_after(cases: int, archive: Path, source: Path) -> None:
    """Start an import and SIGKILL it once it has reported this many cases; it continues until the signal arrives."""
    command = [sys.executable, "-c", CHILD, str(ROOT / "tests/engine/conftest.py"), str(archive), str(source)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    assert child.stdout is not None
    child.stdout.read(cases)
    child.send_signal(signal.SIGKILL)
    child.stdout.close()
    child.wait()


def test_killed_imports_end_with_every_case_once_and_the_index_right(tmp_path: Path, many: Path, encoder) -> None:
    folder, total = tmp_path / "archive", PICTURES + CAPTIONS
    moments = random.Random(20261123)
    for cases in [*(moments.randrange(1, total) for _ in range(KILLS - 1)), total]:
        kill_after(cases, folder, many)
    with Archive.open(folder) as archive:
        result = import_path(archive, encoder, many)
        assert result.added + result.completed + result.skipped == total
        stats = archive.stats()
        expected = (total, PICTURES, CAPTIONS + PICTURES // 2)
        assert (stats["cases"], stats["images"], stats["reports"]) == expected
        assert stats["embeddings"] == stats["images"] + stats["reports"]
        assert archive._database.read("PRAGMA integrity_check") == [("ok",)]
        assert archive._database.read("PRAGMA foreign_key_check") == []
        assert archive._database.read("SELECT count(DISTINCT text) FROM reports") == [(expected[2],)]
        assert archive.index.state() == "intact"
        rebuilt = VectorIndex(tmp_path, archive._database.read)
        query = encoder.embed_texts(["Caption number 77 of the kill test"])[0]
        for kind in ("image", "report"):
            kept, fresh = archive.index.nearest(query, kind, total), rebuilt.nearest(query, kind, total)
            assert np.array_equal(kept.ids, fresh.ids)
        texts = [archive.case(case).report for case in archive.index.nearest(query, "report", 1).cases.tolist()]
        assert [report.text for report in texts if report] == ["Caption number 77 of the kill test"]


def test_an_import_killed_before_the_archive_exists_can_start_over(tmp_path: Path, many: Path, encoder) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "identity.key.new").write_bytes(b"cut")
    with pytest.raises(UserError):
        Archive.open(folder)
    with Archive.create(folder) as archive:
        assert import_path(archive, encoder, many).added == PICTURES + CAPTIONS
