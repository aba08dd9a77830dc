"""Merges the parts of a study that were opened separately, and removes those of one opening. Pure functions."""

import itertools
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import replace

from engine.dicom.natural_order import natural_key
from engine.dicom.series_sort import merged_stack
from engine.study import FrameRef, Series, Study


def merge(old: Sequence[Study], new: Sequence[Study]) -> list[Study]:
    """Add newly read studies to the open ones: a study with a known UID gains series, a series gains images.

    An image that is read again replaces the earlier one.
    """
    studies = {study.uid: study for study in old}
    for study in new:
        known = studies.get(study.uid)
        if known is not None:
            people = tuple(dict.fromkeys((*known.people, *study.people)))
            study = replace(study, series=_merged(known.series, study.series), people=people)
        studies[study.uid] = study
    return list(studies.values())


def remove_images(studies: Sequence[Study], unwanted: Sequence[Study]) -> list[Study]:
    """The studies without the images of the unwanted ones; a study left empty keeps its place."""
    removed = {study.uid: {_instance(frame) for frame in study.frames()} for study in unwanted}
    return [
        replace(study, series=_without(study.series, removed[study.uid])) if study.uid in removed else study
        for study in studies
    ]


def keep_stack_keys(old: Sequence[Study], new: Sequence[Study]) -> list[Study]:
    """The new studies, each stack with the key that most of its frames had before.

    Stacks are numbered in their order, which changes while more of a series is read; viewports and thumbnails identify
    them by key.
    """
    before = {study.uid: study for study in old}
    kept = []
    for study in new:
        known = before.get(study.uid, study)
        kept.append(study if known is study else replace(study, series=_rekeyed(known.series, study.series)))
    return kept


def successor(old: Series, every: Sequence[Series]) -> Series | None:
    """The stack that an old one has become: the one with its key, else the one that has most of its frames."""
    kept = next((series for series in every if series.key == old.key), None)
    if kept is None:
        frames = {_instance(frame) for frame in old.frames}
        shared = [(sum(_instance(frame) in frames for frame in series.frames), series) for series in every]
        most, best = max(shared, key=lambda one: one[0], default=(0, None))
        kept = best if most else None
    return kept


def _rekeyed(old: Sequence[Series], new: Sequence[Series]) -> tuple[Series, ...]:
    if [series.key for series in old] == [series.key for series in new] and len(new) == 1:
        return tuple(new)
    owner = {_instance(frame): series.key for series in old for frame in series.frames}
    keys: dict[int, str] = {}
    votes = [Counter(owner.get(_instance(frame), "") for frame in series.frames) for series in new]
    ballots = [(count, -index, key) for index, vote in enumerate(votes) for key, count in vote.items() if key]
    for _, negative, key in sorted(ballots, reverse=True):
        index = -negative
        if index not in keys and key not in keys.values():
            keys[index] = key
    for index, series in enumerate(new):
        if index not in keys:
            keys[index] = _free_key(series, keys.values())
    return tuple(replace(series, key=keys[index]) for index, series in enumerate(new))


def _free_key(series: Series, taken: Container[str]) -> str:
    numbered = (f"{series.uid}#{number}" for number in itertools.count(2))
    return next(key for key in itertools.chain((series.key,), numbered) if key not in taken)


def _merged(known: Sequence[Series], new: Sequence[Series]) -> tuple[Series, ...]:
    read_again = {_instance(frame) for series in new for frame in series.frames}
    every = {series.key: series for series in _without(known, read_again)}
    for series in new:
        for other in every.values():
            frames = merged_stack(other.frames, series.frames) if other.uid == series.uid else None
            if frames is not None:
                every[other.key] = replace(series, key=other.key, frames=frames, part=series.part or other.part)
                break
        else:
            key = _free_key(series, every)
            every[key] = replace(series, key=key)
    return tuple(
        sorted(every.values(), key=lambda item: (item.number is None, item.number or 0, natural_key(item.key)))
    )


def _without(every: Sequence[Series], removed: set[tuple[str, int]]) -> tuple[Series, ...]:
    """The series without some frames; a series left empty is dropped."""
    kept = (
        series if len(frames) == len(series.frames) else replace(series, frames=frames)
        for series in every
        if (frames := tuple(frame for frame in series.frames if _instance(frame) not in removed))
    )
    return tuple(kept)


def _instance(frame: FrameRef) -> tuple[str, int]:
    """Identifies a frame when its file, or a copy of it, is read again."""
    return frame.image.sop_uid or frame.image.name, frame.frame
