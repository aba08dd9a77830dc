"""An archived case beside the current image: where it is shown, what it says, and that the study stays in charge."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QModelIndex, QPointF, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QApplication, QTreeWidgetItem
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.similar.comparison import original_of
from desktop.state.viewer.annotations import annotate
from desktop.state.viewer.viewport import ViewportState
from desktop.views.report.evidence_tree import ROLE
from desktop.views.viewer.export_image import deidentified
from engine.archive import Archive
from engine.errors import UserError
from engine.image.archived import archived_origin, is_archived
from engine.image.voi import Window
from engine.reports.agreement import Contradiction, Evidence
from engine.store.case import NewCase, NewImage
from engine.store.folder.sources import SourceLinks
from tests.desktop.conftest import dicom, open_paths, settle
from tests.desktop.views.similar.conftest import VECTOR
from tests.engine.dicom_samples import derive_stack


@pytest.fixture
def beside(qtbot: QtBot, found: App) -> App:
    """A study, and the first hit beside it."""
    open_paths(qtbot, found, dicom("CT_small.dcm"))
    qtbot.keyClick(found.window.search_panel.hits, Qt.Key.Key_Return)
    settle(qtbot, found)
    return found


def cells(app: App) -> tuple[ViewportState, ViewportState]:
    left, right = app.desk.layout.viewports
    return left, right


def gray(viewport: ViewportState) -> int:
    assert viewport.picture is not None
    return int(viewport.picture.levels[0][0, 0])


def test_enter_shows_the_hit_beside_the_current_image_at_its_gray_levels(beside: App) -> None:
    left, right = cells(beside)
    assert beside.desk.viewport is left
    assert not is_archived(left.series)
    assert right.picture is not None
    np.testing.assert_array_equal(right.picture.image(), np.full((30, 40), 61))
    assert right.index == 1  # the image that matched


def test_the_keyboard_stays_in_the_list_whose_keys_lead_the_comparison(qtbot: QtBot, found: App) -> None:
    open_paths(qtbot, found, dicom("CT_small.dcm"))
    found.window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is found.window)
    found.window.viewport.setFocus()
    hits = found.window.search_panel.hits
    hits.setFocus()
    qtbot.keyClick(hits, Qt.Key.Key_Return)
    settle(qtbot, found)
    assert found.desk.comparison.viewport is not None
    assert hits.hasFocus()
    qtbot.keyClick(hits, Qt.Key.Key_Escape)
    assert found.desk.comparison.viewport is None
    assert hits.hasFocus()


def test_it_says_that_it_is_archived_and_not_for_measurement(beside: App) -> None:
    _, right = cells(beside)
    notes = annotate(right)
    assert notes.top_left == ("Archived case 1", "F · 61 y")
    assert notes.bottom_left == (
        "Not for measurement",
        "De-identified, 8 bits, reduced size",
        "Archived at W 400 L 40",
        "2 / 2",
    )
    assert notes.edges is None
    assert deidentified(right).bottom_left == notes.bottom_left
    assert right.presets == ()


def test_the_arrows_go_through_the_hits_and_the_page_keys_through_the_images(qtbot: QtBot, beside: App) -> None:
    _, right = cells(beside)
    hits, selected = beside.window.search_panel.hits, beside.desk.search.selected_case
    hits.setFocus()
    qtbot.keyClick(hits, Qt.Key.Key_PageUp)
    settle(qtbot, beside)
    assert (gray(right), selected.number) == (60, 0)
    beside.window.search_panel.detail.image.setFocus()
    qtbot.keyClick(beside.window.search_panel.detail.image, Qt.Key.Key_Right)
    settle(qtbot, beside)
    assert gray(right) == 61
    hits.setFocus()
    qtbot.keyClick(hits, Qt.Key.Key_Down)
    settle(qtbot, beside)
    assert right.series is None
    assert right.empty_text[0] == "Report only"
    beside.actions.actions["previous_hit"].trigger()
    settle(qtbot, beside)
    assert gray(right) == 61


@pytest.mark.parametrize("where", ["list", "image"])
def test_escape_brings_back_what_was_there(qtbot: QtBot, beside: App, where: str) -> None:
    target = beside.window.search_panel.hits if where == "list" else beside.window.viewport
    target.setFocus()
    qtbot.keyClick(target, Qt.Key.Key_Escape)
    assert beside.desk.comparison.viewport is None
    assert (beside.desk.layout.rows, beside.desk.layout.columns) == (1, 1)
    assert beside.desk.viewport.series is not None
    beside.actions.actions["compare_hit"].trigger()
    settle(qtbot, beside)
    assert gray(cells(beside)[1]) == 61


def test_a_viewport_in_use_gets_its_series_back(qtbot: QtBot, found: App) -> None:
    open_paths(qtbot, found, dicom("CT_small.dcm"), dicom("MR_small.dcm"))
    found.desk.layout.set_grid(1, 2)
    _, right = cells(found)
    mr = next(study for study in found.desk.studies.studies if study.series[0].modality == "MR")
    right.show(mr, mr.series[0])
    settle(qtbot, found)
    right.zoom_by(2)
    view = right.view
    found.desk.comparison.start()
    settle(qtbot, found)
    assert is_archived(right.series)
    found.desk.comparison.close()
    settle(qtbot, found)
    assert right.series is mr.series[0]
    assert right.view == view
    assert found.desk.layout.columns == 2


def test_closing_leaves_a_linked_current_image_as_it_is(qtbot: QtBot, found: App, tmp_path: Path) -> None:
    derive_stack(tmp_path / "stack", [5.0 * n for n in range(4)], FrameOfReferenceUID="1.2.3")
    open_paths(qtbot, found, tmp_path / "stack")
    desk = found.desk
    desk.layout.set_grid(1, 2)
    left, right = cells(found)
    right.show(left.study, left.series)
    settle(qtbot, found)
    left.set_window(Window(center=100, width=200))
    desk.links.toggle()
    desk.comparison.start()
    settle(qtbot, found)
    left.go_to(3)
    left.zoom_by(2)
    scale = left.view.scale
    assert is_archived(right.series)
    desk.comparison.close()
    settle(qtbot, found)
    assert right.series is left.series
    assert (left.window, left.index, left.view.scale) == (Window(center=100, width=200), 3, scale)


def test_a_maximized_viewport_makes_room_and_a_plane_comes_back(qtbot: QtBot, found: App, tmp_path: Path) -> None:
    derive_stack(tmp_path / "stack", [5.0 * n for n in range(4)], FrameOfReferenceUID="1.2.3")
    open_paths(qtbot, found, tmp_path / "stack")
    found.actions.actions["mpr"].trigger()
    settle(qtbot, found)
    desk = found.desk
    planes = [viewport.series for viewport in desk.layout.viewports]
    assert len(planes) == 4
    desk.layout.toggle_maximized()
    desk.comparison.start()
    settle(qtbot, found)
    assert not desk.layout.maximized
    assert is_archived(desk.layout.viewports[1].series)
    desk.comparison.close()
    settle(qtbot, found)
    assert [viewport.series for viewport in desk.layout.viewports] == planes


def test_zoom_and_pan_are_linked_and_taken_over_by_the_next_hit(qtbot: QtBot, beside: App) -> None:
    left, right = cells(beside)
    assert not beside.desk.links.linked
    left.zoom_by(2)
    left.pan_by(10, 5)
    assert right.scale / right.view.device_ratio == pytest.approx(2 * fitted(right))
    assert right.view.pan == left.view.pan
    beside.desk.search.select_next(1)
    settle(qtbot, beside)
    beside.desk.search.select_next(-1)
    settle(qtbot, beside)
    assert right.view.pan == left.view.pan
    right.zoom_by(0.5)
    assert left.scale == pytest.approx(fitted(left) * left.view.device_ratio)


def fitted(viewport: ViewportState) -> float:
    assert viewport.shape is not None
    return min(viewport.view.width / viewport.shape.columns, viewport.view.height / viewport.shape.rows)


def test_search_and_report_stay_with_the_study_while_the_case_is_active(qtbot: QtBot, beside: App) -> None:
    left, right = cells(beside)
    desk = beside.desk
    assert left.study is not None
    desk.layout.activate(right)
    assert desk.layout.of_study is left
    assert desk.report.page is not None
    assert desk.report.page.study == left.study.uid
    assert desk.search._viewport.picture is left.picture
    desk.layout.activate(left)


def test_nothing_can_be_measured_or_marked_on_it(qtbot: QtBot, beside: App) -> None:
    _, right = cells(beside)
    desk = beside.desk
    desk.layout.activate(right)
    view = beside.window.grid.view_of(right)
    beside.actions.actions["tool_length"].trigger()
    for press in (qtbot.mousePress, qtbot.mouseRelease):
        press(view, Qt.MouseButton.LeftButton, pos=view.rect().center())
    assert desk.measurements.of_study() == ()
    assert desk.measurements.draft is None
    assert not desk.key_images.can_mark()
    assert desk.mpr.why_not()
    assert right.series is not None
    origin = archived_origin(right.series.frames[0])
    assert origin is not None
    with pytest.raises(UserError, match="open the original study"), origin.open():
        pass


def test_a_smaller_layout_keeps_the_current_image(beside: App) -> None:
    left, right = cells(beside)
    beside.desk.layout.activate(right)
    beside.desk.set_grid(1, 1)
    assert beside.desk.viewport is left
    assert beside.desk.comparison.viewport is None


def test_a_series_shown_in_its_viewport_ends_the_comparison(qtbot: QtBot, beside: App) -> None:
    left, right = cells(beside)
    assert left.study is not None
    assert left.series is not None
    beside.desk.layout.activate(right)
    right.show(left.study, left.series)
    assert beside.desk.comparison.viewport is None
    assert beside.desk.layout.of_study is right


def test_a_hit_dropped_on_the_current_image_is_shown_beside_it(qtbot: QtBot, found: App) -> None:
    open_paths(qtbot, found, dicom("CT_small.dcm"))
    panel, view = found.window.search_panel, found.window.viewport
    data = panel.hits.model().mimeData([panel.hits.model().index(0, 0, QModelIndex())])
    drop(view, data)
    settle(qtbot, found)
    left, right = cells(found)
    assert not is_archived(left.series)
    assert is_archived(right.series)


def drop(view: object, data: QMimeData) -> None:
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    view.dropEvent(event)  # type: ignore[attr-defined]


def test_it_closes_with_its_archive(qtbot: QtBot, beside: App, tmp_path: object) -> None:
    beside.desk.archive.create(tmp_path / "other")  # type: ignore[operator]
    settle(qtbot, beside)
    assert beside.desk.comparison.viewport is None
    assert len(beside.desk.layout.viewports) == 1


def test_without_a_study_the_case_still_leaves_room_for_one(qtbot: QtBot, found: App) -> None:
    found.desk.comparison.start()
    settle(qtbot, found)
    left, right = cells(found)
    assert left.series is None
    assert is_archived(right.series)


def test_the_layout_that_is_remembered_is_that_without_the_case(beside: App) -> None:
    assert beside.desk.settings.now.grid == (1, 1)


def test_its_report_is_below_the_images_for_as_long_as_it_is_shown(qtbot: QtBot, beside: App) -> None:
    below = beside.window.compared_report
    assert below.isVisible()
    assert below.text.toPlainText() == "Large left effusion."
    assert below.about.text() == "Archived case 1, CR, F, 61 y"
    assert below.about.toolTip() == "Source: example.org; CC BY"
    assert not below.original.isVisible()
    beside.desk.search.select_next(1)
    settle(qtbot, beside)
    assert below.text.toPlainText() == "Normal."
    below.close_case.click()
    assert not below.isVisible()


def test_a_report_below_a_sentence_of_a_draft_opens_its_case(qtbot: QtBot, found: App) -> None:
    open_paths(qtbot, found, dicom("CT_small.dcm"))
    tree = found.window.report_panel.tree
    for about in (Evidence(1, "Effusion.", 0.9), Contradiction(2, "No effusion.", "negation")):
        row = QTreeWidgetItem(["a report"])
        row.setData(0, ROLE, about)
        tree._filling = True
        tree.addTopLevelItem(row)
        tree.setCurrentItem(row)
        tree._filling = False
        tree.setFocus()
        qtbot.keyClick(tree, Qt.Key.Key_Return)
        settle(qtbot, found)
        assert found.desk.comparison.case_id == about.case_id
    tree.itemDoubleClicked.emit(tree.topLevelItem(0), 0)
    settle(qtbot, found)
    assert found.window.compared_report.text.toPlainText() == "Large left effusion."


def test_the_original_study_opens_if_its_path_was_kept(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    copy = folder / "CT_small.dcm"
    copy.write_bytes(dicom("CT_small.dcm").read_bytes())
    with Archive.create(tmp_path / "archive", "tests") as archive:
        for key in ("linked", "gone", "unknown"):
            image = NewImage(np.full((30, 40), 60, np.uint8), VECTOR)
            archive.add_case(NewCase(key, "CT", images=(image,)))
        with closing(SourceLinks(archive.folder)) as links:
            links.remember(1, str(copy))
            links.remember(2, str(folder / "gone.dcm"))
        assert archive.source(3) is None
    desk = app.desk
    desk.archive.open(tmp_path / "archive")
    settle(qtbot, app)
    for case_id, known in ((2, False), (3, False), (1, True)):
        desk.comparison.show_case(case_id)
        settle(qtbot, app)
        assert app.window.compared_report.original.isVisible() == known
    app.window.compared_report.original.click()
    settle(qtbot, app)
    assert [study.series[0].modality for study in desk.studies.studies] == ["CT"]
    assert not is_archived(desk.viewport.series)


def test_what_is_opened_for_a_kept_path(tmp_path: Path) -> None:
    file = tmp_path / "a.dcm"
    file.touch()
    assert original_of(None, "CT") is None
    assert original_of(str(file), "CT") == tmp_path  # the whole stack
    assert original_of(str(file), "CR") == file
    assert original_of(f"{file} > member.dcm", "CT") == file
    assert original_of("x" * 5000, "CT") is None
