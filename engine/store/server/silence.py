"""Ends the wait for a server that is connected and has stopped answering, as when its disk hangs. Knows no table.

The kernel of such a server still confirms what is sent, so neither keepalive nor a time limit of TCP notices; and a
statement may rightly take minutes. So a server that is silent for long is asked for another connection.
"""

import time
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import psycopg

SILENCE = 20.0
"""Seconds without an answer after which the server is asked for another connection."""

T = TypeVar("T")
Steps = Generator[Any, Any, T]
"""What psycopg waits with: yields what to wait for, and is sent what is ready, 0 for nothing within 0.1 s."""


class WatchedConnection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that closes itself once its server answers nobody."""

    answers: Callable[[], bool] = staticmethod(lambda: True)
    """Whether the server lets this account connect again; may take some seconds."""

    def wait(self, gen: Steps[T], *arguments: Any, **options: Any) -> T:
        """As psycopg's.

        Raises:
            psycopg.OperationalError: the server answers nobody any more; the connection is closed.
        """
        return super().wait(self._watched(gen), *arguments, **options)

    def _watched(self, steps: Steps[T]) -> Steps[T]:
        heard = time.monotonic()
        try:
            wanted = next(steps)
            while True:
                ready = yield wanted
                if ready:
                    heard = time.monotonic()
                elif time.monotonic() - heard > SILENCE:
                    if not self.answers():
                        self.close()  # else leaving a transaction would wait once more
                        raise psycopg.OperationalError("the server has stopped answering")
                    heard = time.monotonic()
                wanted = steps.send(ready)
        except StopIteration as end:
            result: T = end.value
            return result
