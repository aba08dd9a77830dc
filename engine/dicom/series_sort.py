"""Splits a DICOM series into stacks to scroll through and sorts each. Knows no files and no pixels."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise

from engine.dicom.header import Instance
from engine.geometry.planes import MIN_SLICE_STEP, position_along_normal
from engine.study import FrameRef, Series

_Key = tuple[object, ...]


def stacks(instances: Sequence[Instance]) -> tuple[Series, ...]:
    """The stacks of one DICOM series.

    Frames share a stack when frame of reference, orientation, size, spacing, temporal position, echo and b-value agree.
    Localizers are kept apart, and so is each multi-frame image without frame positions (a cine loop), which keeps its
    frame order. A stack is sorted by position along its normal, in the direction of the instance numbers; without
    positions by instance number, then by name.

    Args:
        instances: all of one series, in any order; not empty.
    """
    groups: dict[_Key, list[FrameRef]] = defaultdict(list)
    for instance in instances:
        for frame in instance.frames:
            groups[_stack_key(instance, frame)].append(frame)
    parts = [part for group in groups.values() for part in _split_by_acquisition(group)]
    ordered = sorted((_sorted(part) for part in parts), key=lambda frames: min(map(_order, frames)))
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
            descriptions=facts.descriptions,
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
    if _geometry_key(first) != _geometry_key(second):
        return None
    every = [*one, *other]
    if _positions_repeat(every) and not (_positions_repeat(one) or _positions_repeat(other)):
        return None
    return tuple(_sorted(every))


def _stack_key(instance: Instance, frame: FrameRef) -> _Key:
    image = frame.image
    cine = image.frames > 1 and not instance.has_frame_geometry
    return (*_geometry_key(frame), (image.name, image.sop_uid) if cine else None)


def _geometry_key(frame: FrameRef) -> _Key:
    image = frame.image
    return (
        frame.frame_of_reference if frame.position is not None else "",
        _rounded(frame.orientation, 3),
        image.rows,
        image.columns,
        _rounded(frame.spacing, 4),
        frame.temporal,
        frame.echo,
        frame.b_value,
        frame.localizer,
    )


def _rounded(values: Sequence[float] | None, digits: int) -> tuple[float, ...] | None:
    """Values without their last digits, in which scanners vary from slice to slice."""
    return None if values is None else tuple(round(value, digits) + 0.0 for value in values)


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


def _order(frame: FrameRef) -> tuple[float, str, int]:
    """Sort key: instance number, then name, then frame number."""
    number = frame.image.instance_number
    return (math.inf if number is None else number, frame.image.name, frame.frame)


def _sorted(frames: list[FrameRef]) -> list[FrameRef]:
    by_number = sorted(frames, key=_order)
    positions = {id(frame): position_along_normal(frame) for frame in frames}
    if any(position is None for position in positions.values()):
        return by_number
    first, last = positions[id(by_number[0])] or 0.0, positions[id(by_number[-1])] or 0.0
    direction = -1 if by_number[0].image.instance_number is not None and last < first else 1
    return sorted(by_number, key=lambda frame: round(direction * (positions[id(frame)] or 0.0) / MIN_SLICE_STEP))


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
