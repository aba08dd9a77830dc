"""Loads an evenly spaced stack of frames as one volume in patient coordinates. Knows no planes and no screen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import Cancelled, UserError
from engine.geometry.planes import COSINE_TOLERANCE, MIN_SLICE_STEP, normal
from engine.geometry.spacing import same_spacing
from engine.image.pixels import Pixels
from engine.progress import IsCancelled, Progress
from engine.study import FrameRef, Series, Vector
from engine.text.words import counted

MIN_SLICES = 3
NO_STACK = f"MPR needs a stack of at least {MIN_SLICES} slices, such as CT or MR; open one first."
MAX_BYTES = 4 << 30
"""Larger volumes are refused."""


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """Modality values of a stack; slices are in the order of the frames of the series."""

    series: Series
    values: NDArray[Any]
    """Modality values [slice, row, column]: int16 when all are integers that fit, else float32."""
    origin: Vector
    """Patient coordinates (mm, LPS) of the center of the first voxel."""
    axes: tuple[Vector, Vector, Vector]
    """Unit vectors in patient coordinates from slice to slice, from row to row, from column to column."""
    steps: tuple[float, float, float]
    """Millimeters between voxels along `axes`."""
    template: Pixels
    """The middle frame, which gives unit, windows and polarity."""
    masked: NDArray[np.bool_] | None = None
    """bool [slice, row, column]: padding (see `Pixels.padding`); None without any."""

    @property
    def nbytes(self) -> int:
        """Memory of the volume in bytes."""
        return self.values.nbytes + (0 if self.masked is None else self.masked.nbytes)


def why_no_volume(frames: Sequence[FrameRef]) -> str:
    """Why MPR of a stack is impossible or would be distorted, in one sentence; "" when neither is the case.

    The frames must share orientation, size and pixel spacing, be evenly spaced (within 1 %, at least 0.01 mm), and lie
    straight behind each other: gantry tilt shears the stack.
    """
    if len(frames) < MIN_SLICES:
        return NO_STACK
    first = frames[0]
    if any(frame.position is None or frame.orientation is None or frame.spacing is None for frame in frames):
        return "MPR needs position, orientation and pixel spacing, which these images do not have."
    if any(frame.spacing_source != "pixel" for frame in frames):
        return "MPR needs the pixel spacing in the patient; these images give it at the detector only."
    directions = np.array([frame.orientation for frame in frames], float)
    if np.abs(directions - directions[0]).max() > COSINE_TOLERANCE:
        return "These slices are not parallel; MPR needs parallel slices."
    if any((frame.image.rows, frame.image.columns) != (first.image.rows, first.image.columns) for frame in frames):
        return "These slices differ in size; MPR needs slices of one size."
    assert first.spacing is not None
    if not all(frame.spacing is not None and same_spacing(frame.spacing, first.spacing) for frame in frames):
        return "These slices differ in pixel spacing; MPR needs one spacing."
    return _why_uneven(frames)


def _why_uneven(frames: Sequence[FrameRef]) -> str:
    """Why the positions of frames with one orientation do not form an even grid; "" when they do."""
    orientation, spacing = frames[0].orientation, frames[0].spacing
    assert orientation is not None
    assert spacing is not None
    direction = np.array(normal(orientation))
    positions = np.array([frame.position for frame in frames], float)
    offsets = positions - positions[0]
    depths = offsets @ direction
    steps = np.diff(depths)
    sizes = np.abs(steps)
    if sizes.min() < MIN_SLICE_STEP:
        return "Several slices share the same position (such as phases or echoes); MPR needs one slice per position."
    usual = float(np.median(steps))
    tolerance = max(0.01, 0.01 * abs(usual))
    if np.abs(steps - usual).max() > tolerance:
        gaps = steps / usual
        whole = np.abs(gaps - np.round(gaps)) * abs(usual) <= tolerance
        if whole.all() and gaps.min() > 0.5:
            count = int(np.round(gaps - 1).sum())
            missing = f"{counted(count, 'slice')} {'is' if count == 1 else 'are'} missing"
            return f"{missing} from this stack ({abs(usual):g} mm apart); MPR would be distorted."
        spread = f"{sizes.min():.2f} to {sizes.max():.2f} mm apart"
        return f"These slices are unevenly spaced ({spread}); MPR would be distorted."
    drift = np.linalg.norm(offsets - depths[:, None] * direction, axis=1)
    if drift.max() > 0.5 * min(spacing):
        tilt = float(np.degrees(np.arctan2(drift[-1], abs(depths[-1]))))
        return f"The gantry was tilted by {tilt:.0f}°, so the slices are sheared; MPR would be distorted."
    return ""


def load_volume(
    series: Series,
    read: Callable[[FrameRef], Pixels],
    progress: Progress,
    cancelled: IsCancelled,
    max_bytes: int = MAX_BYTES,
) -> Volume:
    """Decode a whole stack.

    Args:
        series: the stack.
        read: decodes one frame.
        progress: called before each slice.
        cancelled: asked before each slice.
        max_bytes: limit of the volume, which must also fit half of the free memory.

    Raises:
        UserError: MPR is not possible (`why_no_volume`), a frame cannot be read, or there is too little memory.
        Cancelled: `cancelled` returned true.
    """
    why = why_no_volume(series.frames)
    if why:
        raise UserError(why)
    frames = series.frames
    _refuse_too_large(len(frames) * frames[0].image.rows * frames[0].image.columns * 2, max_bytes)
    template = read(frames[len(frames) // 2])
    if template.is_color:
        raise UserError("MPR is available for grayscale images only; these are in color.")
    values, masked = _read_slices(frames, read, progress, cancelled, max_bytes)
    origin, axes, steps = _geometry(frames)
    return Volume(series, values, origin, axes, steps, template, masked)


def _read_slices(
    frames: Sequence[FrameRef],
    read: Callable[[FrameRef], Pixels],
    progress: Progress,
    cancelled: IsCancelled,
    max_bytes: int,
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """`Volume.values` and `Volume.masked` of frames of one size."""
    shape = (len(frames), frames[0].image.rows, frames[0].image.columns)
    values: NDArray[Any] = np.empty(shape, np.int16)
    masked: NDArray[np.bool_] | None = None
    for index, frame in enumerate(frames):
        progress(index, shape[0], "Reading slices")
        if cancelled():
            raise Cancelled
        pixels = read(frame)
        decoded, padding = pixels.values, pixels.padding
        if decoded.shape != shape[1:]:
            raise UserError("These slices differ in size; MPR needs slices of one size.")
        if values.dtype == np.int16 and not _fits(decoded):
            _refuse_too_large(values.nbytes * 2, max_bytes)
            values = values.astype(np.float32)
        values[index] = decoded
        if padding is not None:
            if masked is None:
                _refuse_too_large(values.nbytes + values.size, max_bytes)
                masked = np.zeros(shape, np.bool_)
            masked[index] = padding
    return values, masked


def _geometry(frames: Sequence[FrameRef]) -> tuple[Vector, tuple[Vector, Vector, Vector], tuple[float, float, float]]:
    """`Volume.origin`, `Volume.axes` and `Volume.steps` of an even stack."""
    first, last = frames[0], frames[-1]
    assert first.position is not None
    assert last.position is not None
    assert first.orientation is not None
    assert first.spacing is not None
    depth = np.array(normal(first.orientation))
    length = float(np.subtract(last.position, first.position) @ depth)
    depth = depth if length > 0 else -depth
    a, b, c, d, e, f = first.orientation
    axes: tuple[Vector, Vector, Vector] = ((float(depth[0]), float(depth[1]), float(depth[2])), (d, e, f), (a, b, c))
    return first.position, axes, (abs(length) / (len(frames) - 1), first.spacing[0], first.spacing[1])


def _fits(values: NDArray[Any]) -> bool:
    """Whether all values are integers within int16."""
    return bool(values.min() >= -32768 and values.max() <= 32767 and (values == np.rint(values)).all())


def _refuse_too_large(size: int, max_bytes: int) -> None:
    free = free_memory()
    if size > max_bytes or (free is not None and size > free / 2):
        raise UserError(
            f"MPR of this stack needs {size / 2**30:.1f} GB of memory, more than is available now; "
            "close other studies or choose a smaller stack."
        )


def free_memory() -> int | None:
    """Bytes that can be used without swapping; None where the system does not tell (other than Linux)."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) * 1024 if found else None
