"""An even stack of frames as one block of values with its place in the patient. Knows no planes and no screen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import Cancelled, UserError
from engine.geometry.planes import MIN_SLICE_STEP, normal
from engine.image.pixels import Pixels
from engine.progress import IsCancelled, Progress
from engine.study import FrameRef, Series, Vector

FEWEST = 3
MAX_BYTES = 4 << 30
SAME_DIRECTION = 1e-3
"""Direction cosines of one stack may differ by this much: scanners round them."""


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """Values [slice, row, column] of a stack, the first slice being the first frame of its series."""

    series: Series
    values: NDArray[Any]
    """int16 when every value is a whole number that fits, else float32: modality values."""
    origin: Vector
    """Patient coordinates (mm) of the centre of the first value."""
    axes: tuple[Vector, Vector, Vector]
    """Unit vectors in the patient from slice to slice, from row to row, from column to column."""
    steps: tuple[float, float, float]
    """Millimetres along them."""
    look: Pixels
    """The middle frame: unit, windows and polarity of all."""
    masked: NDArray[np.bool_] | None = None
    """bool as `values`: no part of the image (`Pixels.padding`); None when all of it is."""

    @property
    def nbytes(self) -> int:
        """What the block takes in memory."""
        return self.values.nbytes + (0 if self.masked is None else self.masked.nbytes)


def why_no_volume(frames: Sequence[FrameRef]) -> str:
    """One sentence when no plane can be cut through a stack without inventing data, else "".

    The frames must share directions, size and spacing, follow each other in even steps (within 1 %, at least 0.01 mm),
    and lie straight behind each other: a tilted gantry shears the stack.
    """
    if len(frames) < FEWEST:
        return f"Planes need a stack of at least {FEWEST} slices; choose another series."
    first = frames[0]
    if any(frame.position is None or frame.orientation is None or frame.spacing is None for frame in frames):
        return "These images do not say where they lie in the patient, so no planes can be cut through them."
    if any(frame.spacing_source != "pixel" for frame in frames):
        return "The pixel spacing of these images does not hold inside the patient; no planes can be cut through them."
    directions = np.array([frame.orientation for frame in frames], float)
    if np.abs(directions - directions[0]).max() > SAME_DIRECTION:
        return "These slices are turned against each other; planes need parallel slices."
    if any((frame.image.rows, frame.image.columns) != (first.image.rows, first.image.columns) for frame in frames):
        return "These slices differ in size; planes need slices of one size."
    assert first.spacing is not None
    if any(np.abs(np.subtract(frame.spacing or (0, 0), first.spacing)).max() > 1e-4 for frame in frames):
        return "These slices differ in pixel spacing; planes need one spacing."
    return _why_uneven(frames)


def _why_uneven(frames: Sequence[FrameRef]) -> str:
    orientation, spacing = frames[0].orientation, frames[0].spacing
    assert orientation is not None
    assert spacing is not None
    across = np.array(normal(orientation))
    places = np.array([frame.position for frame in frames], float)
    offsets = places - places[0]
    depths = offsets @ across
    steps = np.diff(depths)
    sizes = np.abs(steps)
    if sizes.min() < MIN_SLICE_STEP:
        return "Several slices lie at the same place (phases or echoes in one stack); planes need one slice a place."
    usual = float(np.median(steps))
    tolerance = max(0.01, 0.01 * abs(usual))
    if np.abs(steps - usual).max() > tolerance:
        gaps = steps / usual
        whole = np.abs(gaps - np.round(gaps)) * abs(usual) <= tolerance
        if whole.all() and gaps.min() > 0.5:
            lost = int(np.round(gaps - 1).sum())
            verb = "slice is" if lost == 1 else "slices are"
            return (
                f"{lost} {verb} missing from this stack ({abs(usual):g} mm apart); planes would close the gap wrongly."
            )
        return (
            f"The slices are unevenly spaced ({sizes.min():.2f} to {sizes.max():.2f} mm apart); "
            "planes through them would be wrong."
        )
    drift = np.linalg.norm(offsets - depths[:, None] * across, axis=1)
    if drift.max() > 0.5 * min(spacing):
        tilt = float(np.degrees(np.arctan2(drift[-1], abs(depths[-1]))))
        return (
            f"The gantry was tilted by {tilt:.0f}°: the slices are shifted against each other, planes would be skewed."
        )
    return ""


def load_volume(
    series: Series,
    read: Callable[[FrameRef], Pixels],
    progress: Progress,
    cancelled: IsCancelled,
    most_bytes: int = MAX_BYTES,
) -> Volume:
    """Decode a whole stack.

    Args:
        read: gives one decoded frame.
        most_bytes: the block must be smaller, and leave half of the free memory alone.

    Raises:
        UserError: no volume can be made (`why_no_volume`), a frame cannot be read, or it would take too much memory.
        Cancelled: `cancelled` said so.
    """
    why = why_no_volume(series.frames)
    if why:
        raise UserError(why)
    first, last = series.frames[0], series.frames[-1]
    shape = (len(series.frames), first.image.rows, first.image.columns)
    _refuse_too_large(int(np.prod(shape)) * 2, most_bytes)
    look = read(series.frames[shape[0] // 2])
    if look.is_color:
        raise UserError("Planes can be cut through gray images only; these are in colour.")
    values: NDArray[Any] = np.empty(shape, np.int16)
    masked: NDArray[np.bool_] | None = None
    for index, frame in enumerate(series.frames):
        progress(index, shape[0], "Reading slices")
        if cancelled():
            raise Cancelled
        pixels = read(frame)
        decoded, padding = pixels.values, pixels.padding
        if decoded.shape != shape[1:]:
            raise UserError("These slices differ in size; planes need slices of one size.")
        if values.dtype == np.int16 and not _fits(decoded):
            _refuse_too_large(values.nbytes * 2, most_bytes)
            values = values.astype(np.float32)
        values[index] = decoded
        if padding is not None:
            if masked is None:
                _refuse_too_large(values.nbytes + values.size, most_bytes)
                masked = np.zeros(shape, np.bool_)
            masked[index] = padding
    assert first.position is not None
    assert last.position is not None
    assert first.orientation is not None
    assert first.spacing is not None
    depth = np.array(normal(first.orientation))
    length = float(np.subtract(last.position, first.position) @ depth)
    depth = depth if length > 0 else -depth
    a, b, c, d, e, f = first.orientation
    axes: tuple[Vector, Vector, Vector] = ((float(depth[0]), float(depth[1]), float(depth[2])), (d, e, f), (a, b, c))
    steps = abs(length) / (shape[0] - 1), first.spacing[0], first.spacing[1]
    return Volume(series, values, first.position, axes, steps, look, masked)


def _fits(values: NDArray[Any]) -> bool:
    """Whole numbers within int16."""
    return bool(values.min() >= -32768 and values.max() <= 32767 and (values == np.rint(values)).all())


def _refuse_too_large(size: int, most: int) -> None:
    free = free_memory()
    if size > most or (free is not None and size > free / 2):
        raise UserError(
            f"The planes of this stack would take {size / 2**30:.1f} GB of memory, more than can be spared now; "
            "close other studies or choose a thinner stack."
        )


def free_memory() -> int | None:
    """Bytes that can be used without swapping, where the system says so (Linux)."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) * 1024 if found else None
