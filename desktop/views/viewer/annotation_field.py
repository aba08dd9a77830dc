"""The field on the image in which the text of an annotation is written. Shows an AnnotationTextState."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget
from typing_extensions import override

from desktop.state.measure.annotation_text import AnnotationTextState
from desktop.state.viewer import geometry
from desktop.state.viewer.viewport import ViewportState
from engine.measure.measurements import MAX_TEXT

LETTERS = 28
"""Width of the field."""
STAYS = (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason)
"""Reasons for which the field loses the keyboard and is not finished: another window, a menu of its own."""


class AnnotationField(QLineEdit):
    """Enter, or a click elsewhere, takes the text; Esc leaves it as it was; so does another image."""

    def __init__(
        self, state: AnnotationTextState, view_of: Callable[[ViewportState], QWidget], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._state, self._view_of = state, view_of
        self._viewport: ViewportState | None = None
        """Whose signals are connected."""
        self.setAccessibleName("Text of the annotation")
        self.setPlaceholderText("Text")
        self.setMaxLength(MAX_TEXT)
        self.hide()
        state.changed.connect(self._follow)

    def _follow(self) -> None:
        """Open over the annotation, or close and give the keyboard back to the image."""
        before, item, viewport = self._viewport, self._state.item, self._state.viewport
        if before is not None:
            before.view_changed.disconnect(self._move)
            before.picture_changed.disconnect(self._leave_other_image)
        self._viewport = viewport
        if item is None or viewport is None:
            had_focus = self.hasFocus()
            self.hide()
            if had_focus and before is not None:
                self._view_of(before).setFocus()
            return
        viewport.view_changed.connect(self._move)
        viewport.picture_changed.connect(self._leave_other_image)
        self.setParent(self._view_of(viewport))
        self.setText(item.text)
        self.selectAll()
        self._move()
        self.show()
        self.setFocus()

    def _move(self) -> None:
        """Beside the last point of the annotation, within the viewport."""
        item, viewport = self._state.item, self._state.viewport
        if item is None or viewport is None or viewport.shape is None:
            return
        x, y = geometry.to_screen(viewport.view, viewport.shape, item.points[-1])
        width, height = (
            min(LETTERS * self.fontMetrics().averageCharWidth(), viewport.view.width),
            self.sizeHint().height(),
        )
        left = max(0.0, min(x, viewport.view.width - width))
        top = max(0.0, min(y - height / 2, viewport.view.height - height))
        self.setGeometry(round(left), round(top), round(width), height)

    def _leave_other_image(self) -> None:
        item, viewport = self._state.item, self._state.viewport
        picture = viewport.picture if viewport is not None else None
        if item is not None and (picture is None or not item.belongs_to(picture.ref)):
            self._state.finish(self.text())

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._state.finish(self.text())
        elif event.key() == Qt.Key.Key_Escape:
            self._state.cancel()
        else:
            super().keyPressEvent(event)

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() not in STAYS and self._state.item is not None:
            self._state.finish(self.text())
