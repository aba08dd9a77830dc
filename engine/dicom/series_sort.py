"""Splits a DICOM series into stacks to scroll through and sorts each. Knows no files and no pixels."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise, takewhile
from typing import TypeVar

from engine.dicom.header import Instance
from engine.dicom.natural_order import NaturalKey, natural_key
from engine.geometry.planes import COSINE_TOLERANCE, MIN_SLICE_STEP, position_along_normal
from engine.geometry.spacing import SPACING_TOLERANCE
from engine.study import FrameRef, Series

_Key = tuple[object, ...]
_TOLERANCE = 1e-3
"""Echo times (ms), echo numbers and b-values within this, and within this part of their value, are equal."""


def stacks(instances: Sequence[Instance]) -> tuple[Series, ...]:
    """The stacks of one DICOM series.

    Frames share a stack when frame of reference, orientation, size, spacing, temporal position, echo and b-value agree;
    numbers that differ in their last digits only agree. The times of a single slice are one stack, which can then be
    scrolled and played. Localizers are kept apart, and so is each multi-frame image without frame positions (a cine
    loop), which keeps its frame order. A stack is sorted by position along its normal, in the direction of the instance
    numbers, then by time; without positions by instance number, then by name.

    Args:
        instances: all of one series, in any order; not empty.
    """
    alike = _Alike([frame for instance in instances for frame in instance.frames])
    groups: dict[_Key, dict[float | None, list[FrameRef]]] = defaultdict(lambda: defaultdict(list))
    for instance in instances:
        for frame in instance.frames:
            groups[_stack_key(instance, frame, alike)][frame.temporal].append(frame)
    joined = [group for times in groups.values() for group in _join_times(list(times.values()))]
    parts = [part for group in joined for part in _split_by_acquisition(group)]
    ordered = sorted((_sorted(part) for part in parts), key=lambda frames: _order(_by_number(frames)[0]))
    facts = instances[0].series
    labels = _labels(ordered)
    return tuple(
        Series(
            uid=facts.uid,
            key=facts.uid if index == 0 else f"{facts.uid}#{index + 1}",
            number=facts.number,
            description=facts.description,
            modality=facts.modality,
            body_part=facts.body_part,
            frames=tuple(frames),
            part=labels[index],
            institution=facts.institution,
        )
        for index, frames in enumerate(ordered)
    )


def merged_stack(one: Sequence[FrameRef], other: Sequence[FrameRef]) -> tuple[FrameRef, ...] | None:
    """Two stacks of one DICOM series merged into one and sorted; None when they must stay apart.

    They must when `stacks` would separate them, when one is a cine loop, or when merging would put several frames at
    one position where neither stack has any.

    Args:
        one: not empty.
        other: not empty, without a frame of `one`.
    """
    first, second = one[0], other[0]
    if any(frame.image.frames > 1 and frame.position is None for frame in (first, second)):
        return None
    alike = _Alike([first, second])
    if _geometry_key(first, alike) != _geometry_key(second, alike):
        return None
    every = [*one, *other]
    if {frame.temporal for frame in one} != {frame.temporal for frame in other}:
        return tuple(_sorted(every)) if len(_join_times([[*one], [*other]])) == 1 else None
    if _positions_repeat(every) and not (_positions_repeat(one) or _positions_repeat(other)):
        return None
    return tuple(_sorted(every))


def _stack_key(instance: Instance, frame: FrameRef, alike: "_Alike") -> _Key:
    image = frame.image
    cine = image.frames > 1 and not instance.has_frame_geometry
    return (*_geometry_key(frame, alike), (image.name, image.sop_uid) if cine else None)


def _geometry_key(frame: FrameRef, alike: "_Alike") -> _Key:
    """What the frames of one stack share, besides their time."""
    image = frame.image
    return (
        frame.frame_of_reference if frame.position is not None else "",
        alike.orientations.get(frame.orientation),
        image.rows,
        image.columns,
        alike.spacings.get(frame.spacing),
        alike.echoes.get(frame.echo),
        alike.b_values.get(frame.b_value),
        frame.localizer,
    )


class _Alike:
    """The values that frames are compared by, each with the one that stands for all that are nearly equal.

    Scanners vary the last digits from slice to slice. Values are compared by their difference: if each were rounded,
    two on either side of a rounding step would part.
    """

    def __init__(self, frames: Sequence[FrameRef]) -> None:
        self.orientations = _representatives({frame.orientation for frame in frames}, COSINE_TOLERANCE, 0.0)
        self.spacings = _representatives({frame.spacing for frame in frames}, 0.0, SPACING_TOLERANCE)
        self.echoes = _representatives({frame.echo for frame in frames}, _TOLERANCE, _TOLERANCE)
        self.b_values = _representatives({frame.b_value for frame in frames}, _TOLERANCE, _TOLERANCE)


_Value = TypeVar("_Value", float | None, tuple[float, ...] | None)


def _representatives(values: Iterable[_Value], absolute: float, relative: float) -> dict[_Value, _Value]:
    """For each value the one that stands for all that are nearly equal to it."""
    found: dict[_Value, _Value] = {}
    kept: list[tuple[tuple[float, ...], _Value]] = []
    for parts, value in sorted((_parts(value), value) for value in values if value is not None):
        limits = [absolute + relative * abs(part) for part in parts]
        close = takewhile(lambda one: parts[0] - one[0][0] <= limits[0], reversed(kept))  # noqa: B023 (used at once)
        equal = (one[1] for one in close if all(abs(a - b) <= limit for a, b, limit in zip(parts, one[0], limits)))
        found[value] = next(equal, value)
        if found[value] is value:
            kept.append((parts, value))
    return found


def _parts(value: float | tuple[float, ...]) -> tuple[float, ...]:
    return value if isinstance(value, tuple) else (value,)


def _join_times(groups: list[list[FrameRef]]) -> list[list[FrameRef]]:
    """One group of all times of a single slice; stacks of several slices stay one a time.

    Without positions, a slice is single when each time has one frame.
    """
    if len(groups) < 2:
        return groups
    every = [frame for group in groups for frame in group]
    positions = [frame.position for frame in every if frame.position is not None]
    if positions and len(positions) == len(every):
        single = all(max(axis) - min(axis) < MIN_SLICE_STEP for axis in zip(*positions))
    else:
        single = not positions and len(every) == len(groups)
    return [every] if single else groups


def _split_by_acquisition(frames: list[FrameRef]) -> list[list[FrameRef]]:
    """Split by Acquisition Number when positions repeat, unless they also repeat within an acquisition."""
    acquisitions: dict[float | None, list[FrameRef]] = defaultdict(list)
    for frame in frames:
        acquisitions[frame.acquisition].append(frame)
    if len(acquisitions) < 2 or not _positions_repeat(frames):
        return [frames]
    split = list(acquisitions.values())
    return [frames] if any(len(part) < 2 or _positions_repeat(part) for part in split) else split


def _positions_repeat(frames: Sequence[FrameRef]) -> bool:
    positions = [position_along_normal(frame) for frame in frames]
    known = sorted(position for position in positions if position is not None)
    return any(right - left < MIN_SLICE_STEP for left, right in pairwise(known))


def _order(frame: FrameRef) -> tuple[float, NaturalKey, int]:
    """Sort key: instance number, then name, then frame number."""
    number = frame.image.instance_number
    return (math.inf if number is None else number, natural_key(frame.image.name), frame.frame)


def _by_number(frames: Sequence[FrameRef]) -> list[FrameRef]:
    """The frames by `_order`, without looking at names where every image has a number of its own."""
    numbers = {frame.image.name: frame.image.instance_number for frame in frames}
    if None in numbers.values() or len(set(numbers.values())) < len(numbers):
        return sorted(frames, key=_order)
    return sorted(frames, key=lambda frame: (frame.image.instance_number or 0, frame.frame))


def _sorted(frames: list[FrameRef]) -> list[FrameRef]:
    by_number = _by_number(frames)
    if all(frame.temporal is not None for frame in frames):
        by_time = sorted(by_number, key=lambda frame: frame.temporal or 0.0)
    else:
        by_time = by_number
    positions = {id(frame): position_along_normal(frame) for frame in frames}
    if any(position is None for position in positions.values()):
        return by_time
    first, last = positions[id(by_number[0])] or 0.0, positions[id(by_number[-1])] or 0.0
    direction = -1 if by_number[0].image.instance_number is not None and last < first else 1
    places = _places(sorted({direction * (position or 0.0) for position in positions.values()}))
    return sorted(by_time, key=lambda frame: places[direction * (positions[id(frame)] or 0.0)])


def _places(positions: Sequence[float]) -> dict[float, int]:
    """Which place each of some ascending positions (mm) is: those closer than `MIN_SLICE_STEP` are one."""
    found: dict[float, int] = {}
    start = -math.inf
    for position in positions:
        if position - start >= MIN_SLICE_STEP:
            start = position
            found[position] = len(found)
        else:
            found[position] = found[start]
    return found


_DIFFERENCES: tuple[tuple[Callable[[FrameRef], object], Callable[[FrameRef], str]], ...] = (
    (lambda frame: frame.localizer, lambda frame: "localizer" if frame.localizer else ""),
    (lambda frame: frame.b_value, lambda frame: "" if frame.b_value is None else f"b {frame.b_value:g}"),
    (lambda frame: frame.echo, lambda frame: "" if frame.echo is None else f"echo {frame.echo:g}"),
    (lambda frame: frame.temporal, lambda frame: "" if frame.temporal is None else f"time {frame.temporal:g}"),
    (
        lambda frame: (frame.image.rows, frame.image.columns),
        lambda frame: f"{frame.image.columns} x {frame.image.rows}",
    ),
    (lambda frame: frame.image.frames > 1, lambda frame: f"{frame.image.frames} frames"),
)
"""What may differ between stacks: the value, and its label."""


def _labels(groups: Sequence[Sequence[FrameRef]]) -> list[str]:
    """What distinguishes each stack, numbered where that is not unique."""
    if len(groups) < 2:
        return [""] * len(groups)
    describe = [label for value, label in _DIFFERENCES if len({value(frames[0]) for frames in groups}) > 1]
    labels = [", ".join(filter(None, (label(frames[0]) for label in describe))) for frames in groups]
    return [
        label if label and labels.count(label) == 1 else f"{label} ({index})".strip()
        for index, label in enumerate(labels, 1)
    ]
