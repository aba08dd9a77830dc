"""Tooltips that name the key of a command, and follow it when the user changes it. Knows no command."""

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from desktop.state.shortcuts import ShortcutsState


class _Tip(QObject):
    """Belongs to its widget and ends with it."""

    def __init__(self, widget: QWidget, shortcuts: ShortcutsState) -> None:
        super().__init__(widget)
        self._widget, self._shortcuts = widget, shortcuts
        self.template = ""
        shortcuts.changed.connect(self.show)

    def show(self) -> None:
        self._widget.setToolTip(self._shortcuts.fill(self.template))


def set_tip(widget: QWidget, shortcuts: ShortcutsState, template: str) -> None:
    """Set a tooltip in which "{name}" stands for the key of a command."""
    tip = next((child for child in widget.children() if isinstance(child, _Tip)), None) or _Tip(widget, shortcuts)
    tip.template = template
    tip.show()
