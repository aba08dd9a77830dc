"""The cache of headers of multi-frame files."""

from pathlib import Path

import numpy as np
import pytest

import engine.dicom.header_cache
from engine.dicom.listing import open_path
from engine.image.pixels import read_frame
from tests.engine.dicom_samples import derive, sample


def test_frames_of_one_file_parse_its_header_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = derive(tmp_path / "x", "eCT_Supplemental.dcm")
    first, second = open_path(path).studies[0].frames()
    parsed = []
    real = engine.dicom.header_cache.read_header
    monkeypatch.setattr(engine.dicom.header_cache, "read_header", lambda file: parsed.append(1) or real(file))
    shown = [read_frame(ref).values for ref in (first, second, first)]
    assert len(parsed) == 1
    assert np.array_equal(shown[0], shown[2])
    assert not np.array_equal(shown[0], shown[1])


def test_a_file_that_changed_is_parsed_again(tmp_path: Path) -> None:
    path = derive(tmp_path / "x", "emri_small.dcm", WindowCenter=100, WindowWidth=50)
    ref = next(open_path(path).studies[0].frames())
    assert [window.center for window in read_frame(ref).windows] == [100]
    derive(path, "emri_small.dcm", WindowCenter=30000, WindowWidth=50)
    assert [window.center for window in read_frame(ref).windows] == [30000]


def test_only_a_few_headers_are_kept(tmp_path: Path) -> None:
    for index in range(engine.dicom.header_cache.MAX_HEADERS + 3):
        ref = next(open_path(derive(tmp_path / str(index), "eCT_Supplemental.dcm")).studies[0].frames())
        read_frame(ref)
    assert len(engine.dicom.header_cache._headers) == engine.dicom.header_cache.MAX_HEADERS


def test_frames_in_memory_are_read_without_the_cache() -> None:
    ref = next(open_path(sample("zipMR.gz")).studies[0].frames())
    assert read_frame(ref).values.shape == (64, 64)
