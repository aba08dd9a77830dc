"""Arrows and texts in the real window: drawn, moved, written, deleted, undone, stored, listed, exported, inserted."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from desktop.app import App, build
from desktop.state.report.inserting import NO_TEXT
from desktop.views.viewer.export_image import CHECK_TEXT, render_viewport, warning
from engine.measure.measurements import MAX_TEXT, Measurement, as_dict, from_dict
from tests.desktop.conftest import dicom, open_paths, settle
from tests.desktop.state.measure.test_measuring import click, drag, image_point, screen_point

SHIFT = Qt.KeyboardModifier.ShiftModifier
HEAD, TAIL = (20.0, 20.0), (44.0, 30.0)


def tool(qtbot: QtBot, app: App, key: Qt.Key) -> None:
    app.window.viewport.setFocus()
    qtbot.keyClick(app.window.viewport, key, SHIFT)


def draw_arrow(qtbot: QtBot, app: App) -> Measurement:
    tool(qtbot, app, Qt.Key.Key_A)
    drag(qtbot, app, [screen_point(app, HEAD), screen_point(app, TAIL)])
    return app.desk.measurements.of_study()[-1]


def write(qtbot: QtBot, app: App, text: str, end: Qt.Key = Qt.Key.Key_Return) -> None:
    """Type into the field on the image, which must be open."""
    field = app.window.grid.annotation_field
    assert field.isVisible()
    field.selectAll()
    qtbot.keyClick(field, Qt.Key.Key_Delete)
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, end)


def edit(qtbot: QtBot, app: App, text: str) -> None:
    """F2, once the action knows what is selected."""
    qtbot.waitUntil(app.actions.actions["edit_annotation_text"].isEnabled)
    qtbot.keyClick(app.window.viewport, Qt.Key.Key_F2)
    write(qtbot, app, text)


def put_text(qtbot: QtBot, app: App, where: QPoint, text: str) -> None:
    tool(qtbot, app, Qt.Key.Key_T)
    click(qtbot, app, where)
    write(qtbot, app, text)


@pytest.fixture
def mr(qtbot: QtBot, app: App) -> App:
    open_paths(qtbot, app, dicom("MR_small.dcm"))
    return app


def test_an_arrow_is_drawn_from_head_to_tail_and_needs_no_text(qtbot: QtBot, mr: App) -> None:
    item = draw_arrow(qtbot, mr)
    assert (item.kind, item.text, item.figure.arrowhead) == ("arrow", "", True)
    assert item.points[0] == pytest.approx(image_point(mr, screen_point(mr, HEAD)))


def test_a_text_is_written_where_the_image_was_clicked(qtbot: QtBot, mr: App) -> None:
    where = screen_point(mr, HEAD)
    put_text(qtbot, mr, where, "  cyst,  not solid ")
    (item,) = mr.desk.measurements.of_study()
    assert (item.kind, item.text) == ("text", "cyst, not solid")
    assert item.points == (pytest.approx(image_point(mr, where)),)
    assert not mr.window.grid.annotation_field.isVisible()
    assert mr.window.viewport.hasFocus()


@pytest.mark.parametrize(("text", "end"), [("", Qt.Key.Key_Return), ("cyst", Qt.Key.Key_Escape)])
def test_a_text_that_is_empty_or_cancelled_is_not_kept(qtbot: QtBot, mr: App, text: str, end: Qt.Key) -> None:
    tool(qtbot, mr, Qt.Key.Key_T)
    click(qtbot, mr, screen_point(mr, HEAD))
    write(qtbot, mr, text, end)
    assert mr.desk.measurements.of_study() == ()
    assert not mr.desk.measurements.can_undo()


def test_a_click_elsewhere_takes_the_text(qtbot: QtBot, mr: App) -> None:
    tool(qtbot, mr, Qt.Key.Key_T)
    click(qtbot, mr, screen_point(mr, HEAD))
    qtbot.keyClicks(mr.window.grid.annotation_field, "cyst")
    mr.window.viewport.setFocus()
    assert [item.text for item in mr.desk.measurements.of_study()] == ["cyst"]


def test_letters_typed_on_the_image_choose_no_tool(qtbot: QtBot, mr: App) -> None:
    put_text(qtbot, mr, screen_point(mr, HEAD), "wadx")
    assert mr.desk.tools.chosen == "text"


def test_f2_and_a_double_click_edit_the_text_of_an_arrow(qtbot: QtBot, mr: App) -> None:
    draw_arrow(qtbot, mr)
    edit(qtbot, mr, "here")
    assert mr.desk.measurements.of_study()[0].text == "here"
    view, tail = mr.window.viewport, screen_point(mr, TAIL)
    qtbot.mouseDClick(view, Qt.MouseButton.LeftButton, pos=tail)
    write(qtbot, mr, "there")
    assert mr.desk.measurements.of_study()[0].text == "there"
    mr.desk.measurements.undo()
    assert mr.desk.measurements.of_study()[0].text == "here"


def test_a_text_is_dragged_by_its_letters(qtbot: QtBot, mr: App) -> None:
    where = screen_point(mr, HEAD)
    put_text(qtbot, mr, where, "a long text to be dragged")
    mr.window.viewport.grab()  # what is clicked was painted
    start = where + QPoint(90, 0)
    drag(qtbot, mr, [start, start + QPoint(30, 40), start + QPoint(30, 40)])
    (item,) = mr.desk.measurements.of_study()
    assert item.points[0] == pytest.approx(image_point(mr, where + QPoint(30, 40)))


def test_a_text_that_is_emptied_is_deleted_and_undo_brings_it_back(qtbot: QtBot, mr: App) -> None:
    put_text(qtbot, mr, screen_point(mr, HEAD), "cyst")
    edit(qtbot, mr, "")
    assert mr.desk.measurements.of_study() == ()
    mr.desk.measurements.undo()
    assert [item.text for item in mr.desk.measurements.of_study()] == ["cyst"]


def test_annotations_are_stored_with_the_study(qtbot: QtBot, mr: App, tmp_path: Path) -> None:
    draw_arrow(qtbot, mr)
    put_text(qtbot, mr, screen_point(mr, (10.0, 40.0)), "cyst")
    drawn = mr.desk.measurements.of_study()
    settle(qtbot, mr)
    again = build(tmp_path / "workspace")
    again.desk.report.open_workspace()
    settle(qtbot, again)
    open_paths(qtbot, again, dicom("MR_small.dcm"))
    assert again.desk.measurements.of_study() == drawn
    again.close()
    again.window.deleteLater()


def test_what_was_stored_without_a_text_reads_as_before() -> None:
    length = Measurement("length", (HEAD, TAIL), "1.2.3")
    assert "text" not in as_dict(length)
    assert from_dict(as_dict(length)) == length
    with pytest.raises(ValueError, match="without text"):
        from_dict(as_dict(Measurement("text", (HEAD,), "1.2.3")))
    assert len(Measurement("text", (HEAD,), "1.2.3").with_text("x" * 500).text) == MAX_TEXT


def test_annotations_are_in_the_list_of_measurements(qtbot: QtBot, mr: App) -> None:
    draw_arrow(qtbot, mr)
    put_text(qtbot, mr, screen_point(mr, (10.0, 40.0)), "cyst")
    mr.desk.measurement_list.watch(True)
    assert [(row.kind, row.reading) for row in mr.desk.measurement_list.rows] == [("Arrow", ""), ("Text", "cyst")]


def test_exports_show_annotations_and_say_that_they_do(qtbot: QtBot, mr: App) -> None:
    def exported() -> QImage:
        return render_viewport(mr.desk)

    plain = exported()
    draw_arrow(qtbot, mr)
    with_arrow = exported()
    assert with_arrow != plain
    assert warning(mr.desk, patient_data=False) == ""
    put_text(qtbot, mr, screen_point(mr, (10.0, 40.0)), "cyst")
    assert exported() != with_arrow
    assert warning(mr.desk, patient_data=False) == CHECK_TEXT
    assert warning(mr.desk, patient_data=False, annotations=False) == ""


def test_f9_inserts_a_text_and_says_that_an_arrow_has_none(qtbot: QtBot, mr: App) -> None:
    page = mr.desk.report.page
    assert page is not None
    put_text(qtbot, mr, screen_point(mr, (10.0, 40.0)), "cyst")
    mr.actions.actions["insert_into_report"].trigger()
    assert page.document.text == "cyst"
    assert page.document.links[0].kind == "measurement"
    draw_arrow(qtbot, mr)
    mr.actions.actions["insert_into_report"].trigger()
    assert page.document.text == "cyst"
    message = mr.desk.messages.message
    assert message is not None
    assert message.text == NO_TEXT


def test_a_text_that_changed_after_it_was_inserted_is_a_check_of_the_report(qtbot: QtBot, mr: App) -> None:
    put_text(qtbot, mr, screen_point(mr, (10.0, 40.0)), "cyst")
    mr.actions.actions["insert_into_report"].trigger()
    edit(qtbot, mr, "solid")
    assert any("changed later" in check.message for check in mr.desk.checking.checks)
