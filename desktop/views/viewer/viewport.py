"""Paints a ViewportState and passes mouse gestures to the tools. Does not decode images or know what tools do."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QFocusEvent,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from desktop import theme
from desktop.state.viewer import geometry
from desktop.state.viewer.annotations import annotate
from desktop.state.viewer.key_pointer import KeyPointer
from desktop.state.viewer.tools import Gesture, Tool, ToolsState
from desktop.state.viewer.viewport import ViewportState
from desktop.views.drops import DropTarget
from desktop.views.painting.canvas import Canvas, Painter, canvas_of
from desktop.views.painting.images import PIXELS_FROM, to_qimage
from desktop.views.painting.overlay_text import MARGIN, TextLine, corner_lines, draw_text, edge_lines
from desktop.views.viewer.pointer_keys import PointerKeys

SERIES = "application/x-kindred-series"
"""MIME type of a dragged series; the data is its id in UTF-8."""
CASE = "application/x-kindred-case"
"""MIME type of a dragged hit; the data is the number of its case."""
CURSORS = {
    "arrow": Qt.CursorShape.ArrowCursor,
    "cross": Qt.CursorShape.CrossCursor,
    "hand": Qt.CursorShape.OpenHandCursor,
    "up-down": Qt.CursorShape.SizeVerCursor,
    "split": Qt.CursorShape.SplitVCursor,
}
CLICK = 4
"""Logical pixels, right and down together: moved less than this, the right button was clicked."""
BUTTONS = {Qt.MouseButton.RightButton: "window", Qt.MouseButton.MiddleButton: "pan"}
"""Tools of the right and middle button; the left button uses the chosen tool."""


def paint_picture(painter: QPainter, canvas: Canvas, painters: Sequence[Painter] = ()) -> None:
    """Draw the picture of a viewport, from the smallest sufficient pyramid level, then run the painters over it."""
    picture = canvas.state.picture
    assert picture is not None
    columns, rows = geometry.screen_pixels(canvas.view, canvas.shape)
    scale = columns / canvas.shape.columns / canvas.view.device_ratio
    level = picture.levels[0]
    for smaller in picture.levels[1:]:
        if smaller.shape[1] >= columns and smaller.shape[0] >= rows:
            level = smaller
    to_full = QTransform.fromScale(canvas.shape.columns / level.shape[1], canvas.shape.rows / level.shape[0])
    transform = to_full * canvas.transform
    visible = transform.inverted()[0].mapRect(QRectF(0, 0, canvas.view.width, canvas.view.height))
    part = visible.toAlignedRect().adjusted(-2, -2, 2, 2) & QRect(0, 0, level.shape[1], level.shape[0])
    if not part.isEmpty():
        part_of = slice(part.top(), part.bottom() + 1), slice(part.left(), part.right() + 1)
        painter.save()
        painter.setTransform(transform, True)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale < PIXELS_FROM)
        painter.drawImage(part.topLeft(), to_qimage(level[part_of], canvas.state.color_map))
        painter.restore()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for paint in painters:
        painter.save()
        try:
            paint(painter, canvas)
        finally:
            painter.restore()


class ViewportView(QWidget):
    """One image with overlay text. Left drag: chosen tool; right drag: window; middle drag: pan; wheel: scroll.

    A right click opens the context menu.

    With Shift the wheel scrolls it without the linked viewports.
    """

    activated = Signal(object)
    """Its state: the user clicked or focused this viewport."""
    double_clicked = Signal()
    series_dropped = Signal(object, str)
    """Its state and the id of the series."""
    case_dropped = Signal(object, int)
    """Its state and the number of the archived case."""
    menu_requested = Signal(object, object)
    """A Gesture and the QPoint of the screen: the right button was clicked, or the menu key pressed."""
    key_released = Signal(int)
    """A Qt.Key: what lasts while a key is held may end."""
    scrolled_alone = Signal(object, int)
    """Its state and the steps: the wheel was turned with Shift, so that linked viewports stay."""

    def __init__(
        self,
        state: ViewportState,
        tools: ToolsState,
        painters: Sequence[Painter] = (),
        parent: QWidget | None = None,
        pointer: KeyPointer | None = None,
    ) -> None:
        super().__init__(parent)
        self._pointer = PointerKeys(pointer, state) if pointer is not None else None
        self.state, self._tools, self._painters = state, tools, painters
        self.active = self.framed = False
        self._last: QPointF | None = None
        self._hovered: QPointF | None = None
        """Mouse position; None outside."""
        self._drag: Tool | None = None
        self._pressed = QPointF()
        self._button = Qt.MouseButton.NoButton
        """The button that started the drag."""
        self._wheel = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(60, 60)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAcceptDrops(True)
        self.drop_target = DropTarget(self)
        self.setMouseTracking(True)
        self.setAccessibleName("Image")
        for signal in (state.picture_changed, state.view_changed, state.overlay_changed, state.series_changed):
            signal.connect(self.update)
        for signal in (state.picture_changed, state.view_changed):
            signal.connect(self._update_mouse_point)
        state.mouse_point_changed.connect(self._paint_pointed)
        tools.changed.connect(self._show_cursor)
        self._show_cursor()

    def set_active(self, active: bool, framed: bool) -> None:
        """Mark it as the active viewport; `framed` draws borders, needed when there are several viewports.

        Tab reaches the active one alone: on its way through the window it must not make another image the current one.
        """
        self.active, self.framed = active, framed
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if active else Qt.FocusPolicy.ClickFocus)
        self.update()

    # -- painting

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:  # ends the painter also after an exception; otherwise Qt aborts the process
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        painter.fillRect(self.rect(), QColor(theme.VIEWER))
        state, area = self.state, QRectF(self.rect()).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        lines: list[TextLine] = []
        if state.series is not None:
            notes, metrics = annotate(state), QFontMetricsF(painter.font())
            lines = corner_lines(area, notes, metrics) if state.overlay_text_visible else []
            lines += edge_lines(area, notes, metrics)
            self.setAccessibleDescription(". ".join((*notes.top_right, *notes.bottom_left, *notes.bottom_right)))
        canvas = canvas_of(state, self.active, (line.rect for line in lines))
        if state.series is None:
            self._write_center(painter, *self._empty_text())
        elif canvas is not None:
            paint_picture(painter, canvas, self._painters)
        elif state.failure:
            self._write_center(painter, "Cannot show this image", state.failure_text)
        else:
            self._write_center(painter, "Loading…", "")
        for line in lines:
            draw_text(painter, line)
        self._paint_frame(painter)

    def _paint_pointed(self) -> None:
        """Repaint the value under the mouse; not while a picture is loading, so that a drag paints once per move."""
        if not self.state.loading:
            self.update()

    def _empty_text(self) -> tuple[str, str]:
        if any(self.state.empty_text):
            return self.state.empty_text
        if self.framed:
            return "Empty", "Drag a series here or select one in the list."
        return "Open a study", "Drop files, folders or a ZIP file here."

    def _paint_frame(self, painter: QPainter) -> None:
        """Among several viewports, a thick border marks the active one; alone, a thin one marks the keyboard focus."""
        width, color = 0.0, theme.ON_IMAGE_ACCENT
        if self.framed:
            width, color = (2.0, color) if self.active else (1.0, theme.ON_IMAGE_LINE)
        elif self.hasFocus():
            width = 1.0
        if width:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setPen(QPen(QColor(color), width))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(width / 2, width / 2, -width / 2, -width / 2))

    def _write_center(self, painter: QPainter, title: str, text: str) -> None:
        area = QRectF(self.rect()).adjusted(2 * MARGIN, 0, -2 * MARGIN, 0)
        font = painter.font()
        metrics = QFontMetricsF(font)
        large = painter.font()
        large.setPointSizeF(font.pointSizeF() * 1.4)
        painter.setFont(large)
        painter.setPen(QColor(theme.ON_IMAGE))
        whole = QRectF(self.rect()).translated(0, -metrics.lineSpacing())
        painter.drawText(whole, Qt.AlignmentFlag.AlignCenter, title)
        painter.setFont(font)
        painter.setPen(QColor(theme.ON_IMAGE_MUTED))
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        below = area.adjusted(0, area.height() / 2 + metrics.lineSpacing() / 2, 0, 0)
        if metrics.boundingRect(below, int(flags), text).height() <= below.height():  # else only the title fits
            painter.drawText(below, flags, text)

    # -- gestures

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit_screen()

    @override
    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:  # the window moved to a screen with another scale factor
            self._fit_screen()
        if event.type() == QEvent.Type.ShortcutOverride and self._pointer is not None and self._pointer.take(event):
            event.accept()
            return True
        return super().event(event)

    def _fit_screen(self) -> None:
        self.state.resize(self.width(), self.height(), self.devicePixelRatioF())

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:
        self._wheel += event.angleDelta().y() or event.angleDelta().x()  # Shift turns the wheel on some systems
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            point = event.position()
            self.state.zoom_by(1.0015**self._wheel, (point.x(), point.y()))
            self._wheel = 0
        else:
            steps = int(self._wheel / 120)
            self._wheel -= steps * 120
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self.scrolled_alone.emit(self.state, -steps)
            else:
                self.state.scroll(-steps)
        event.accept()

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None:
            return  # one drag at a time: the button that started it ends it
        self.activated.emit(self.state)
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag = self._tools.tool_for(self._gesture(event))
        elif event.button() in BUTTONS:
            self._drag = self._tools[BUTTONS[event.button()]]
        else:
            return
        self._button, self._last = event.button(), event.position()
        self._pressed = event.position()
        self.setCursor(CURSORS[self._drag.cursor])
        self._drag.press(self._gesture(event))

    @override
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hovered = event.position()
        if self._drag is not None and not event.buttons() & self._button:
            self._drag.cancel()  # another window got the release, such as a dialog that opened meanwhile
            self._end_drag()
        gesture = self._gesture(event)
        if self._drag is None:
            self._tools[self._tools.chosen].hover(gesture)
        else:
            self._last = event.position()
            self._drag.move(gesture)
        self._update_mouse_point()
        self._tools.moved.emit(gesture)

    @override
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None and event.button() != self._button:
            return
        if self._drag is not None:
            self._drag.release(self._gesture(event))
        clicked = self._drag is not None and (event.position() - self._pressed).manhattanLength() < CLICK
        self._end_drag()
        if clicked and event.button() == Qt.MouseButton.RightButton:
            self.menu_requested.emit(self._gesture(event), event.globalPosition().toPoint())

    @override
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Of the keyboard, for the middle of the image; a press of the right button may become a drag."""
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            middle = self.rect().center()
            point = (float(middle.x()), float(middle.y()))
            self.menu_requested.emit(Gesture(self.state, point, self.state.to_image(point)), self.mapToGlobal(middle))
        event.accept()

    def _end_drag(self) -> None:
        self._last = self._drag = None
        self._show_cursor()

    @override
    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hovered = None
        self._update_mouse_point()

    def _update_mouse_point(self) -> None:
        """Update the point under the mouse; the image may move under a resting mouse."""
        if self._pointer is not None and self._pointer.here and self._hovered is None:
            return  # it follows the pointer of the keyboard
        point = self._hovered
        self.state.set_mouse_point(self.state.to_image((point.x(), point.y())) if point is not None else None)

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        gesture = self._gesture(event)
        if not self._tools.tool_for(gesture).double_click(gesture):
            self.double_clicked.emit()

    def _gesture(self, event: QMouseEvent) -> Gesture:
        point = (event.position().x(), event.position().y())
        moved = event.position() - (self._last or event.position())
        keys = event.modifiers()
        return Gesture(
            self.state,
            point,
            self.state.to_image(point),
            (moved.x(), moved.y()),
            bool(keys & Qt.KeyboardModifier.ShiftModifier),
            bool(keys & Qt.KeyboardModifier.ControlModifier),
        )

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._pointer is None or not self._pointer.take(event):
            event.ignore()  # the other keys of a viewport are commands, see desktop/commands

    @override
    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if not event.isAutoRepeat():
            self.key_released.emit(event.key())
        event.ignore()

    @override
    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._tools.hold_ended.emit()

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.activated.emit(self.state)

    def _show_cursor(self) -> None:
        self.setCursor(CURSORS[self._tools[self._tools.chosen].cursor])

    # -- a series or a hit dragged from its list

    @override
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasFormat(SERIES) or event.mimeData().hasFormat(CASE):
            event.acceptProposedAction()
            self.drop_target.show_over(
                "Compare with this case" if event.mimeData().hasFormat(CASE) else "Show series here"
            )
        else:
            event.ignore()  # files are dropped on the window

    @override
    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.drop_target.hide()

    @override
    def dropEvent(self, event: QDropEvent) -> None:
        self.drop_target.hide()
        event.acceptProposedAction()
        if event.mimeData().hasFormat(CASE):
            self.case_dropped.emit(self.state, int(bytes(event.mimeData().data(CASE).data())))
        else:
            self.series_dropped.emit(self.state, bytes(event.mimeData().data(SERIES).data()).decode("utf-8"))
