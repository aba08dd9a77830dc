"""Which annotation is having its text written, and what becomes of it. Knows no widgets; the field is a view's."""

from PySide6.QtCore import QObject, Signal

from desktop.state.measure.measurements import MeasurementsState
from desktop.state.viewer.layout import LayoutState
from desktop.state.viewer.viewport import ViewportState
from engine.measure.measurements import Measurement


class AnnotationTextState(QObject):
    """One annotation at a time. A new text is added when it is finished; one that is emptied is deleted."""

    changed = Signal()
    """Writing began or ended."""

    def __init__(self, measurements: MeasurementsState, layout: LayoutState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._measurements, self._layout = measurements, layout
        self.item: Measurement | None = None
        """The annotation as it was before; None while none is being written."""
        self.viewport: ViewportState | None = None
        """Where it is."""

    def begin(self, item: Measurement, viewport: ViewportState) -> None:
        """Have the text of an annotation written, a new one or one that is stored."""
        self.item, self.viewport = item, viewport
        self._measurements.set_draft(item.with_text(""))  # the field is in place of the text
        self.changed.emit()

    def can_begin(self) -> bool:
        """Whether the selected measurement is an annotation on the frame of the active viewport."""
        return self._selected() is not None

    def begin_selected(self) -> None:
        """Have the text of the selected annotation written."""
        item = self._selected()
        if item is not None:
            self.begin(item, self._layout.active)

    def finish(self, text: str) -> None:
        """Take the text. Nothing changes when it is the one of before."""
        item, viewport = self.item, self.viewport
        self.cancel()
        if item is None:
            return
        written, stored = item.with_text(text), self._measurements.is_stored(item)
        if item.figure.needs_text and not written.text:
            if stored:
                self._measurements.delete(item.id)
        elif stored:
            self._measurements.replace(written)
        else:
            self._measurements.add(written, viewport)

    def cancel(self) -> None:
        """Leave the annotation as it was; a new one is dropped."""
        if self.item is not None:
            self.item = self.viewport = None
            self._measurements.set_draft(None)
            self.changed.emit()

    def _selected(self) -> Measurement | None:
        shown = self._measurements.on(self._layout.active)
        return next((one for one in shown if one.id == self._measurements.selected and one.figure.annotation), None)
