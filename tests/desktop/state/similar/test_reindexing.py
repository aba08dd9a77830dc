"""An archive of other models in the real window: offered, re-indexed in the background, searched meanwhile."""

import json
import shutil
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop import demo
from desktop.app import App
from desktop.state.first_steps import sample
from desktop.state.similar.query import SearchForm
from engine import known_bundles
from engine.archive import Archive
from engine.bundle import Bundle
from engine.errors import UserError
from engine.importing.importer import import_path
from engine.importing.reindex import reindex
from engine.resources import resource_path
from tests.desktop.conftest import dicom, settle

WORDS = "Fracture of the distal femur."


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Other models than the starter bundle: those read fewer words of a text."""
    folder = tmp_path_factory.mktemp("models") / "older"
    shutil.copytree(resource_path("starter-bundle"), folder)
    content = json.loads((folder / "manifest.json").read_text())
    content["tokenizer"]["max_length"] = 16
    (folder / "manifest.json").write_text(json.dumps(content))
    return Bundle.open(folder)


@pytest.fixture
def place(tmp_path: Path, older: Bundle) -> Path:
    """An archive whose vectors the older models made."""
    table = tmp_path / "reports.csv"
    table.write_text(f"id,text\nA,{WORDS}\nB,Chest radiograph without findings.\n")
    with Archive.create(tmp_path / "archive") as archive:
        import_path(archive, older, table)
        import_path(archive, older, dicom("CT_small.dcm"))
    return tmp_path / "archive"


@pytest.fixture
def ready(qtbot: QtBot, app: App, place: Path, starter_bundle: Bundle) -> App:
    """The app with the starter bundle and that archive open; the older models were never seen on this machine."""
    app.desk.archive._open_bundle = lambda path: starter_bundle if path is None else Bundle.open(path)
    app.desk.archive.load_bundle()
    app.desk.archive.open(place)
    settle(qtbot, app)
    return app


def message_text(app: App) -> str:
    assert app.desk.messages.message is not None
    return app.desk.messages.message.text


def search(qtbot: QtBot, app: App) -> list[str]:
    app.desk.search.set_form(SearchForm(WORDS, False))
    app.desk.search.search()
    settle(qtbot, app)
    return [hit.text for hit in app.desk.search.hits]


def test_re_indexing_is_offered_with_its_size(ready: App) -> None:
    assert ready.desk.archive.outdated
    assert "3 embeddings" in message_text(ready)
    assert "Archive > Re-index archive with current models" in message_text(ready)
    assert ready.actions.actions["reindex_archive"].isEnabled()


def test_a_re_indexed_archive_answers_with_the_current_models(qtbot: QtBot, ready: App, starter_bundle: Bundle) -> None:
    ready.actions.actions["reindex_archive"].trigger()
    assert not ready.actions.actions["reindex_archive"].isEnabled()
    with pytest.raises(UserError, match="is being re-indexed"):
        ready.desk.archive.import_into(dicom("MR_small.dcm"))
    settle(qtbot, ready)
    assert "re-indexed with the current models: 3 embeddings" in message_text(ready)
    assert not ready.desk.archive.outdated
    assert ready.desk.archive.archive is not None
    assert ready.desk.archive.archive.bundle_id == starter_bundle.id
    assert search(qtbot, ready)[0] == WORDS


def test_cancelled_re_indexing_keeps_what_it_made_and_can_go_on(
    qtbot: QtBot, ready: App, starter_bundle: Bundle
) -> None:
    ready.desk.reindex.start()
    ready.desk.jobs.cancel_current()
    settle(qtbot, ready)
    assert ready.desk.archive.outdated
    ready.actions.actions["reindex_archive"].trigger()
    settle(qtbot, ready)
    assert not ready.desk.archive.outdated


def test_interrupted_re_indexing_is_offered_with_what_is_made(
    qtbot: QtBot, app: App, place: Path, starter_bundle: Bundle
) -> None:
    answers = iter([False, True, True, True])
    with Archive.open(place) as archive:
        assert reindex(archive, starter_bundle, cancelled=lambda: next(answers)).done == 1
    app.desk.archive._open_bundle = lambda path: starter_bundle
    app.desk.archive.load_bundle()
    app.desk.archive.open(place)
    settle(qtbot, app)
    assert "(1 done already)" in message_text(app)


def test_the_old_models_are_used_while_they_are_on_this_computer(
    qtbot: QtBot, app: App, place: Path, older: Bundle, starter_bundle: Bundle
) -> None:
    known_bundles.remember(older)
    app.desk.archive._open_bundle = lambda path: starter_bundle
    app.desk.archive.load_bundle()
    app.desk.archive.open(place)
    settle(qtbot, app)
    assert app.desk.archive.bundle is not None
    assert app.desk.archive.bundle.id == older.id
    assert search(qtbot, app)[0] == WORDS
    app.desk.reindex.start()
    settle(qtbot, app)
    assert app.desk.archive.bundle is starter_bundle
    assert search(qtbot, app)[0] == WORDS


def test_other_models_loaded_later_leave_the_archive_searchable(
    qtbot: QtBot, ready: App, older: Bundle, starter_bundle: Bundle
) -> None:
    ready.desk.reindex.start()
    settle(qtbot, ready)
    ready.desk.archive.load_bundle(older.folder)
    settle(qtbot, ready)
    assert ready.desk.archive.outdated
    assert ready.desk.archive.bundle is starter_bundle
    assert search(qtbot, ready)[0] == WORDS


def test_without_the_old_models_a_search_says_what_to_do(qtbot: QtBot, ready: App) -> None:
    assert search(qtbot, ready) == []
    assert "another model" in ready.desk.search.failure


def test_an_empty_archive_takes_the_current_models_at_once(
    qtbot: QtBot, app: App, tmp_path: Path, older: Bundle, starter_bundle: Bundle
) -> None:
    Archive.create(tmp_path / "empty", older.id).close()
    app.desk.archive._open_bundle = lambda path: starter_bundle
    app.desk.archive.load_bundle()
    app.desk.archive.open(tmp_path / "empty")
    settle(qtbot, app)
    assert not app.desk.archive.outdated
    assert app.desk.archive.stats["bundle_id"] == starter_bundle.id


def test_models_that_moved_away_are_unknown(tmp_path: Path, older: Bundle, private_home: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(older.folder, copy)
    known_bundles.remember(Bundle.open(copy))
    found = known_bundles.find(older.id)
    assert found is not None
    assert found.id == older.id
    shutil.rmtree(copy)
    assert known_bundles.find(older.id) is None
    (private_home / known_bundles.FILE).write_text("{broken")
    assert known_bundles.find(older.id) is None


@pytest.mark.parametrize("own", [True, False])
def test_the_demonstration_re_indexes_its_own_sample_archive_and_no_other(
    ready: App, place: Path, private_home: Path, monkeypatch: pytest.MonkeyPatch, own: bool
) -> None:
    monkeypatch.setattr(sample, "sample_folder", lambda: place if own else place.with_name("elsewhere"))
    sample.imported_mark().parent.mkdir(parents=True, exist_ok=True)
    sample.imported_mark().touch()
    assert ready.desk.archive.outdated
    demo.fill_archive(ready, place)
    assert ready.desk.archive.outdated != own
