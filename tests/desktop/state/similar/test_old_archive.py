"""An archive of an older version is prepared with progress when the app opens it, and that can be cancelled."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.background import Job
from engine.archive import Archive
from engine.bundle import Bundle
from engine.importing.importer import import_path
from engine.store.safety import checksums
from tests.desktop.conftest import settle
from tests.engine.store.folder.test_schema import forget


@pytest.fixture
def old(tmp_path: Path, starter_bundle: Bundle) -> Path:
    """The folder of an archive as it was before there were checksums."""
    table = tmp_path / "reports.csv"
    table.write_text("id,text\nA,Pleural effusion.\nB,Large effusion.\n")
    with Archive.create(tmp_path / "archive") as archive:
        import_path(archive, starter_bundle, table)
    forget(tmp_path / "archive")
    return tmp_path / "archive"


def test_preparing_an_archive_shows_its_progress(qtbot: QtBot, app: App, old: Path) -> None:
    seen: list[tuple[str, str]] = []
    app.desk.background.started.connect(
        lambda job: job.progressed.connect(lambda job=job: seen.append((job.title, job.what)))
    )
    app.desk.archive.open(old)
    settle(qtbot, app)
    assert {title for title, what in seen if what.startswith("Checksums of")} == {"Opening archive"}
    assert app.desk.archive.stats["cases"] == 2


def test_preparing_an_archive_can_be_cancelled(
    qtbot: QtBot, app: App, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[Job] = []
    app.desk.background.started.connect(jobs.append)
    seal = checksums.seal_many

    def cancel(*arguments: object) -> None:
        app.desk.background._entries[jobs[-1].number].runner.stop.set()  # as Cancel does, but on the worker
        seal(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(checksums, "seal_many", cancel)
        app.desk.archive.open(old)
        settle(qtbot, app)
    assert app.desk.archive.archive is None
    app.desk.archive.open(old)
    settle(qtbot, app)
    assert app.desk.archive.stats["cases"] == 2
