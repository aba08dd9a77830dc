"""How long jobs report and stop. Knows neither threads nor progress bars."""

from collections.abc import Callable

Progress = Callable[[int, int, str], None]
"""Called with (done, total, what): `total` is 0 while it is unknown."""

IsCancelled = Callable[[], bool]
"""Asked between two steps of a job: True means stop now."""


def ignore(done: int, total: int, what: str) -> None:
    """The progress callback of a caller who does not listen."""


def never() -> bool:
    """The cancel check of a caller who never cancels."""
    return False
