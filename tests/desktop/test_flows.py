"""The whole workflow with the shipped models: import, search by image and text, draft; and the demonstration."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop import demo
from desktop.app import App
from desktop.state.similar.import_summary import import_summary
from engine.archive import Archive
from engine.bundle import Bundle
from engine.importing.import_result import ImportResult
from engine.reports.draft import NOTICE
from tests.desktop.conftest import dicom, open_paths, settle

REPORTS = (
    "Large right pleural effusion with compressive atelectasis.",
    "Normal chest radiograph without focal consolidation.",
    "Axial computed tomography of the brain showing a subdural hematoma.",
    "Fracture of the distal radius with dorsal angulation.",
)


@pytest.fixture
def ready(qtbot: QtBot, app: App, tmp_path: Path, starter_bundle: Bundle) -> App:
    """The app with models, a new archive of one MR study and four reports, and a CT study open."""
    table = tmp_path / "reports.csv"
    table.write_text("case_id,text\n" + "".join(f'r{number},"{text}"\n' for number, text in enumerate(REPORTS)))
    app.desk.archive._open_bundle = lambda path: starter_bundle
    app.desk.archive.load_bundle()
    app.desk.archive.create(tmp_path / "archive")
    settle(qtbot, app)
    for path in (table, dicom("MR_small.dcm")):
        app.desk.archive.import_into(path)
        settle(qtbot, app)
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    return app


def test_an_import_is_counted_and_reported(ready: App) -> None:
    assert ready.desk.archive.stats["cases"] == 5
    assert ready.window.status.archive.text().startswith("archive: 5 cases")
    assert ready.desk.messages.message is not None
    assert ready.desk.messages.message.text.startswith("Import finished: 1 case added")


def test_text_that_was_blacked_out_is_counted_too() -> None:
    assert import_summary(ImportResult(added=3, text_boxes=9, text_images=2)) == (
        "Import finished: 3 cases added, text blacked out in 2 images."
    )


def test_a_text_query_finds_the_report_with_that_text(qtbot: QtBot, ready: App) -> None:
    panel = ready.window.search_panel
    panel.with_image.setChecked(False)
    panel.text.setFocus()
    qtbot.keyClicks(panel.text, REPORTS[2])
    panel.text.returnPressed.emit()
    settle(qtbot, ready)
    assert ready.desk.search.hits[0].text == REPORTS[2]
    assert panel.hits.currentIndex().row() == 0
    assert REPORTS[2] in panel.detail.text.toPlainText()
    assert panel.summary.text().endswith(f"“{REPORTS[2]}”")


def test_the_current_image_finds_images_and_reports(qtbot: QtBot, ready: App) -> None:
    ready.actions.actions["find_similar"].trigger()
    settle(qtbot, ready)
    hits = ready.desk.search.hits
    assert {hit.kind for hit in hits} == {"image", "report"}
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    pictured = next(hit for hit in hits if hit.image_id is not None)
    ready.desk.search.thumbnail(pictured)  # painting a hit requests it
    settle(qtbot, ready)
    assert ready.desk.search.thumbnail(pictured) is not None


def test_a_filter_leaves_only_its_kind(qtbot: QtBot, ready: App) -> None:
    kind = ready.window.search_panel.filters.kind
    kind.setCurrentIndex(kind.findData("report"))
    ready.desk.search.search()
    settle(qtbot, ready)
    assert {hit.kind for hit in ready.desk.search.hits} == {"report"}


def test_a_draft_is_shown_marked_and_copied_as_research(qtbot: QtBot, ready: App) -> None:
    ready.actions.actions["draft_report"].trigger()
    settle(qtbot, ready)
    page, panel = ready.desk.report.page, ready.window.report_panel
    assert page is not None
    assert page.draft is not None
    assert bool(page.rows) != bool(page.draft.reason)
    assert panel.editor.toPlainText() == page.text == ""
    assert panel.tree.topLevelItemCount() == len(page.draft.sentences)
    assert panel.notes.text() == (page.draft.reason or panel.notes.text())
    ready.desk.report.edit("Effusion.")
    assert NOTICE in ready.desk.report.copy_text()


def test_the_window_responds_while_a_draft_is_made(qtbot: QtBot, ready: App) -> None:
    ready.desk.report.draft()
    assert ready.desk.report.drafting
    ready.desk.viewport.toggle_invert()
    qtbot.waitUntil(lambda: bool(ready.desk.viewport.picture and ready.desk.viewport.picture.inverted))
    settle(qtbot, ready)


def test_a_cancelled_import_keeps_the_imported_cases(qtbot: QtBot, ready: App, tmp_path: Path) -> None:
    table = tmp_path / "many.csv"
    table.write_text("text\n" + "".join(f"Report number {number}.\n" for number in range(400)))
    ready.desk.archive.import_into(table)
    job = ready.desk.jobs.current
    assert job is not None
    with qtbot.waitSignal(job.progressed):
        pass
    ready.actions.actions["cancel_task"].trigger()
    settle(qtbot, ready)
    assert ready.desk.archive.importing is None
    assert 5 <= ready.desk.archive.stats["cases"] < 405


def test_a_missing_bundle_is_one_sentence_and_the_viewer_works(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    app.desk.archive.load_bundle(tmp_path / "nowhere")
    settle(qtbot, app)
    assert app.desk.messages.message is not None
    assert app.desk.messages.message.details == ""
    assert "nowhere" in app.desk.messages.message.text
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    assert app.desk.viewport.picture is not None


def test_a_wrong_folder_for_other_models_leaves_those_in_use(
    qtbot: QtBot, ready: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = ready.desk.archive.bundle
    monkeypatch.setattr(ready.desk.archive, "_open_bundle", Bundle.open)
    ready.desk.archive.load_bundle(tmp_path / "nowhere")
    settle(qtbot, ready)
    assert ready.desk.messages.message is not None
    assert "nowhere" in ready.desk.messages.message.text
    assert ready.desk.archive.bundle is ready.desk.archive.current_bundle is used
    assert ready.desk.archive.bundle_failure == ""


def test_the_demonstration_prints_hits_and_draft_and_saves_a_screenshot(
    tmp_path: Path, starter_bundle: Bundle, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Archive.create(tmp_path / "archive") as archive:
        from engine.importing.importer import import_path

        import_path(archive, starter_bundle, dicom("MR_small.dcm"))
    monkeypatch.setattr("desktop.errors.install", lambda show: None)  # the test run keeps its own hooks
    shot = tmp_path / "shots" / "window.png"
    options = ["--out", str(shot), "--archive", str(tmp_path / "archive"), "--study", str(dicom("CT_small.dcm"))]
    assert demo.main(options) == 0
    printed = capsys.readouterr().out
    assert "CT: 1 image," in printed
    assert "Similar to" in printed
    assert "Draft (research draft" in printed
    assert "CompressedSamples" not in printed
    assert shot.stat().st_size > 10_000
