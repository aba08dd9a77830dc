"""Prefetching: the near frames first, the rest while the cache has room, never the same one twice."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from desktop.background import Background
from desktop.state.pictures.frame_cache import FrameCache
from desktop.state.pictures.prefetch import NEAR, Prefetcher
from engine.dicom.listing import open_path
from engine.errors import UserError
from engine.image.pixels import Pixels
from engine.study import FrameRef, Series
from tests.desktop.conftest import dicom

FRAME = Pixels(np.zeros((16, 16), np.int16))


class Reader:
    """Fake decoder that records what was requested."""

    def __init__(self) -> None:
        self.read: list[int] = []
        self._lock = threading.Lock()

    def __call__(self, ref: FrameRef) -> Pixels:
        with self._lock:
            self.read.append(ref.frame)
        if ref.frame == 7:
            raise UserError("The file is cut short; copy it again.")
        return FRAME


def stack(count: int) -> Series:
    series = open_path(dicom("CT_small.dcm")).studies[0].series[0]
    return replace(series, frames=tuple(replace(series.frames[0], frame=number) for number in range(count)))


def test_a_stack_that_fits_is_decoded_whole_and_each_frame_once(qtbot: QtBot, background: Background) -> None:
    series, read, cache = stack(120), Reader(), FrameCache(1000 * FRAME.nbytes)
    prefetcher = Prefetcher(background, cache, "1", read)
    prefetcher.around(series, 60, 1, FRAME)
    qtbot.waitUntil(background.idle)
    assert sorted(read.read) == [number for number in range(120) if number != 60]
    assert [ref.frame for ref in series.frames if ref not in cache] == [7, 60]


def test_the_next_frames_come_first(qtbot: QtBot, background: Background) -> None:
    read = Reader()
    Prefetcher(background, FrameCache(1000 * FRAME.nbytes), "1", read).around(stack(500), 100, -1, FRAME)
    qtbot.waitUntil(lambda: len(read.read) >= NEAR)
    assert set(read.read[:2]) <= set(range(100 - NEAR, 100))
    qtbot.waitUntil(background.idle)


def test_a_full_cache_ends_the_work_and_keeps_its_limit(qtbot: QtBot, background: Background) -> None:
    read, cache = Reader(), FrameCache(32 * FRAME.nbytes)
    Prefetcher(background, cache, "1", read).around(stack(500), 250, 1, FRAME)
    qtbot.waitUntil(background.idle)
    assert cache.size <= cache.limit
    assert len(read.read) == len(set(read.read)) <= 32


def test_nine_viewports_on_one_small_cache_come_to_rest(qtbot: QtBot, background: Background) -> None:
    cache = FrameCache(32 * FRAME.nbytes)
    readers = [Reader() for _ in range(9)]
    for number, read in enumerate(readers):
        series = stack(60)
        frames = tuple(replace(ref, position=(float(number), 0.0, 0.0)) for ref in series.frames)
        Prefetcher(background, cache, str(number), read).around(replace(series, frames=frames), 20, 1, FRAME)
    qtbot.waitUntil(background.idle)
    assert sum(len(read.read) for read in readers) < 9 * 60


def test_a_bug_in_reading_is_shown_once_and_not_tried_for_ever(qtbot: QtBot, background: Background) -> None:
    def read(ref: FrameRef) -> Pixels:
        raise ZeroDivisionError

    problems: list[object] = []
    background.problem.connect(problems.append)
    Prefetcher(background, FrameCache(1000 * FRAME.nbytes), "1", read).around(stack(20), 0, 1, FRAME)
    qtbot.waitUntil(background.idle)
    assert 0 < len(problems) <= 19


def test_freed_memory_is_released_once(qtbot: QtBot, background: Background, monkeypatch: pytest.MonkeyPatch) -> None:
    handed_back: list[bool] = []
    monkeypatch.setattr("desktop.state.pictures.prefetch.release_memory", lambda: handed_back.append(True))
    monkeypatch.setattr("desktop.state.pictures.prefetch.RELEASE_AFTER", 50 * FRAME.nbytes)
    prefetcher = Prefetcher(background, FrameCache(1000 * FRAME.nbytes), "1", Reader())
    prefetcher.around(stack(40), 0, 1, FRAME)
    qtbot.waitUntil(background.idle)
    assert not handed_back
    prefetcher.around(stack(400), 0, 1, FRAME)
    qtbot.waitUntil(background.idle)
    assert handed_back == [True]


def test_replacing_a_frame_does_not_count_as_dropping_it(background: Background) -> None:
    cache, ref = FrameCache(2 * FRAME.nbytes), stack(1).frames[0]
    for _ in range(2):
        cache.put(ref, FRAME)
    assert (cache.dropped, cache.size) == (0, FRAME.nbytes)
    for other in stack(4).frames[1:]:
        cache.put(other, FRAME)
    assert (cache.dropped, cache.size) == (2, 2 * FRAME.nbytes)


def test_a_complete_stack_is_not_searched_again(
    qtbot: QtBot, background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    series, cache = stack(400), FrameCache(1000 * FRAME.nbytes)
    prefetcher = Prefetcher(background, cache, "1", lambda ref: FRAME)
    cache.put(series.frames[0], FRAME)
    prefetcher.around(series, 0, 1, FRAME)
    qtbot.waitUntil(background.idle)
    cache.put(series.frames[1], FRAME)  # as a viewport does with each frame that it shows
    looks: list[FrameRef] = []
    monkeypatch.setattr(FrameCache, "__contains__", lambda cache, ref: looks.append(ref) is None)
    prefetcher.around(series, 1, 1, FRAME)
    assert len(looks) < 4 * NEAR
