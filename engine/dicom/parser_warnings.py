"""Collects what pydicom warns about while one thread reads one file. Knows nothing of other warnings or other threads.

pydicom warns about every departure from the standard, and real files are full of them: those are facts about the file
and not about the program. It also logs them with the offending values, which may be the patient's: inside the block its
log goes nowhere. `warnings.catch_warnings` would change the filters of every thread at once, so the filters
are installed when the first reader enters, removed when the last one leaves, and only messages that pydicom raises in
a reading thread are taken.
"""

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

_log = logging.getLogger("pydicom")
_lock = threading.Lock()
_readers = 0
_installed: "warnings.catch_warnings[Any] | None" = None
_mine = threading.local()


@contextmanager
def collect_warnings() -> Iterator[list[str]]:
    """Within the block, pydicom's warnings of this thread go into the list it yields."""
    outer: list[str] | None = getattr(_mine, "notes", None)
    notes: list[str] = []
    _enter()
    _mine.notes = notes
    try:
        yield notes
    finally:
        _mine.notes = outer
        _leave()


def _enter() -> None:
    global _readers, _installed
    with _lock:
        _readers += 1
        if _readers > 1:
            return
        _installed = warnings.catch_warnings()
        _installed.__enter__()
        warnings.filterwarnings("always", module=r"(pydicom|engine)(\.|$)", category=UserWarning)
        show = warnings.showwarning

        def take(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            notes: list[str] | None = getattr(_mine, "notes", None)
            if notes is None:
                show(message, category, filename, lineno, file, line)
            else:
                notes.append(str(message))

        warnings.showwarning = take
        _log.propagate = False


def _leave() -> None:
    global _readers, _installed
    with _lock:
        _readers -= 1
        if _readers == 0 and _installed is not None:
            _log.propagate = True
            _installed.__exit__(None, None, None)
            _installed = None
