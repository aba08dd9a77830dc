"""A run over damaged real files, in a process of its own so that a crash is seen; more of it: benchmarks.fuzz."""

from collections import Counter
from collections.abc import Iterator

import pytest

from benchmarks.fuzz import Worker, run
from benchmarks.fuzz_worker import damaged, sources

COUNT = 200


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker()
    yield made
    made.close()


def test_damaged_real_files_are_shown_or_refused_and_nothing_else() -> None:
    outcome = run(1_000_000, COUNT)
    assert outcome.findings == []
    assert set(outcome.ends) == {"shown", "refused"}
    assert outcome.ends.total() == COUNT
    assert outcome.ends["shown"] > COUNT // 10


def test_a_seed_names_one_damage_of_one_file() -> None:
    assert damaged(7) == damaged(7)
    assert len({damaged(seed)[1] for seed in range(50)}) == 50
    assert len(sources()) > 150
    untouched = Counter(data == source.read_bytes() for source, data in map(damaged, range(50)))
    assert untouched[True] <= 2  # a byte may be overwritten by itself


def test_no_answer_in_time_counts_as_a_hang(worker: Worker) -> None:
    assert worker.ask(1, timeout=0)["end"] == "hang"


def test_a_worker_that_died_counts_as_a_crash(worker: Worker) -> None:
    worker.close()
    assert worker.ask(1, timeout=30)["end"] == "crash"
