"""Runs every command in the real window: with nothing open, with one image, and with data for every command.

No command raises or blocks, and unavailable ones are disabled. Each test runs the three states in one window, so
that a command that breaks the window in one state fails in the next.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.sr.codedict import codes
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtPrintSupport import QPrintDialog
from PySide6.QtWidgets import QApplication, QFileDialog, QInputDialog, QMenu, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from desktop import outside, theme
from desktop.actions import COMMANDS, Command
from desktop.app import App
from desktop.errors import BUG, PROBLEM
from desktop.state.similar.query import SearchForm
from desktop.views.chooser import Chooser
from desktop.views.pacs.addresses_dialog import PacsAddressesDialog
from desktop.views.report.macros_dialog import MacrosDialog
from desktop.views.report.sign_dialog import SignDialog
from desktop.views.report.templates_dialog import TemplatesDialog
from desktop.views.settings.settings_dialog import SettingsDialog
from desktop.views.similar.case_view import CaseWindow
from desktop.views.studies.rejected import RejectedDialog
from desktop.views.upkeep.archive_window import ArchiveWindow
from desktop.views.upkeep.model_window import ModelWindow
from desktop.views.upkeep.server_dialog import ServerDialog
from desktop.views.viewer.detached_viewer import DetachedViewer
from desktop.views.viewer.measurement_list import MeasurementList
from desktop.views.viewer.presets_dialog import PresetsDialog
from desktop.views.viewer.tag_browser import TagBrowser
from engine.archive import Archive
from engine.bundle import Bundle
from engine.image.window import presets
from engine.importing.importer import import_path
from engine.measure.measurements import Measurement
from engine.reports.draft import Draft, Sentence
from tests.desktop.conftest import dicom, open_paths, settle
from tests.engine.dicom_samples import derive_stack, key_objects

SLICES = 5
REPORT = "Small calcified granuloma of the spleen."

MODAL = {
    "open_files": "getOpenFileNames",
    "open_folder": "getExistingDirectory",
    "open_archive": "getExistingDirectory",
    "new_archive": "getExistingDirectory",
    "import_folder": "getExistingDirectory",
    "import_file": "getOpenFileName",
    "preview_import": "getExistingDirectory",
    "load_models": "getExistingDirectory",
    "backup_folder": "getExistingDirectory",
    "export_image": "getSaveFileName",
    "export_without_annotations": "getSaveFileName",
    "export_with_patient_data": "getSaveFileName",
    "export_report": "getSaveFileName",
    "export_study": "getSaveFileName",
    "print_image": "exec",
    "save_preset": "getText",
    "image_cache": "getInt",
    "user_guide": "openUrl",
}
"""Commands that open a modal dialog or another program, and the function that does; the tests cancel each."""
WINDOWS: dict[str, type[QWidget]] = {
    "open_recent": Chooser,
    "pacs_settings": PacsAddressesDialog,
    "open_server": ServerDialog,
    "show_rejected": RejectedDialog,
    "archive_screen": ArchiveWindow,
    "model_screen": ModelWindow,
    "teach": ModelWindow,
    "dicom_tags": TagBrowser,
    "detach_viewer": DetachedViewer,
    "edit_presets": PresetsDialog,
    "list_key_images": Chooser,
    "list_measurements": MeasurementList,
    "compare_with_series": Chooser,
    "open_selected_case": CaseWindow,
    "command_palette": Chooser,
    "settings": SettingsDialog,
    "menu_bar": QMenu,
    "customize_shortcuts": SettingsDialog,
    "keyboard_shortcuts": Chooser,
    "about": QMessageBox,
    "sign_report": SignDialog,
    "insert_template": Chooser,
    "edit_templates": TemplatesDialog,
    "edit_macros": MacrosDialog,
    "draft_statistics": QMessageBox,
    "delete_case": QMessageBox,
    "delete_patient": QMessageBox,
}
"""Commands that open a window that is not modal."""
LATE = {"delete_case", "delete_patient", "draft_statistics"}
"""Commands whose window opens after a question to the archive or the workspace."""
NEVER = {
    "cancel_task",  # needs running work
    "find_priors",  # needs a PACS
    "go_to_message",  # needs a message
    "reindex_archive",  # needs an archive of other models
    "write_addendum",  # needs a signed report
    "edit_annotation_text",  # needs a selected annotation
    *("previous_search", "next_search"),  # need several searches
    "open_original_study",  # needs a comparison with a case whose path was kept
    *("mark_relevant", "mark_not_relevant", "clear_feedback"),  # need a search by meaning
    *("slab_none", "slab_max", "slab_min", "slab_mean", "next_slab", "thicker_slab", "thinner_slab"),  # need MPR
    *("slab_thickness", "turn_plane_left", "turn_plane_right", "turn_plane_up", "turn_plane_down"),
    "close_oblique_plane",
    *(f"preset_{number}" for number in range(len(presets("CT")) + 1, 21)),
}
"""Commands that are disabled in all three states; they share one window, since they do nothing to it."""
ADVICE = {("mpr", "one image"), ("insert_from_prior", "everything"), ("restore_backup", "everything")}
"""Commands that are enabled but report what is missing."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stack derived from a real slice, a key object selection of one slice, and a file to reject."""
    folder = tmp_path_factory.mktemp("stack")
    files = derive_stack(folder, [5.0 * n for n in range(SLICES)], FrameOfReferenceUID="1.2.3", StudyInstanceUID="1.2")
    key_objects(folder / "keys", [pydicom.dcmread(files[1])], codes.DCM.OfInterest)
    (folder / "notes.txt").write_text("no image")
    return folder


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory, starter_bundle: Bundle) -> Path:
    """An archive of one report and one image."""
    folder = tmp_path_factory.mktemp("cases")
    (folder / "reports.csv").write_text(f'case_id,text\na,"{REPORT}"\n')
    with Archive.create(folder / "archive") as archive:
        import_path(archive, starter_bundle, folder / "reports.csv")
        import_path(archive, starter_bundle, dicom("MR_small.dcm"))
    return folder / "archive"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Cancels every modal dialog; the names of the functions that were called."""
    seen: list[str] = []

    def cancel(name: str, answer: object) -> Callable[..., object]:
        return lambda *given: seen.append(name) or answer

    for name in ("getOpenFileName", "getOpenFileNames", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, name, cancel(name, ([] if name.endswith("s") else "", "")))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", cancel("getExistingDirectory", ""))
    monkeypatch.setattr(QInputDialog, "getText", cancel("getText", ("", False)))
    monkeypatch.setattr(QInputDialog, "getInt", cancel("getInt", (0, False)))
    monkeypatch.setattr(QPrintDialog, "exec", cancel("exec", 0))
    monkeypatch.setattr(QDesktopServices, "openUrl", cancel("openUrl", True))
    monkeypatch.setattr(outside, "guide_page", lambda: Path(__file__))  # whether or not the guides are built
    return seen


@pytest.fixture(autouse=True)
def dark_again(qapp: QApplication) -> Iterator[None]:
    yield
    theme.apply(qapp)


def everything(qtbot: QtBot, app: App, stack: Path, archive: Path, bundle: Bundle, *, proposals: bool = False) -> None:
    """A stack on screen beside another series, with marks, measurements, a report, models, an archive and a hit."""
    desk = app.desk
    desk.archive._open_bundle = lambda path: bundle
    desk.archive.load_bundle()
    desk.archive.open(archive)
    desk.layout.set_grid(1, 2)
    desk.layout.activate(desk.layout.viewports[0])
    desk.open([stack])
    settle(qtbot, app)
    show_stack(qtbot, app)
    uid = desk.viewport.series.frames[0].image.sop_uid  # type: ignore[union-attr]
    for end in ((90, 90), (50, 90), (90, 50)):
        desk.measurements.add(Measurement("length", ((20, 20), end), uid))
    desk.measurements.undo()
    desk.measurements.select(desk.measurements.of_study()[0].id)
    desk.report.edit("The left middle lobe is clear.")
    if proposals:
        draft = Draft((Sentence("Clear lungs.", None),), "double", study_uid=desk.report.page.study)  # type: ignore[union-attr]
        desk.report._take_draft(desk.report.page, "", draft, "an image")  # type: ignore[arg-type]
    desk.search.set_form(SearchForm(text="granuloma", with_image=False, mode="lexical"))
    desk.search.search()
    settle(qtbot, app)
    desk.search.select(desk.search.hits[0])
    settle(qtbot, app)


def show_stack(qtbot: QtBot, app: App) -> None:
    study = next(study for study in app.desk.studies.studies if study.uid == "1.2")
    app.desk.studies.select(f"{study.uid}/{study.series[0].key}")
    app.desk.viewport.show(study, study.series[0])
    settle(qtbot, app)


def windows(app: App) -> list[QWidget]:
    return [one for one in QApplication.topLevelWidgets() if one.isVisible() and one is not app.window]


def check(qtbot: QtBot, app: App, command: Command, state: str, asked: list[str]) -> bool:
    """Run the command as a menu would; return whether it was enabled."""
    asked.clear()
    app.desk.messages.dismiss()
    action = app.actions.actions[command.name]
    qtbot.waitUntil(lambda: action.isEnabled() == command.enabled(app.desk))
    enabled = action.isEnabled()
    before = windows(app)
    action.trigger()
    if command.name in LATE:
        settle(qtbot, app)
    opened = [one for one in windows(app) if one not in before]
    assert asked == ([MODAL[command.name]] if enabled and command.name in MODAL else []), state
    expected = [WINDOWS[command.name]] if enabled and command.name in WINDOWS else []
    assert [type(one) for one in opened] == expected, state
    settle(qtbot, app)
    message = app.desk.messages.message
    assert message is None or message.kind != BUG, f"{state}: {message.details}"
    assert (message is not None and message.kind == PROBLEM) == ((command.name, state) in ADVICE), f"{state}: {message}"
    for one in opened:
        one.close()
    assert windows(app) == [one for one in before if one not in opened], state
    return enabled


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.name not in NEVER], ids=lambda one: one.name)
def test_a_command_works_or_is_disabled(
    qtbot: QtBot,
    app: App,
    command: Command,
    stack: Path,
    cases: Path,
    starter_bundle: Bundle,
    asked: list[str],
    tmp_path: Path,
) -> None:
    enabled = [check(qtbot, app, command, "nothing open", asked)]
    app.window.show()  # after Quit
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    assert app.desk.viewport.picture is not None
    enabled.append(check(qtbot, app, command, "one image", asked))
    app.window.show()
    everything(
        qtbot,
        app,
        stack,
        shutil.copytree(cases, tmp_path / "archive"),
        starter_bundle,
        proposals="proposal" in command.name,
    )
    enabled.append(check(qtbot, app, command, "everything", asked))
    app.window.show()
    assert any(enabled)
    open_paths(qtbot, app, stack)
    show_stack(qtbot, app)
    app.window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is app.window)
    app.window.viewport.setFocus()
    app.desk.cine.stop()
    qtbot.keyClick(app.window.viewport, Qt.Key.Key_Home)  # the stack is shown as it was left, maybe at its end
    start = app.desk.viewport.index
    qtbot.keyClick(app.window.viewport, Qt.Key.Key_Down)
    assert app.desk.viewport.index == start + 1
    settle(qtbot, app)
    assert app.desk.viewport.picture is not None
    assert app.desk.viewport.picture.index == start + 1


def test_commands_without_what_they_need_are_disabled(
    qtbot: QtBot, app: App, stack: Path, cases: Path, starter_bundle: Bundle, asked: list[str], tmp_path: Path
) -> None:
    never = [command for command in COMMANDS if command.name in NEVER]
    enabled = [command.name for command in never if check(qtbot, app, command, "nothing open", asked)]
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    enabled += [command.name for command in never if check(qtbot, app, command, "one image", asked)]
    everything(qtbot, app, stack, shutil.copytree(cases, tmp_path / "archive"), starter_bundle)
    enabled += [command.name for command in never if check(qtbot, app, command, "everything", asked)]
    assert enabled == []
