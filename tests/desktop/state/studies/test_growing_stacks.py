"""While a folder is read its stacks change their numbers and join: what is on screen stays on screen."""

import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.studies.studies import identify
from engine.dicom.listing import Listing, open_path
from tests.desktop.conftest import settle
from tests.engine.dicom_samples import derive_stack

COMMON = {"SeriesInstanceUID": "1.2.3.4", "StudyInstanceUID": "1.2.3", "FrameOfReferenceUID": "1.9"}


@pytest.fixture
def reading(app: App) -> Iterator[Callable[[Path, int], None]]:
    """Opens a folder of which only so many files, by name, are known at first; the gate lets it go on."""
    gate = threading.Event()

    def start(folder: Path, first: int) -> None:
        def read(paths, progress, cancelled, found) -> Listing:  # type: ignore[no-untyped-def]
            found(open_path(sorted(folder.iterdir())[:first]))
            gate.wait(20)
            return open_path(folder)

        app.desk.studies._open_files = read
        app.desk.studies.open([folder])

    start.gate = gate  # type: ignore[attr-defined]
    yield start
    gate.set()


def chosen(app: App) -> str:
    return identify(app.desk.studies.study, app.desk.studies.series)


def test_an_echo_that_is_read_later_but_comes_first_leaves_the_other_on_screen(
    qtbot: QtBot, app: App, tmp_path: Path, reading: Callable[[Path, int], None]
) -> None:
    for number, echo in enumerate((2, 1)):  # the names of the second echo come first
        folder = tmp_path / f"{number}"
        folder.mkdir()
        for file in derive_stack(folder, [0, 5, 10], "MR_small.dcm", EchoNumbers=echo, InstanceNumber=echo, **COMMON):
            file.rename(tmp_path / f"{number}{file.name}")
        folder.rmdir()
    reading(tmp_path, 3)
    viewport = app.desk.viewport
    qtbot.waitUntil(lambda: viewport.picture is not None)
    viewport.go_to(1)
    qtbot.waitUntil(lambda: viewport.picture is not None and viewport.picture.index == 1)
    shown = viewport.picture.ref.image.sop_uid  # type: ignore[union-attr]
    reading.gate.set()  # type: ignore[attr-defined]
    settle(qtbot, app)
    assert viewport.picture is not None
    assert (viewport.picture.ref.echo, viewport.picture.ref.image.sop_uid) == (2, shown)
    assert viewport.series is app.desk.studies.series
    (study,) = app.desk.studies.studies
    assert [series.frames[0].echo for series in study.series] == [1, 2]
    assert len({series.key for series in study.series}) == 2


def test_acquisitions_that_turn_out_to_be_one_stack_stay_on_screen(
    qtbot: QtBot, app: App, tmp_path: Path, reading: Callable[[Path, int], None]
) -> None:
    names = itertools.count()
    for acquisition, places in ((1, [0, 5, 10]), (2, [0, 5, 10]), (2, [0])):  # the second comes back to its first place
        folder = tmp_path / "part"
        folder.mkdir()
        for file in reversed(derive_stack(folder, places, AcquisitionNumber=acquisition, **COMMON)):
            file.rename(tmp_path / f"{next(names):02}.dcm")
        folder.rmdir()
    reading(tmp_path, 6)
    qtbot.waitUntil(lambda: bool(app.desk.studies.studies))
    (study,) = app.desk.studies.studies
    app.desk.studies.select(identify(study, study.series[1]))
    viewport = app.desk.viewport
    qtbot.waitUntil(lambda: viewport.picture is not None and viewport.picture.ref.acquisition == 2)
    shown, told = viewport.picture.ref.image.sop_uid, list[str]()  # type: ignore[union-attr]
    app.desk.studies.selected.connect(lambda: told.append(chosen(app)))
    reading.gate.set()  # type: ignore[attr-defined]
    settle(qtbot, app)
    (study,) = app.desk.studies.studies
    (series,) = study.series
    assert viewport.series is series is app.desk.studies.series
    assert viewport.picture is not None
    assert viewport.picture.ref.image.sop_uid == shown
    app.desk.studies.close_all()
    assert told[-1] == ""


def test_a_third_stack_gets_a_key_of_its_own(
    qtbot: QtBot, app: App, tmp_path: Path, reading: Callable[[Path, int], None]
) -> None:
    for number, echo in enumerate((2, 3, 1)):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        for file in derive_stack(folder, [0, 5], "MR_small.dcm", EchoNumbers=echo, InstanceNumber=echo, **COMMON):
            file.rename(tmp_path / f"{number}{file.name}")
        folder.rmdir()
    reading(tmp_path, 4)
    qtbot.waitUntil(lambda: bool(app.desk.studies.studies))
    before = {series.frames[0].echo: series.key for series in app.desk.studies.studies[0].series}
    reading.gate.set()  # type: ignore[attr-defined]
    settle(qtbot, app)
    after = {series.frames[0].echo: series.key for series in app.desk.studies.studies[0].series}
    assert after == before | {1: after[1]}
    assert len(set(after.values())) == 3
