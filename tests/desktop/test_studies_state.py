"""Opening studies: what is listed, what is left out, and merging what is opened later."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.background import Background
from desktop.state.studies import StudiesState, identify, merge
from engine.dicom_source import open_path
from engine.study import Study
from tests.desktop.conftest import dicom


@pytest.fixture
def background(qtbot: QtBot) -> Iterator[Background]:
    made = Background()
    yield made
    assert made.close()


def test_opening_a_folder_lists_its_studies_and_what_was_left_out(
    qtbot: QtBot, background: Background, tmp_path: Path
) -> None:
    shutil.copy(dicom("CT_small.dcm"), tmp_path / "a")
    shutil.copy(dicom("MR_small.dcm"), tmp_path / "b")
    (tmp_path / "notes.txt").write_text("no image")
    state = StudiesState(background)
    state.open([tmp_path])
    qtbot.waitUntil(background.idle)
    assert sorted(study.series[0].modality for study in state.studies) == ["CT", "MR"]
    assert [item.path for item in state.rejected] == [str(tmp_path / "notes.txt")]
    assert state.rejected[0].reason
    assert state.series is state.studies[0].series[0]


def test_thumbnails_arrive_for_every_series(qtbot: QtBot, background: Background) -> None:
    state = StudiesState(background)
    state.open([dicom("CT_small.dcm"), dicom("MR_small.dcm")])
    qtbot.waitUntil(background.idle)
    for study in state.studies:
        assert state.thumbnail(identify(study, study.series[0])) is not None


def test_what_is_opened_later_is_shown_and_the_rest_stays_open(qtbot: QtBot, background: Background) -> None:
    state = StudiesState(background)
    for name in ("CT_small.dcm", "MR_small.dcm"):
        state.open([dicom(name)])
        qtbot.waitUntil(background.idle)
    assert len(state.studies) == 2
    assert state.series is not None
    assert state.series.modality == "MR"
    state.step(-1)
    assert state.series.modality == "CT"


def test_a_study_opened_twice_gathers_its_series() -> None:
    study = open_path(dicom("dicomdirtests/77654033/CR1/6154").parents[1]).studies[0]
    assert len(study.series) > 1
    parts = [Study(study.uid, "", "", "", "", study.patient, (series,)) for series in study.series]
    merged = merge(parts[:1], parts[1:2])
    assert len(merged) == 1
    assert merged[0].series == study.series[:2]
    assert merge(merged, parts[:1])[0].series == study.series[:2]


def test_nothing_to_show_is_said(qtbot: QtBot, background: Background, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    state = StudiesState(background)
    with qtbot.waitSignal(state.nothing_found):
        state.open([tmp_path])
    qtbot.waitUntil(background.idle)
    assert state.studies == []


def test_closing_all_forgets_everything(qtbot: QtBot, background: Background) -> None:
    state = StudiesState(background)
    state.open([dicom("CT_small.dcm")])
    qtbot.waitUntil(background.idle)
    state.close_all()
    assert (state.studies, state.series, state.rejected) == ([], None, [])
