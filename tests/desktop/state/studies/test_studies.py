"""Opening studies: what is listed, what is rejected, and merging what is opened later."""

import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.background import Background, Lane, as_work
from desktop.state.jobs import JobsState
from desktop.state.pictures.frame_cache import FrameCache
from desktop.state.pictures.picture import middle_frame
from desktop.state.studies.merging import merge
from desktop.state.studies.studies import StudiesState, identify
from engine.dicom.identity import SHARED_UID
from engine.dicom.listing import Listing, open_path
from engine.errors import Cancelled
from engine.image.pixels import read_frame
from engine.progress import IsCancelled, Progress
from engine.reports.workspace_patients import open_told_apart
from engine.study import Series, Study
from tests.desktop.conftest import dicom
from tests.engine.dicom_samples import derive


def test_opening_a_folder_lists_studies_and_rejected_files(
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


def test_a_frame_decoded_for_the_thumbnail_of_the_series_on_screen_is_kept(
    qtbot: QtBot, background: Background
) -> None:
    frames = FrameCache()
    state = StudiesState(background, frames=frames)
    state.open([dicom("CT_small.dcm"), dicom("MR_small.dcm")])
    qtbot.waitUntil(background.idle)
    kept = {series.modality: middle_frame(series) in frames for study in state.studies for series in study.series}
    assert state.series is not None
    assert kept == {modality: modality == state.series.modality for modality in ("CT", "MR")}


def test_a_frame_decoded_for_a_study_that_was_closed_meanwhile_is_not_kept(
    qtbot: QtBot, background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames, gate, kept = FrameCache(), threading.Event(), list[object]()
    monkeypatch.setattr(frames, "put", lambda ref, pixels: kept.append(ref))
    state = StudiesState(background, frames=frames)
    background.start(as_work(gate.wait, 20), lambda _: None, lane=Lane.THUMBNAIL)
    state.open([dicom("CT_small.dcm")])
    qtbot.waitUntil(lambda: state.series is not None)
    state.close_all()
    state.open([dicom("CT_small.dcm")])
    qtbot.waitUntil(lambda: state.series is not None)
    gate.set()
    qtbot.waitUntil(background.idle)
    assert len(kept) == 1  # that of the study opened again, not that of the one before


def test_a_frame_that_is_decoded_already_is_not_decoded_for_its_thumbnail(
    qtbot: QtBot, background: Background, tmp_path: Path
) -> None:
    frames = FrameCache()
    shutil.copy(dicom("CT_small.dcm"), tmp_path / "a")
    (study,) = open_path(tmp_path).studies
    ref = middle_frame(study.series[0])
    frames.put(ref, read_frame(ref))
    (tmp_path / "a").unlink()
    state = StudiesState(background, lambda *_: Listing((study,)), frames)
    state.open([tmp_path])
    qtbot.waitUntil(background.idle)
    assert state.thumbnail(identify(study, study.series[0])) is not None


def test_answers_that_are_there_together_change_the_list_at_most_twice(
    qtbot: QtBot, background: Background, tmp_path: Path
) -> None:
    for number in range(20):
        shutil.copy(dicom("CT_small.dcm"), tmp_path / f"{number}.dcm")
    state, told = StudiesState(background), []
    state.changed.connect(lambda: told.append(len(state.studies)))
    listing = open_path(tmp_path / "0.dcm")
    openings: list[Callable[[Listing], None]] = []
    start = background.start
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(background, "start", lambda work, done, **_: openings.append(done))
        for number in range(20):
            state.open([tmp_path / f"{number}.dcm"])
        patch.setattr(background, "start", start)
        for take in openings:
            take(listing)
    assert len(told) == 1
    qtbot.waitUntil(lambda: len(told) == 2)
    qtbot.waitUntil(background.idle)
    assert len(told) == 2


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


def test_a_study_opened_twice_is_merged() -> None:
    study = open_path(dicom("dicomdirtests/77654033/CR1/6154").parents[1]).studies[0]
    assert len(study.series) > 1
    parts = [Study(study.uid, "", "", "", "", study.patient, (series,)) for series in study.series]
    merged = merge(parts[:1], parts[1:2])
    assert len(merged) == 1
    assert merged[0].series == study.series[:2]
    assert merge(merged, parts[:1])[0].series == study.series[:2]


def test_finding_nothing_is_signalled(qtbot: QtBot, background: Background, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    state = StudiesState(background)
    with qtbot.waitSignal(state.nothing_found):
        state.open([tmp_path])
    qtbot.waitUntil(background.idle)
    assert state.studies == []


class Reading:
    """Fake of a slow listing: reports one slice, waits for a signal, then returns all."""

    def __init__(self, folder: Path) -> None:
        shutil.copy(dicom("CT_small.dcm"), folder / "a")
        whole = open_path(folder)
        (study,), (series,) = whole.studies, whole.studies[0].series
        more = tuple(replace(series.frames[0], frame=number) for number in range(3))
        self.whole = Listing((replace(study, series=(replace(series, frames=more),)),))
        self.part = Listing((replace(study, series=(replace(series, frames=more[1:2], growing=True),)),))
        self.told, self.go_on = threading.Event(), threading.Event()

    def __call__(
        self, paths: object, progress: Progress, cancelled: IsCancelled, found: Callable[[Listing], None]
    ) -> Listing:
        found(self.part)
        self.told.set()
        assert self.go_on.wait(20)
        if cancelled():
            raise Cancelled
        return self.whole


def test_a_series_shows_while_it_is_read_and_stays_chosen_when_it_is_whole(
    qtbot: QtBot, background: Background, tmp_path: Path
) -> None:
    reading = Reading(tmp_path)
    state = StudiesState(background, open_files=reading)
    chosen: list[Series | None] = []
    state.selected.connect(lambda: chosen.append(state.series))
    state.open([tmp_path])
    qtbot.waitUntil(lambda: state.series is not None)
    assert state.series is not None
    assert state.series.growing
    reading.go_on.set()
    qtbot.waitUntil(background.idle)
    assert state.series == reading.whole.studies[0].series[0]
    assert [len(study.series) for study in state.studies] == [1]
    assert len(chosen) == 1


def test_stopping_keeps_what_was_read_and_lists_the_rest_as_rejected(
    qtbot: QtBot, background: Background, tmp_path: Path
) -> None:
    reading = Reading(tmp_path)
    state = StudiesState(background, open_files=reading)
    state.open([tmp_path])
    jobs = JobsState(background)
    qtbot.waitUntil(lambda: state.series is not None)
    (entry,) = [entry for entry in background._entries.values() if entry.job.title]
    background.cancel(entry.job)
    reading.go_on.set()
    qtbot.waitUntil(background.idle)
    assert jobs.jobs == []
    assert state.series is not None
    assert not state.series.growing
    assert len(state.series.frames) == 1
    assert [item.reason for item in state.rejected] == ["Opening was cancelled before this was read completely."]


def test_a_study_that_is_closed_while_it_is_read_stays_closed(
    qtbot: QtBot, background: Background, tmp_path: Path
) -> None:
    reading = Reading(tmp_path)
    state = StudiesState(background, open_files=reading)
    state.open([tmp_path])
    qtbot.waitUntil(lambda: state.series is not None)
    state.close(state.studies[0].uid)
    assert (state.studies, state.series) == ([], None)
    reading.go_on.set()
    qtbot.waitUntil(background.idle)
    assert state.studies == []


def test_closing_one_study_goes_on_with_its_neighbour(qtbot: QtBot, background: Background) -> None:
    state = StudiesState(background)
    for name in ("CT_small.dcm", "MR_small.dcm"):
        state.open([dicom(name)])
        qtbot.waitUntil(background.idle)
    assert state.study is not None
    with qtbot.waitSignals([state.changed, state.selected]):
        state.close(state.study.uid)
    assert [study.series[0].modality for study in state.studies] == ["CT"]
    assert state.series is state.studies[0].series[0]
    state.close(state.studies[0].uid)
    assert (state.studies, state.study, state.series) == ([], None, None)


def test_a_rejected_file_is_listed_once(qtbot: QtBot, background: Background, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    state = StudiesState(background)
    for _ in range(2):
        state.open([tmp_path])
        qtbot.waitUntil(background.idle)
    assert len(state.rejected) == 1


def test_closing_all_forgets_everything(qtbot: QtBot, background: Background) -> None:
    state = StudiesState(background)
    state.open([dicom("CT_small.dcm")])
    qtbot.waitUntil(background.idle)
    state.close_all()
    assert (state.studies, state.series, state.rejected) == ([], None, [])


def test_two_patients_with_one_study_uid_are_told_apart_whenever_they_are_opened(
    qtbot: QtBot, background: Background, tmp_path: Path
) -> None:
    for name, patient in (("anna", "Alpha^Anna"), ("bert", "Beta^Bert")):
        derive(tmp_path / name, "CT_small.dcm", PatientName=patient, PatientID=patient[:1], StudyInstanceUID="1.2.3")
    opened = StudiesState(background)
    later = StudiesState(background, partial(open_told_apart, tmp_path / "workspace"))
    for state in (opened, later):
        for name in ("anna", "bert"):
            state.open([tmp_path / name])
            qtbot.waitUntil(background.idle)
            if state is later and name == "anna":
                state.close_all()
    assert [study.warning for study in opened.studies] == [SHARED_UID] * 2
    assert {study.patient.name: study.uid == "1.2.3" for study in opened.studies} == {
        "Alpha^Anna": True,
        "Beta^Bert": False,
    }
    assert [(study.patient.name, study.warning) for study in later.studies] == [("Beta^Bert", SHARED_UID)]
    assert later.studies[0].uid != "1.2.3"
