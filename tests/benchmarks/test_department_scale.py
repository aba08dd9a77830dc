"""The simulated queue behaves as queues do."""

import numpy as np
import pytest

from benchmarks import department_scale
from benchmarks.department_scale import PAUSE, queue, read_for


def test_one_desk_never_waits_for_another() -> None:
    half, most, busy = queue(np.array([0.5]), cores=1, asking=1)
    assert (half, most) == pytest.approx((0.5, 0.5))
    assert busy == pytest.approx(0.5 / (PAUSE + 0.5), rel=0.1)


def test_desks_wait_when_they_ask_for_more_than_the_cores_have() -> None:
    service = np.array([1.0])
    few, many, helped = queue(service, 1, 10), queue(service, 1, 60), queue(service, 4, 60)
    assert few[0] < helped[0] + 0.5 < many[0]
    assert many[2] == pytest.approx(1.0, abs=0.02)
    assert many[0] == pytest.approx(60 - PAUSE, rel=0.3)  # in the steady state all are in the queue but those who pause


def test_lists_keep_what_is_compared_small_until_there_are_no_more_lists() -> None:
    assert read_for(4e6) == pytest.approx(2 * read_for(1e6), rel=0.01)
    assert read_for(100e6) == pytest.approx(10 * read_for(10e6), rel=0.15)
    assert department_scale.lists_for(10**9) == 4_000
