"""An archive on a server: opened by its address, never by itself at the start, and waited for when it is away."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.app import App, build
from desktop.state.report import outbox
from desktop.views.upkeep.archive_window import ArchiveWindow
from desktop.views.upkeep.server_dialog import ServerDialog
from engine.archive import Archive
from engine.bundle import Bundle
from engine.store.address import Address
from engine.store.server.silence import WatchedConnection
from tests.desktop.conftest import dicom, open_paths, settle, sign
from tools.department_server import DepartmentServer


@pytest.fixture
def address(server: DepartmentServer, starter_bundle: Bundle) -> Address:
    """An empty archive on a server."""
    place = server.empty_database()
    Archive.create(place, starter_bundle.id).close()
    return place


@pytest.fixture
def own_server() -> Iterator[DepartmentServer]:
    """A server that a test may stop."""
    with tempfile.TemporaryDirectory(prefix="kindred-server-") as folder:
        started = DepartmentServer(Path(folder) / "data")
        yield started
        started.stop()


def dialog(app: App) -> ServerDialog:
    """The dialog on screen."""
    (found,) = [one for one in app.window.findChildren(ServerDialog) if one.isVisible()]
    return found


def message(app: App) -> str:
    shown = app.desk.messages.message
    return shown.text if shown is not None else ""


def test_the_address_is_asked_for_until_the_server_answers_and_the_archive_opens(
    qtbot: QtBot, app: App, address: Address
) -> None:
    app.actions.actions["open_server"].trigger()
    shown = dialog(app)
    assert not shown.open_button.isEnabled()
    for wrong, why in (
        ("postgresql://anna:secret@localhost/kindred", "A password does not belong in an address"),
        (str(address).replace(address.database, "nowhere"), "There is no database nowhere"),
        (str(address).replace(address.database, "postgres"), "There is no archive at"),
        (str(replace(address, port=1)), "cannot be reached"),
    ):
        shown.address.setText(wrong)
        shown.open_button.click()
        settle(qtbot, app)
        assert why in shown.problem.text()
        assert not shown.address.isReadOnly()
        assert app.desk.archive.archive is None
    shown.address.setText(str(address))
    shown.open_button.click()
    settle(qtbot, app)
    assert app.desk.archive.name == address.database
    assert app.desk.settings.now.server == app.desk.settings.now.archive == str(address)


def test_a_server_that_answers_after_the_question_was_cancelled_is_not_opened(
    qtbot: QtBot, app: App, address: Address
) -> None:
    app.actions.actions["open_server"].trigger()
    shown = dialog(app)
    shown.address.setText(str(address))
    shown.open_button.click()
    assert shown.problem.text() == "Connecting to the server…"
    shown.reject()
    settle(qtbot, app)
    assert app.desk.archive.archive is None
    assert app.desk.settings.now.server == ""


def test_a_reader_is_offered_nothing_that_only_a_writer_may_do(
    qtbot: QtBot, app: App, server: DepartmentServer, address: Address
) -> None:
    server.execute("CREATE ROLE reading_desk LOGIN IN ROLE kindred_reader")
    app.desk.archive.open(replace(address, user="reading_desk"))
    settle(qtbot, app)
    why = "Your account may search this archive but not change it. Ask its administrator for that right."
    assert app.desk.archive.why_no_import() == why
    assert not app.desk.deletion.can_delete
    app.actions.actions["archive_screen"].trigger()
    settle(qtbot, app)
    (shown,) = app.window.findChildren(ArchiveWindow)
    offers = [*shown.begin, shown.maintenance.buttons["rebuild"]]
    assert not any(button.isEnabled() for button in offers)
    assert {button.toolTip() for button in offers} == {why}
    assert shown.maintenance.buttons["check"].isEnabled()


def test_nothing_is_sent_to_the_server_of_the_last_session_until_someone_asks_for_it(
    qtbot: QtBot, app: App, address: Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.desk.restore()
    app.desk.archive.open(address)
    settle(qtbot, app)
    app.close()
    asked: list[object] = []
    connect = WatchedConnection.connect
    monkeypatch.setattr(WatchedConnection, "connect", lambda **names: asked.append(names) or connect(**names))
    again = build(tmp_path / "workspace")
    again.desk.begin()
    settle(qtbot, again)
    assert asked == []
    assert again.desk.archive.archive is None
    assert "Nothing is sent there until you open it" in message(again)
    offered = again.desk.messages.message
    assert offered is not None
    assert offered.run is not None
    offered.run()
    settle(qtbot, again)
    assert again.desk.archive.name == address.database
    assert asked
    again.actions.actions["connect_at_start"].trigger()
    again.close()
    third = build(tmp_path / "workspace")
    third.desk.begin()
    settle(qtbot, third)
    assert third.desk.archive.name == address.database
    third.close()


def test_a_report_that_is_signed_while_the_server_is_away_waits_here_and_is_archived_when_it_is_back(
    qtbot: QtBot, app: App, own_server: DepartmentServer, starter_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "RETRY", 100)
    place = own_server.empty_database()
    Archive.create(place, starter_bundle.id).close()
    app.desk.archive._open_bundle = lambda path: starter_bundle
    app.desk.archive.load_bundle()
    app.desk.archive.open(place)
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    own_server.stop()
    qtbot.keyClicks(app.window.report_panel.editor, "Calcified granuloma of the spleen.")
    sign(app)
    qtbot.waitUntil(lambda: "cannot be reached" in message(app), timeout=20_000)
    assert message(app).startswith("1 signed report is stored on this computer")
    own_server.start()
    qtbot.waitUntil(lambda: "Signed report archived as case 1" in message(app), timeout=30_000)
    settle(qtbot, app)
    with Archive.open(place) as archive:
        assert [archive.case(one).report.state for one in archive.case_ids()] == ["signed"]  # type: ignore[union-attr]


def test_the_contents_of_an_archive_whose_server_is_away_say_so_instead_of_that_none_is_open(
    qtbot: QtBot, app: App, own_server: DepartmentServer, starter_bundle: Bundle
) -> None:
    place = own_server.empty_database()
    Archive.create(place, starter_bundle.id).close()
    app.desk.archive.open(place)
    settle(qtbot, app)
    own_server.stop()
    app.actions.actions["archive_screen"].trigger()
    settle(qtbot, app)
    (shown,) = app.window.findChildren(ArchiveWindow)
    assert "cannot be reached" in shown.contents.empty.text()
    own_server.start()
    app.desk.archive.changed.emit()
    settle(qtbot, app)
    assert "The archive is empty" in shown.contents.empty.text()
