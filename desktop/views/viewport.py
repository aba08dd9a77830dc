"""Paints a ViewportState and turns gestures into its calls. Decodes nothing and decides nothing."""

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop import theme
from desktop.state import geometry
from desktop.state.annotations import Annotations, annotate
from desktop.state.picture import Image
from desktop.state.viewport import ViewportState

MARGIN = 12
SCROLL_PIXELS = 8
"""Drag distance of one frame with the scroll tool."""
CURSORS = {
    "window": Qt.CursorShape.CrossCursor,
    "pan": Qt.CursorShape.OpenHandCursor,
    "zoom": Qt.CursorShape.SizeVerCursor,
    "scroll": Qt.CursorShape.SplitVCursor,
}


def to_qimage(image: Image) -> QImage:
    """Show uint8 [H, W] or [H, W, 3] without a copy: the array must outlive the QImage."""
    height, width = image.shape[:2]
    kind = QImage.Format.Format_RGB888 if image.ndim == 3 else QImage.Format.Format_Grayscale8
    return QImage(image.data, width, height, image.strides[0], kind)


class ViewportView(QWidget):
    """One picture with corner texts. Left drag: chosen tool; right drag: window; middle drag: pan; wheel: scroll."""

    activated = Signal()

    def __init__(self, state: ViewportState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._last: QPointF | None = None
        self._drag_tool = ""
        self._carry = 0.0
        self._wheel = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 160)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Image")
        for signal in (state.picture_changed, state.view_changed, state.identity_changed, state.series_changed):
            signal.connect(self.update)
        state.picture_changed.connect(self._describe)
        state.tool_changed.connect(self._take_tool)
        self._take_tool()

    # -- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.VIEWER))
        state = self._state
        if state.series is None:
            self._write_centre(painter, "Open a study", "Drop files, folders or a zip here, or press Ctrl+O.")
        elif state.picture is not None:
            self._paint_picture(painter)
        elif state.failure:
            self._write_centre(painter, "This image cannot be shown", state.failure)
        else:
            self._write_centre(painter, "Loading …", "")
        if state.series is not None:
            self._paint_annotations(painter, annotate(state))
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.ACCENT), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.end()

    def _paint_picture(self, painter: QPainter) -> None:
        picture, shape = self._state.picture, self._state.shape
        if picture is None or shape is None:
            return
        target = QRectF(*geometry.rectangle(self._state.view, shape))
        needed = target.width() * self._state.view.device_ratio
        level = picture.levels[0]
        for smaller in picture.levels[1:]:
            if smaller.shape[1] >= needed:
                level = smaller
        source = to_qimage(level)
        smooth = target.width() / shape.columns < 8  # far zoomed in, single pixels are what one wants to see
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(target, source)

    def _paint_annotations(self, painter: QPainter, notes: Annotations) -> None:
        metrics = QFontMetricsF(self.font())
        area = QRectF(self.rect()).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        column = area.width() / 2 - MARGIN
        for lines, right, bottom in (
            (notes.top_left, False, False),
            (notes.top_right, True, False),
            (notes.bottom_left, False, True),
            (notes.bottom_right, True, True),
        ):
            for row, line in enumerate(reversed(lines) if bottom else lines):
                offset = row * metrics.lineSpacing()
                top = area.bottom() - metrics.lineSpacing() - offset if bottom else area.top() + offset
                place = QRectF(area.right() - column if right else area.left(), top, column, metrics.lineSpacing())
                text = metrics.elidedText(line, Qt.TextElideMode.ElideRight, column)
                side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
                self._write(painter, place, side | Qt.AlignmentFlag.AlignVCenter, text, theme.TEXT)
        if notes.edges:
            left, top_letter, right_letter, bottom_letter = notes.edges
            centre, height = area.center(), metrics.lineSpacing()
            for place, text in (
                (QRectF(area.left(), centre.y() - height / 2, 80, height), left),
                (QRectF(area.right() - 80, centre.y() - height / 2, 80, height), right_letter),
                (QRectF(centre.x() - 40, area.top(), 80, height), top_letter),
                (QRectF(centre.x() - 40, area.bottom() - height, 80, height), bottom_letter),
            ):
                side = Qt.AlignmentFlag.AlignHCenter
                if place.left() == area.left():
                    side = Qt.AlignmentFlag.AlignLeft
                elif place.right() == area.right():
                    side = Qt.AlignmentFlag.AlignRight
                self._write(painter, place, side | Qt.AlignmentFlag.AlignVCenter, text, theme.AMBER)

    def _write(self, painter: QPainter, place: QRectF, side: Qt.AlignmentFlag, text: str, color: str) -> None:
        """Text with a dark rim, to be read on bright bone as well."""
        metrics = QFontMetricsF(painter.font())
        left = place.left()
        if side & Qt.AlignmentFlag.AlignRight:
            left = place.right() - metrics.horizontalAdvance(text)
        elif side & Qt.AlignmentFlag.AlignHCenter:
            left = place.center().x() - metrics.horizontalAdvance(text) / 2
        path = QPainterPath()
        path.addText(left, place.center().y() + (metrics.ascent() - metrics.descent()) / 2, painter.font(), text)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rim = QPen(QColor(0, 0, 0, 210), 3)
        rim.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.strokePath(path, rim)
        painter.fillPath(path, QColor(color))

    def _write_centre(self, painter: QPainter, title: str, text: str) -> None:
        area = QRectF(self.rect()).adjusted(4 * MARGIN, 0, -4 * MARGIN, 0)
        font = painter.font()
        metrics = QFontMetricsF(font)
        large = painter.font()
        large.setPointSizeF(font.pointSizeF() * 1.4)
        painter.setFont(large)
        painter.setPen(QColor(theme.TEXT))
        painter.drawText(area.translated(0, -metrics.lineSpacing()), Qt.AlignmentFlag.AlignCenter, title)
        painter.setFont(font)
        painter.setPen(QColor(theme.MUTED))
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        painter.drawText(area.adjusted(0, area.height() / 2 + metrics.lineSpacing() / 2, 0, 0), flags, text)

    def _describe(self) -> None:
        notes = annotate(self._state)
        self.setAccessibleDescription(". ".join((*notes.top_right, *notes.bottom_left, *notes.bottom_right)))

    # -- gestures

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._state.resize(self.width(), self.height(), self.devicePixelRatioF())

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._wheel += event.angleDelta().y()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            place = event.position()
            self._state.zoom_by(1.0015**self._wheel, (place.x(), place.y()))
            self._wheel = 0
        else:
            steps = int(self._wheel / 120)
            self._wheel -= steps * 120
            self._state.scroll(-steps)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        tools = {
            Qt.MouseButton.LeftButton: self._state.tool,
            Qt.MouseButton.RightButton: "window",
            Qt.MouseButton.MiddleButton: "pan",
        }
        self._drag_tool = tools.get(event.button(), "")
        self._last, self._carry = event.position(), 0.0
        if self._drag_tool:
            self.setCursor(CURSORS[self._drag_tool])
        self.activated.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._last is None or not self._drag_tool:
            return
        moved = event.position() - self._last
        self._last = event.position()
        if self._drag_tool == "scroll":
            self._carry += moved.y() / SCROLL_PIXELS
            steps = int(self._carry)
            self._carry -= steps
            self._state.scroll(steps)
        else:
            self._state.use_tool(self._drag_tool, moved.x(), moved.y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._last, self._drag_tool = None, ""
        self._take_tool()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._state.fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()  # the keys of a viewport are commands: see actions.py

    def _take_tool(self) -> None:
        self.setCursor(CURSORS[self._state.tool])
