"""Collects pydicom's warnings while one thread reads one file. Leaves other warnings and other threads alone.

pydicom warns about every departure from the standard, and real files are full of them: these are facts about the file,
not faults of the program. It also logs them with the offending values, which may identify the patient, so its log is
silenced inside the block. `warnings.catch_warnings` changes the filters of all threads, so the filters are installed
when the first reader enters and removed when the last one leaves, and only warnings in a reading thread are collected.
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
_thread = threading.local()


@contextmanager
def collect_warnings() -> Iterator[list[str]]:
    """Yield a list that receives this thread's pydicom warnings within the block."""
    outer: list[str] | None = getattr(_thread, "messages", None)
    messages: list[str] = []
    _enter()
    _thread.messages = messages
    try:
        yield messages
    finally:
        _thread.messages = outer
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
            messages: list[str] | None = getattr(_thread, "messages", None)
            if messages is None:
                show(message, category, filename, lineno, file, line)
            else:
                messages.append(str(message))

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
