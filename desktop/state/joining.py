"""Brings what several openings gave of a study together, and takes apart what one of them gave. Pure functions."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

from engine.series_sort import joined_stack
from engine.study import FrameRef, Series, Study


def merge(old: Sequence[Study], new: Sequence[Study]) -> list[Study]:
    """The open studies with newly read ones: a study known by its UID gains series, a series gains images.

    An image read again takes the place of the one before.
    """
    studies = {study.uid: study for study in old}
    for study in new:
        known = studies.get(study.uid)
        studies[study.uid] = study if known is None else replace(study, series=_joined(known.series, study.series))
    return list(studies.values())


def without(studies: Sequence[Study], given: Sequence[Study]) -> list[Study]:
    """The studies without the images that an opening gave before; one that is left empty keeps its place."""
    taken = {study.uid: {_instance(frame) for frame in study.frames()} for study in given}
    return [
        replace(study, series=_lacking(study.series, taken[study.uid])) if study.uid in taken else study
        for study in studies
    ]


def _joined(known: Sequence[Series], new: Sequence[Series]) -> tuple[Series, ...]:
    again = {_instance(frame) for series in new for frame in series.frames}
    every = {series.key: series for series in _lacking(known, again)}
    for series in new:
        for other in every.values():
            frames = joined_stack(other.frames, series.frames) if other.uid == series.uid else None
            if frames is not None:
                every[other.key] = replace(series, key=other.key, frames=frames, part=series.part or other.part)
                break
        else:
            free = (f"{series.uid}#{number}" for number in itertools.count(2))
            key = next(key for key in itertools.chain((series.key,), free) if key not in every)
            every[key] = replace(series, key=key)
    return tuple(sorted(every.values(), key=lambda item: (item.number is None, item.number or 0, item.key)))


def _lacking(every: Sequence[Series], taken: set[tuple[str, int]]) -> tuple[Series, ...]:
    left = (
        series if len(frames) == len(series.frames) else replace(series, frames=frames)
        for series in every
        if (frames := tuple(frame for frame in series.frames if _instance(frame) not in taken))
    )
    return tuple(left)


def _instance(frame: FrameRef) -> tuple[str, int]:
    """What stays the same when a file is read again, or a copy of it."""
    return frame.image.sop_uid or frame.image.name, frame.frame
