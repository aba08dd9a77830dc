"""Settings: what is restored after a restart, what the file must not contain, and damaged files."""

import json
import stat
import threading
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.app import App, build
from desktop.background import Background, Lane, as_work
from desktop.state.settings import FILE, RECENT, Settings, SettingsState, read, write
from engine.archive import Archive
from engine.errors import UserError
from engine.image.voi import Window
from engine.image.window import presets
from tests.desktop.conftest import dicom, settle


def test_choices_are_restored_after_a_restart(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    Archive.create(tmp_path / "archive").close()
    app.desk.archive.open(tmp_path / "archive")
    app.desk.open([dicom("CT_small.dcm")])
    settle(qtbot, app)
    app.desk.set_grid(2, 3)
    app.desk.layout.toggle_patient_data()
    app.close()
    again = build(tmp_path / "workspace")
    qtbot.addWidget(again.window)
    again.desk.begin()
    qtbot.waitUntil(again.desk.background.idle, timeout=60_000)
    assert (again.desk.layout.rows, again.desk.layout.columns) == (2, 3)
    assert not again.desk.viewport.patient_data_visible
    assert again.desk.archive.name == "archive"
    assert again.desk.settings.now.recent == (str(dicom("CT_small.dcm")),)
    assert again.desk.studies.studies == []
    again.close()


def test_the_file_contains_no_patient_data_and_only_its_owner_reads_it(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    app.desk.open([dicom("CT_small.dcm")])
    settle(qtbot, app)
    app.desk.layout.set_grid(1, 2)
    study = app.desk.studies.studies[0]
    file = tmp_path / "workspace" / FILE
    held = file.read_text()
    for word in (study.patient.name, study.patient.id, study.uid, study.date, "CompressedSamples"):
        assert word
        assert word not in held
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_latest_is_first_and_the_oldest_goes(tmp_path: Path) -> None:
    state = SettingsState(tmp_path)
    for number in range(RECENT + 3):
        (tmp_path / str(number)).mkdir()
        state.remember_opened([tmp_path / str(number)])
    state.remember_opened([tmp_path / "7"])
    names = [Path(path).name for path in state.now.recent]
    assert names[:2] == ["7", str(RECENT + 2)]
    assert len(names) == RECENT
    assert SettingsState(tmp_path).now == state.now


def test_own_presets_replace_the_shipped_ones_until_they_are_reset(tmp_path: Path) -> None:
    state = SettingsState(tmp_path)
    own = (Window(35, 90, "LINEAR", "Brain, mine"),)
    state.set_presets("ct", own)
    assert SettingsState(tmp_path).presets("CT", presets("CT")) == own
    assert state.presets("MR", presets("MR")) == presets("MR")
    state.set_presets("CT", None)
    assert state.presets("CT", presets("CT")) == presets("CT")


@pytest.mark.parametrize("content", ["", "[]", "{", '"dark"', "\x00\x01", '{"grid": "x", "theme": 4, "recent": {}}'])
def test_a_damaged_file_gives_the_defaults(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    assert read(tmp_path / FILE) == Settings()


ODD = (
    None,
    True,
    -1,
    1e308,
    "",
    "x" * 5000,
    "\x00",
    [],
    [0, 9],
    [[]],
    ["\x00", 5],
    {},
    {"CT": 1},
    {"CT": [1, {"name": 2}]},
)


@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
def test_whatever_a_file_says_the_settings_are_usable(tmp_path: Path, value: object) -> None:
    (tmp_path / FILE).write_text(json.dumps(dict.fromkeys(Settings.__dataclass_fields__, value)))
    state = SettingsState(tmp_path)
    assert state.now.theme in ("dark", "light")
    assert all(1 <= count <= 3 for count in state.now.grid)
    assert isinstance(state.presets("CT", ()), tuple)
    assert all(isinstance(path, str) for path in state.now.recent)


def test_a_folder_that_cannot_be_written_is_reported_once(tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "file").write_text("")
    state = SettingsState(tmp_path / "file")
    told: list[str] = []
    state.problem.connect(told.append)
    state.change(theme="light")
    state.change(theme="dark")
    assert len(told) == 1
    assert "cannot be saved" in told[0]


def test_rapid_changes_are_written_once_and_off_the_ui_thread(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    background, written = Background(), list[tuple[object, int]]()

    def note(path: Path, settings: Settings) -> None:
        written.append((settings.recent[:1], threading.get_ident()))

    monkeypatch.setattr("desktop.state.settings.write", note)
    state = SettingsState(tmp_path, background)
    gate = threading.Event()
    background.start(as_work(gate.wait, 20), lambda _: None, lane=Lane.STORE)
    for number in range(40):
        state.remember_opened([tmp_path / str(number)])
    gate.set()
    qtbot.waitUntil(background.idle)
    ((recent, thread),) = written
    assert recent == (str(tmp_path / "39"),)
    assert thread != threading.get_ident()
    assert background.close()


def test_unsaved_changes_are_written_at_the_end(qtbot: QtBot, tmp_path: Path) -> None:
    background, gate = Background(), threading.Event()
    background.start(as_work(gate.wait, 20), lambda _: None, lane=Lane.STORE)
    state = SettingsState(tmp_path, background)
    state.change(theme="light")
    assert not (tmp_path / FILE).exists()
    threading.Timer(0.2, gate.set).start()  # while the end waits for the work before it
    background.close()
    state.save_now()
    assert read(tmp_path / FILE).theme == "light"


def test_a_setting_that_is_changed_back_before_the_end_is_unchanged(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    background, gate, written = Background(), threading.Event(), threading.Event()

    def write_and_tell(path: Path, settings: Settings) -> None:
        write(path, settings)
        written.set()

    monkeypatch.setattr("desktop.state.settings.write", write_and_tell)
    state = SettingsState(tmp_path, background)
    state.change(theme="light")
    assert written.wait(20)  # its answer has not come yet
    background.start(as_work(gate.wait, 20), lambda _: None, lane=Lane.STORE)
    state.change(theme="dark")
    threading.Timer(0.2, gate.set).start()
    background.close()
    state.save_now()
    assert read(tmp_path / FILE).theme == "dark"


def test_a_folder_that_cannot_be_written_by_a_worker_is_reported_once(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    background, told = Background(), list[str]()
    state = SettingsState(tmp_path / "file", background)
    state.problem.connect(told.append)
    for theme in ("light", "dark", "light"):
        state.change(theme=theme)
        qtbot.waitUntil(background.idle)
    assert len(told) == 1
    assert "cannot be saved" in told[0]
    assert background.close()


def test_panels_and_the_detached_viewer_are_restored(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    app.window.resize(780, 700)  # the screen of these tests has 800 x 800
    app.window.search_dock.hide()
    app.actions.actions["detach_viewer"].trigger()
    app.close()
    again = build(tmp_path / "workspace")
    again.window.show()
    qtbot.waitExposed(again.window)
    assert again.window.height() == 700
    assert again.window.search_dock.isHidden()
    assert again.window.detached
    assert again.actions.actions["detach_viewer"].isChecked()
    again.close()
    again.window.deleteLater()


def test_a_damaged_layout_is_ignored(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    app.desk.settings.change(geometry="äö no base 64", panels="AAAA")
    app.desk.settings.save_now()
    again = build(tmp_path / "workspace")
    again.window.show()
    qtbot.waitExposed(again.window)
    assert again.window.isVisible()
    again.close()
    again.window.deleteLater()


def test_the_last_archive_that_cannot_be_reached_is_reported_and_the_window_opens(
    qtbot: QtBot, unopened: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(path: Path) -> bool:
        raise UserError(f"Permission denied: {path}", path)

    monkeypatch.setattr(Archive, "exists", unreachable)
    unopened.desk.settings.change(archive=str(tmp_path / "closed" / "archive"))
    unopened.desk.begin([dicom("CT_small.dcm")])
    assert unopened.desk.messages.message is not None
    assert "Permission denied" in unopened.desk.messages.message.text
    qtbot.waitUntil(lambda: unopened.desk.viewport.picture is not None)
    settle(qtbot, unopened)
