"""How long and how much a retrieval may take, and the check of both and of Cancel while a server is silent."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from engine.errors import Cancelled, UserError
from engine.progress import IsCancelled, never


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one connection."""

    connect: float = 10.0
    """Seconds until a connection stands."""
    silence: float = 60.0
    """Seconds without an answer. A PACS that fetches a study from tape takes longer; then it is asked again."""
    total: float = 4 * 3600.0
    """Seconds for everything."""
    query: int = 64 << 20
    """Bytes of the answer to a query."""
    image: int = 2 << 30
    """Bytes of one object."""
    study: int = 64 << 30
    """Bytes of one study."""


LOOK_EVERY = 0.1
"""Seconds between two looks at Cancel and the clock."""


class Watch:
    """Whether a connection has to end, and why."""

    def __init__(self, limits: Limits, cancelled: IsCancelled = never) -> None:
        self.limits, self._cancelled = limits, cancelled
        self._until = time.monotonic() + limits.total
        self.reason: Exception | None = None

    def look(self) -> bool:
        """Whether it has to end now."""
        if self.reason is None:
            if self._cancelled():
                self.reason = Cancelled()
            elif time.monotonic() > self._until:
                hours = self.limits.total / 3600
                self.reason = UserError(f"The retrieval took more than {hours:g} hours; start it again, it goes on.")
        return self.reason is not None

    def check(self) -> None:
        """End here if it has to end.

        Raises:
            Cancelled: the user cancelled.
            UserError: it took too long.
        """
        if self.look() and self.reason is not None:
            raise self.reason

    @contextmanager
    def ending(self, end: Callable[[], object]) -> Iterator[None]:
        """Call `end` from another thread once it has to end, for code that waits for a server.

        Raises:
            Cancelled: the user cancelled.
            UserError: it took too long.
        """
        over = threading.Event()

        def watch() -> None:
            while not over.wait(LOOK_EVERY):
                if self.look():
                    with suppress(Exception):  # whatever it is closed for may be closed already
                        end()
                    return

        thread = threading.Thread(target=watch, name="pacs-watch", daemon=True)
        thread.start()
        try:
            yield
        except Exception as error:
            if self.reason is not None:
                raise self.reason from error
            raise
        finally:
            over.set()
            thread.join()
        if self.reason is not None:
            raise self.reason
