"""The keys of the pointer that moves over an image: arrows, with Shift for single pixels, and Enter."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent

from desktop.state.viewer.key_pointer import FINE, STEP, KeyPointer
from desktop.state.viewer.viewport import ViewportState

ARROWS = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Up: (0.0, -1.0),
    Qt.Key.Key_Down: (0.0, 1.0),
}
"""Right and down."""
SHIFT, KEYPAD = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.KeypadModifier


class PointerKeys:
    """The keys in one viewport."""

    def __init__(self, pointer: KeyPointer, viewport: ViewportState) -> None:
        self._pointer, self._viewport = pointer, viewport

    @property
    def here(self) -> bool:
        """Whether the pointer is in this viewport."""
        return self._pointer.viewport is self._viewport

    def take(self, event: QEvent) -> bool:
        """Whether a key belongs to the pointer and not to a command; a key press moves it, or presses the button.

        Commands are asked first about Enter, since users may give it to one; not about arrows, which scroll the stack.
        """
        if not isinstance(event, QKeyEvent) or event.modifiers() & ~(SHIFT | KEYPAD):
            return False
        asked, fine = event.type() == QEvent.Type.ShortcutOverride, bool(event.modifiers() & SHIFT)
        direction = ARROWS.get(Qt.Key(event.key())) if self.here else None
        if direction is not None and not asked:
            step = FINE if fine else STEP
            self._pointer.move(direction[0] * step, direction[1] * step)
        enters = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not fine and not asked
        if enters and not event.isAutoRepeat():
            self._pointer.enter()
        return direction is not None or enters
