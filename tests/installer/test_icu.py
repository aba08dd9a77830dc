"""The reduced ICU data is loaded by Qt, sorts text as before, and is a fraction of the size."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import PySide6
import pytest

from installer.icu import reduce_library
from tests.paths import ROOT

LIBRARIES = sorted((Path(PySide6.__file__).parent / "Qt" / "lib").glob("libicudata.so.*"))
pytestmark = pytest.mark.skipif(
    not LIBRARIES or not (shutil.which("as") and shutil.which("ld")), reason="needs Qt with ICU, and binutils"
)
SORT = """
from pathlib import Path
from PySide6.QtCore import QCollator, QLocale, QStringConverter
for name in ("en_US", "de_DE", "C"):
    collator = QCollator(QLocale(name))
    collator.setNumericMode(True)
    print(sorted(["Zürich", "apple", "Äpfel", "Apple", "item 10", "item 9", "é", "e", "山田"], key=collator.sortKey))
print(*sorted({line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "icudata" in line}))
"""


def sort(folder: Path | None = None) -> list[str]:
    """What Qt sorts with the library of a folder, and which library it has loaded."""
    environment = {**os.environ, **({"LD_LIBRARY_PATH": str(folder)} if folder else {})}
    command = [sys.executable, "-c", SORT]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return ended.stdout.splitlines()


@pytest.fixture
def reduced(tmp_path: Path) -> Path:
    library = Path(shutil.copy(LIBRARIES[0], tmp_path))
    reduce_library(library)
    return library


def test_it_is_much_smaller(reduced: Path) -> None:
    assert reduced.stat().st_size < LIBRARIES[0].stat().st_size / 5


def test_qt_sorts_with_it_as_before(reduced: Path) -> None:
    *before, _ = sort()
    *after, loaded = sort(reduced.parent)
    assert loaded == str(reduced)
    assert after == before


def test_another_library_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no libicudata"):
        reduce_library(tmp_path / "libz.so.1")
