"""Callback types for progress and cancellation. Does not know threads or progress bars."""

from collections.abc import Callable

Progress = Callable[[int, int, str], None]
"""Called with (done, total, what); `total` is 0 while unknown."""

IsCancelled = Callable[[], bool]
"""Polled between the steps of a job; True means cancel."""


def ignore(done: int, total: int, what: str) -> None:
    """A progress callback that does nothing."""


def never() -> bool:
    """A cancellation check that never cancels."""
    return False
