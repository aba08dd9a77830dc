"""Paints a ViewportState and turns gestures into calls of tools. Decodes nothing and decides nothing."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
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

from desktop import theme
from desktop.state.viewer import geometry
from desktop.state.viewer.annotations import annotate
from desktop.state.viewer.tools import Gesture, Tool, ToolsState
from desktop.state.viewer.viewport import ViewportState
from desktop.views.painting.canvas import Canvas, Painter, canvas_of
from desktop.views.painting.images import to_qimage
from desktop.views.painting.overlay_text import MARGIN, Line, corner_lines, edge_lines, write

SERIES = "application/x-kindred-series"
"""What a series carries while it is dragged: its id, in UTF-8."""
PIXELS_FROM = 8
"""Logical pixels of an image pixel from which single pixels are what one wants to see."""
CURSORS = {
    "arrow": Qt.CursorShape.ArrowCursor,
    "cross": Qt.CursorShape.CrossCursor,
    "hand": Qt.CursorShape.OpenHandCursor,
    "up-down": Qt.CursorShape.SizeVerCursor,
    "split": Qt.CursorShape.SplitVCursor,
}
BUTTONS = {Qt.MouseButton.RightButton: "window", Qt.MouseButton.MiddleButton: "pan"}
"""What a button does whichever tool is chosen; the left one is the chosen tool's."""


def paint_picture(painter: QPainter, canvas: Canvas, painters: Sequence[Painter] = ()) -> None:
    """The picture of a viewport at its place, and what painters put over it."""
    picture = canvas.state.picture
    assert picture is not None
    columns, rows = geometry.screen_pixels(canvas.view, canvas.shape)
    scale = columns / canvas.shape.columns / canvas.view.device_ratio
    level = picture.levels[0]
    for smaller in picture.levels[1:]:
        if smaller.shape[1] >= columns and smaller.shape[0] >= rows:
            level = smaller
    reduced = QTransform.fromScale(canvas.shape.columns / level.shape[1], canvas.shape.rows / level.shape[0])
    transform = reduced * canvas.transform
    seen = transform.inverted()[0].mapRect(QRectF(0, 0, canvas.view.width, canvas.view.height))
    part = seen.toAlignedRect().adjusted(-2, -2, 2, 2) & QRect(0, 0, level.shape[1], level.shape[0])
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
    """One picture with corner texts. Left drag: chosen tool; right drag: window; middle drag: pan; wheel: scroll."""

    activated = Signal(object)
    """Its state: the user turned to this viewport."""
    double_clicked = Signal()
    series_dropped = Signal(object, str)
    """Its state, and the id of a series."""

    def __init__(
        self, state: ViewportState, tools: ToolsState, painters: Sequence[Painter] = (), parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.state, self._tools, self._painters = state, tools, painters
        self.active = self.framed = False
        self._last: QPointF | None = None
        self._hovered: QPointF | None = None
        """Where the mouse is; None outside."""
        self._drag: Tool | None = None
        self._button = Qt.MouseButton.NoButton
        """Which one began the drag."""
        self._wheel = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 100)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAcceptDrops(True)
        self.setMouseTracking(True)
        self.setAccessibleName("Image")
        for signal in (state.picture_changed, state.view_changed, state.overlay_changed, state.series_changed):
            signal.connect(self.update)
        for signal in (state.picture_changed, state.view_changed):
            signal.connect(self._point)
        state.mouse_point_changed.connect(self._paint_pointed)
        tools.changed.connect(self._take_tool)
        self._take_tool()

    def set_active(self, active: bool, framed: bool) -> None:
        """`framed`: there are others, so that it must be seen which one is active."""
        self.active, self.framed = active, framed
        self.update()

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:  # ended also after a failure, or Qt ends the process
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        painter.fillRect(self.rect(), QColor(theme.VIEWER))
        state, area = self.state, QRectF(self.rect()).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        words: list[Line] = []
        if state.series is not None:
            notes, metrics = annotate(state), QFontMetricsF(painter.font())
            words = corner_lines(area, notes, metrics) if state.overlay_text_visible else []
            words += edge_lines(area, notes, metrics)
            self.setAccessibleDescription(". ".join((*notes.top_right, *notes.bottom_left, *notes.bottom_right)))
        canvas = canvas_of(state, self.active, (line.place for line in words))
        if state.series is None:
            self._write_centre(painter, *self._invitation())
        elif canvas is not None:
            paint_picture(painter, canvas, self._painters)
        elif state.failure:
            self._write_centre(painter, "This image cannot be shown", state.failure_text)
        else:
            self._write_centre(painter, "Loading …", "")
        for line in words:
            write(painter, line)
        self._paint_frame(painter)

    def _paint_pointed(self) -> None:
        """A picture that is on its way brings the value below the mouse with it: a window drag paints once a move."""
        if not self.state.loading:
            self.update()

    def _invitation(self) -> tuple[str, str]:
        if self.framed:
            return "Empty", "Drag a series here, or choose one in the list."
        return "Open a study", "Drop files, folders or a zip here, or press Ctrl+O."

    def _paint_frame(self, painter: QPainter) -> None:
        """Thick around the active one of several; thin while it has the keyboard; a faint line between the others."""
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

    def _write_centre(self, painter: QPainter, title: str, text: str) -> None:
        area = QRectF(self.rect()).adjusted(2 * MARGIN, 0, -2 * MARGIN, 0)
        font = painter.font()
        metrics = QFontMetricsF(font)
        large = painter.font()
        large.setPointSizeF(font.pointSizeF() * 1.4)
        painter.setFont(large)
        painter.setPen(QColor(theme.ON_IMAGE))
        painter.drawText(area.translated(0, -metrics.lineSpacing()), Qt.AlignmentFlag.AlignCenter, title)
        painter.setFont(font)
        painter.setPen(QColor(theme.ON_IMAGE_MUTED))
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        painter.drawText(area.adjusted(0, area.height() / 2 + metrics.lineSpacing() / 2, 0, 0), flags, text)

    # -- gestures

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit_screen()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:  # the window went to a screen of another scale
            self._fit_screen()
        return super().event(event)

    def _fit_screen(self) -> None:
        self.state.resize(self.width(), self.height(), self.devicePixelRatioF())

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._wheel += event.angleDelta().y()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            place = event.position()
            self.state.zoom_by(1.0015**self._wheel, (place.x(), place.y()))
            self._wheel = 0
        else:
            steps = int(self._wheel / 120)
            self._wheel -= steps * 120
            self.state.scroll(-steps)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None:
            return  # one drag at a time: the button that began it ends it
        self.activated.emit(self.state)
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag = self._tools.tool_for(self._gesture(event))
        elif event.button() in BUTTONS:
            self._drag = self._tools[BUTTONS[event.button()]]
        else:
            return
        self._button, self._last = event.button(), event.position()
        self.setCursor(CURSORS[self._drag.cursor])
        self._drag.press(self._gesture(event))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hovered = event.position()
        if self._drag is not None and not event.buttons() & self._button:
            self._drag.cancel()  # its release went elsewhere: to a dialog that opened meanwhile
            self._end_drag()
        gesture = self._gesture(event)
        if self._drag is None:
            self._tools[self._tools.chosen].hover(gesture)
        else:
            self._last = event.position()
            self._drag.move(gesture)
        self._point()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None and event.button() != self._button:
            return
        if self._drag is not None:
            self._drag.release(self._gesture(event))
        self._end_drag()

    def _end_drag(self) -> None:
        self._last = self._drag = None
        self._take_tool()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hovered = None
        self._point()

    def _point(self) -> None:
        """What lies under the mouse, which may rest while the image moves."""
        place = self._hovered
        self.state.set_mouse_point(self.state.to_image((place.x(), place.y())) if place is not None else None)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if not self._tools[self._tools.chosen].double_click(self._gesture(event)):
            self.double_clicked.emit()

    def _gesture(self, event: QMouseEvent) -> Gesture:
        place = (event.position().x(), event.position().y())
        moved = event.position() - (self._last or event.position())
        keys = event.modifiers()
        return Gesture(
            self.state,
            place,
            self.state.to_image(place),
            (moved.x(), moved.y()),
            bool(keys & Qt.KeyboardModifier.ShiftModifier),
            bool(keys & Qt.KeyboardModifier.ControlModifier),
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()  # the keys of a viewport are commands: see commands/

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.activated.emit(self.state)

    def _take_tool(self) -> None:
        self.setCursor(CURSORS[self._tools[self._tools.chosen].cursor])

    # -- a series dragged from the list

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasFormat(SERIES):
            event.acceptProposedAction()
        else:
            event.ignore()  # files are the window's

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.series_dropped.emit(self.state, bytes(event.mimeData().data(SERIES).data()).decode("utf-8"))
