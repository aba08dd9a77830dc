"""Exporting the report on screen: every format, unsaved text included, and PDF."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.report.exporting import as_pdf
from desktop.state.report.report import ReportState
from engine.errors import UserError
from engine.reports.workspace import Workspace
from tests.desktop.conftest import settle, sign
from tests.desktop.read_back import text_of_pdf

TEXT = "Calcified granuloma of the spleen."


def export(qtbot: QtBot, app: App, name: str, path: Path) -> None:
    choice = next(one for one in app.desk.export.choices() if one.name == name)
    app.desk.export.export(choice, path)
    settle(qtbot, app)


def test_every_format_of_the_dialog_writes_a_file(qtbot: QtBot, app: App, state: ReportState, tmp_path: Path) -> None:
    state.edit(TEXT)
    app.desk.key_images.toggle()
    for choice in app.desk.export.choices():
        export(qtbot, app, choice.name, tmp_path / choice.name)
        assert (tmp_path / f"{choice.name}{choice.suffix}").stat().st_size > 0
        assert app.desk.messages.message is not None
        assert "with patient data" in app.desk.messages.message.text


def test_what_is_typed_and_not_saved_is_exported(qtbot: QtBot, app: App, state: ReportState, tmp_path: Path) -> None:
    state.edit(TEXT)
    export(qtbot, app, "txt", tmp_path / "report.txt")
    text = (tmp_path / "report.txt").read_text()
    assert TEXT in text
    assert "Status: Not signed" in text


def test_a_signed_report_is_exported_with_its_signature(
    qtbot: QtBot, app: App, state: ReportState, tmp_path: Path
) -> None:
    state.edit(TEXT)
    settle(qtbot, app)
    sign(app)
    settle(qtbot, app)
    export(qtbot, app, "txt", tmp_path / "report.txt")
    assert "Status: Signed, Ada Byron" in (tmp_path / "report.txt").read_text()


def test_an_export_is_audited_without_the_name_of_its_file(
    qtbot: QtBot, app: App, state: ReportState, tmp_path: Path
) -> None:
    state.edit(TEXT)
    export(qtbot, app, "txt", tmp_path / "Doe Jane.txt")
    with Workspace.open(tmp_path / "workspace") as workspace:
        assert [row["state"] for row in workspace.audit()][-1:] == ["exported"]
        assert "Doe" not in str(workspace.audit())
        assert workspace.audit_problems() == []


def test_key_images_can_be_exported_without_a_report(
    qtbot: QtBot, app: App, state: ReportState, tmp_path: Path
) -> None:
    assert not app.desk.export.can_export
    app.desk.key_images.toggle()
    assert app.desk.export.can_export
    export(qtbot, app, "ko", tmp_path / "keys.dcm")
    assert (tmp_path / "keys.dcm").exists()


def test_a_pdf_holds_the_key_images_only_where_they_are_wanted(
    qtbot: QtBot, app: App, state: ReportState, tmp_path: Path
) -> None:
    state.edit(TEXT)
    app.desk.key_images.toggle()
    export(qtbot, app, "pdf", tmp_path / "with.pdf")
    export(qtbot, app, "pdf without images", tmp_path / "without.pdf")
    with_images, without = (tmp_path / "with.pdf").read_bytes(), (tmp_path / "without.pdf").read_bytes()
    assert with_images.startswith(b"%PDF-")
    assert b"/Subtype /Image" in with_images
    assert b"/Subtype /Image" not in without


def test_a_long_report_fills_several_pages(qtbot: QtBot) -> None:
    assert as_pdf("<p>word</p>" * 200).count(b"/Type /Page\n") > 1


def test_the_words_of_a_pdf_are_found_by_a_search(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(as_pdf("<h1>Difficult</h1><p>No pleural effusion, <b>first</b> size</p>"))
    text = text_of_pdf(tmp_path / "report.pdf")
    assert "Difficult" in text
    assert "No pleural effusion, first size" in text


def test_a_suffix_that_is_added_replaces_no_file(qtbot: QtBot, app: App, state: ReportState, tmp_path: Path) -> None:
    state.edit(TEXT)
    (tmp_path / "report.txt").write_text("mine")
    with pytest.raises(UserError, match="exists already"):
        export(qtbot, app, "txt", tmp_path / "report")
    assert (tmp_path / "report.txt").read_text() == "mine"
