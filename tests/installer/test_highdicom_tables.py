"""highdicom's table of attributes keeps what every document needs that Kindred writes."""

import json
import shutil
from pathlib import Path

import highdicom
import pytest
from highdicom import _standard_utils

from engine.reports.export.formats import FORMATS
from installer.highdicom_tables import ATTRIBUTES, MODULES, WRITTEN, keep_modules

STANDARD = Path(highdicom.__file__).parent / "_standard"


@pytest.fixture
def reduced(tmp_path: Path) -> Path:
    for name in (ATTRIBUTES, MODULES):
        shutil.copy(STANDARD / name, tmp_path)
    keep_modules(tmp_path, WRITTEN)
    return tmp_path


def test_it_answers_as_before_for_these_documents(reduced: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uids = [uid for uid, name in _standard_utils.get_sop_class_iod_map().items() if name in WRITTEN]
    questions = [(word, uid) for uid in uids for word in ("ContentDate", "ContentTime", "PixelData", "NoSuchWord")]
    before = [_standard_utils.is_attribute_in_iod(*question) for question in questions]
    kept = json.loads((reduced / ATTRIBUTES).read_text())
    monkeypatch.setattr(_standard_utils, "get_module_attribute_map", lambda: kept)
    assert [_standard_utils.is_attribute_in_iod(*question) for question in questions] == before
    assert any(before)


def test_it_is_a_fraction_of_the_size(reduced: Path) -> None:
    assert (reduced / ATTRIBUTES).stat().st_size < (STANDARD / ATTRIBUTES).stat().st_size / 10


def test_both_documents_that_are_exported_are_among_them() -> None:
    assert {"sr", "ko"} <= FORMATS.keys()
    assert {"enhanced-sr", "key-object-selection-document"} <= set(WRITTEN)
