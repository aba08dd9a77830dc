"""Runs a function in a forked process, which can be killed at any moment, and says how it ended. Linux and macOS only.

A fork starts in milliseconds with everything imported, so that hundreds of kills fit into minutes.
"""

import os
import signal
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from engine.errors import Cancelled, UserError

Say = Callable[[str], object]
Work = Callable[[Say], object]


@dataclass
class End:
    """What a process said, and how it ended."""

    said: list[str] = field(default_factory=list)
    """Lines, each of something that was done for good before it was said."""
    refused: str = ""
    """The message of a UserError."""
    bug: str = ""
    """The traceback of any other exception, or the signal that ended the process."""


class Process:
    """A running function."""

    def __init__(self, work: Work, gate: tuple[int, int] | None = None) -> None:
        """Start it; with `gate`, the two ends of a pipe, it waits until the writing end is closed."""
        self._out, out = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._out)
            self._child(work, out, gate)
        os.close(out)
        self._file = os.fdopen(self._out, "rb")
        self._first = b""

    @staticmethod
    def _child(work: Work, out: int, gate: tuple[int, int] | None) -> None:
        def say(text: str) -> None:
            os.write(out, text.encode("utf-8", "surrogateescape").replace(b"\n", b"\x1f") + b"\n")

        try:
            if gate is not None:
                os.close(gate[1])
                os.read(gate[0], 1)
            work(say)
        except (UserError, Cancelled) as error:
            say(f"refused {error}")
        except BaseException:
            say(f"bug {traceback.format_exc()}")
        finally:
            os._exit(0)

    def wait(self) -> None:
        """Wait until it has said something, or has ended."""
        self._first = self._file.readline()

    def kill(self, after: float = 0.0) -> None:
        """Kill it after so many seconds; `end` was not called yet, so that the number is still its own."""
        time.sleep(after)
        os.kill(self.pid, signal.SIGKILL)

    def end(self, kill_after: int | None = None) -> End:
        """Wait for the end; with `kill_after`, kill it once it has said that many lines."""
        found = End()
        for raw in chain([self._first] if self._first else [], self._file):
            line = raw.decode("utf-8", "surrogateescape").rstrip("\n")
            word, _, rest = line.partition(" ")
            if word == "refused":
                found.refused = rest
            elif word == "bug":
                found.bug = rest.replace("\x1f", "\n")
            else:
                found.said.append(line)
            if kill_after is not None and len(found.said) >= kill_after:
                os.kill(self.pid, signal.SIGKILL)
                kill_after = None
        self._file.close()
        _, status = os.waitpid(self.pid, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGKILL:
            found.bug = f"signal {os.WTERMSIG(status)}"
        return found


def run(work: Work, kill_after: int | None = None) -> End:
    """Run one function to its end, or until it is killed."""
    return Process(work).end(kill_after)


def at_once(works: Sequence[Work]) -> list[End]:
    """Run functions that all start at the same moment."""
    gate = os.pipe()
    processes = [Process(work, gate) for work in works]
    for descriptor in gate:
        os.close(descriptor)
    return [process.end() for process in processes]
