"""Which slabs the planes of MPR are: their kind and thickness. Knows no widgets and computes nothing."""

from PySide6.QtCore import QObject, Signal

from desktop.state.mpr.mpr import MprState
from engine.image.slab import NAMES, Slab

THICKNESSES = (2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 75.0, 100.0, 150.0, 200.0)
"""Millimeters, as the keys go through them."""
THINNEST, THICKEST = 1.0, 500.0
"""Millimeters that can be typed."""
KINDS = ("", *NAMES)
"""In the order in which the key goes through them; "" for single planes."""


class SlabState(QObject):
    """The same for all planes. MPR opens with single planes; the thickness of the last slab is kept."""

    changed = Signal()

    def __init__(self, mpr: MprState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._mpr = mpr
        self.slab = Slab("", 10.0)
        mpr.changed.connect(self._reset)

    @property
    def shown(self) -> bool:
        """Whether the planes are slabs."""
        return self._mpr.shown and bool(self.slab.kind)

    def choose(self, kind: str) -> None:
        """Show slabs of a kind, or single planes ("")."""
        self._show(Slab(kind, self.slab.thickness))

    def next_kind(self) -> None:
        """From single planes to MIP, MinIP, mean, and back."""
        self.choose(KINDS[(KINDS.index(self.slab.kind) + 1) % len(KINDS)])

    def set_thickness(self, thickness: float) -> None:
        """In millimeters, within the limits."""
        self._show(Slab(self.slab.kind, min(THICKEST, max(THINNEST, thickness))))

    def thicken(self, steps: int) -> None:
        """Go to the next thickness of the list; negative: to the one before."""
        now = self.slab.thickness
        others = [one for one in THICKNESSES if (one > now if steps > 0 else one < now)]
        if others:
            self.set_thickness(others[0] if steps > 0 else others[-1])

    def _show(self, slab: Slab) -> None:
        if slab != self.slab:
            self.slab = slab
            self._mpr.show_slab(slab)
            self.changed.emit()

    def _reset(self) -> None:
        if not self._mpr.shown and self.slab.kind:
            self.slab = Slab("", self.slab.thickness)
            self.changed.emit()
