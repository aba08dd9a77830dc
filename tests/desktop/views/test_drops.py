"""While something is dragged over the window or a viewport, the place where it can be dropped is marked."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.studies.studies import identify
from desktop.views.viewer.viewport import SERIES
from tests.desktop.conftest import dicom, open_paths, settle

COPY, LEFT, NONE = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
AT = QPoint(40, 40)


def files(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def enter(target: QWidget, data: QMimeData) -> bool:
    event = QDragEnterEvent(AT, COPY, data, LEFT, NONE)
    QApplication.sendEvent(target, event)
    return event.isAccepted()


def test_files_over_the_window_mark_it_until_they_leave_or_are_dropped(qtbot: QtBot, app: App) -> None:
    target, data = app.window.drop_target, files(dicom("CT_small.dcm"))
    assert target.isHidden()
    assert enter(app.window, data)
    assert target.isVisible()
    assert target.geometry() == app.window.rect()
    QApplication.sendEvent(app.window, QDragLeaveEvent())
    assert target.isHidden()
    enter(app.window, data)
    QApplication.sendEvent(app.window, QDropEvent(AT.toPointF(), COPY, data, LEFT, NONE))
    assert target.isHidden()
    settle(qtbot, app)
    assert len(app.desk.studies.studies) == 1


def test_what_cannot_be_opened_marks_nothing(app: App) -> None:
    data = QMimeData()
    data.setText("some words")
    enter(app.window, data)
    assert app.window.drop_target.isHidden()


@pytest.mark.parametrize("leave", [True, False])
def test_a_series_over_a_viewport_marks_that_one(qtbot: QtBot, app: App, leave: bool) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.layout.set_grid(1, 2)
    first, second = app.window.grid.views
    data = QMimeData()
    data.setData(SERIES, identify(app.desk.studies.study, app.desk.studies.series).encode())
    assert enter(second, data)
    assert second.drop_target.isVisible()
    assert first.drop_target.isHidden()
    done = QDragLeaveEvent() if leave else QDropEvent(AT.toPointF(), COPY, data, LEFT, NONE)
    QApplication.sendEvent(second, done)
    assert second.drop_target.isHidden()
    settle(qtbot, app)
    assert (second.state.series is None) == leave


def test_the_detached_viewer_is_a_target_too(app: App) -> None:
    app.window.set_detached(True)
    enter(app.window.detached_viewer, files(dicom("CT_small.dcm")))
    assert app.window.detached_viewer.drop_target.isVisible()
    app.window.set_detached(False)
