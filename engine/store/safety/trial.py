"""Tries out work on a hostile file in a helper process, within a budget of time and memory. Knows no file formats.

A parser or decoder that loops in C cannot be stopped from inside. What looks suspicious is therefore done in a process
of its own first, which can be ended; if that goes well, the caller does it itself, as it does with every plain file.

Memory is limited on Linux only (RLIMIT_DATA): Windows and macOS have no such limit, and there only time ends a trial.
"""

import hashlib
import json
import os
import pickle
import signal
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.errors import UserError

HELPER = "--trial"
"""The verb of the frozen app that runs `serve`."""
SECONDS = 3
"""Processor time of one trial, where the system can limit it; the work is then done once more."""
WALL_SECONDS = 6.0
"""Time of one trial, with the start of the process."""
MEMORY = 1 << 30
"""Bytes of one trial, beyond `spare`."""
TOO_LONG = "Reading it takes more than 10 seconds; check the file at its source."
TOO_LARGE = "Reading it takes more than 1 GB of memory; check the file at its source."
CRASHED = "The library that reads such files fails on it; check the file at its source."
NO_HELPER = "The process that checks such a file could not be started; restart Kindred."
REMEMBERED = 256
"""Outcomes that are kept, so that scrolling through one file tries it out once."""
_DONE, _REFUSED = "done", "refused"

_outcomes: OrderedDict[tuple[object, ...], UserError | None] = OrderedDict()
_inside = False


def try_out(work: Callable[..., object], data: bytes, *arguments: Any, spare: int = 0) -> None:
    """Do `work(data, *arguments)` in the helper and discard its result; in the helper itself nothing is done.

    Args:
        work: a function of a module. An exception other than UserError is left to whoever does the work itself.
        data: of the file.
        arguments: are pickled, like the others.
        spare: bytes of memory that the result may take, such as the pixels of an image.

    Raises:
        UserError: the work takes too long, takes too much memory, ends the process, or raised it.
    """
    if _inside:
        return
    key = (work.__qualname__, hashlib.blake2b(data).digest(), repr(arguments), spare)
    if key not in _outcomes:
        _outcomes[key] = _outcome(pickle.dumps((work, (data, *arguments), SECONDS, MEMORY + spare)))
        while len(_outcomes) > REMEMBERED:
            with suppress(KeyError):  # another thread may have been here
                _outcomes.popitem(last=False)
    refused = _outcomes.get(key)
    if refused is not None:
        raise UserError(str(refused), refused.other)


def _outcome(task: bytes) -> UserError | None:
    """Why the task is refused, or None.

    Raises:
        UserError: there is no helper.
    """
    try:
        ended = subprocess.run(
            _command(),
            input=task,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=WALL_SECONDS,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired:
        return UserError(TOO_LONG)
    except OSError as error:
        raise UserError(NO_HELPER) from error
    try:
        word, reason, other = json.loads(ended.stdout)
    except ValueError:
        out_of_time = ended.returncode in (-getattr(signal, "SIGXCPU", 0), -getattr(signal, "SIGKILL", 0))
        return UserError(TOO_LONG if out_of_time else CRASHED)
    return None if word == _DONE else UserError(reason, other)


def _command() -> list[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable, HELPER]
    code = "import sys; sys.path[:] = sys.argv[1:]; from engine.store.safety.trial import serve; serve()"
    return [sys.executable, "-c", code, *sys.path]


def serve() -> None:
    """The helper: do what standard input says, and answer on standard output."""
    global _inside
    _inside = True
    with os.fdopen(os.dup(1), "wb") as answer:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what libraries print is no answer
        work, arguments, seconds, size = pickle.load(sys.stdin.buffer)
        _limit(seconds, size)
        said = (_DONE, "", "")
        try:
            work(*arguments)
        except BaseException as error:  # a Rust panic is a BaseException; what is a bug the caller meets too
            if _out_of_memory(error):
                said = (_REFUSED, TOO_LARGE, "")
            elif isinstance(error, UserError):
                said = (_REFUSED, str(error), error.other)
        answer.write(json.dumps(said).encode())  # no pickle: hostile data may have reached the sender


def _out_of_memory(error: BaseException | None) -> bool:
    """Whether this, or what led to it, is a MemoryError."""
    while error is not None and not isinstance(error, MemoryError):
        error = error.__cause__ or error.__context__
    return error is not None


def _limit(seconds: int, size: int) -> None:
    """Limit processor time and memory to so much more than was used so far."""
    if sys.platform == "win32":
        return
    import resource

    def lower(kind: int, limit: int) -> None:
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))

    lower(resource.RLIMIT_CPU, int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2])) + 1 + seconds)
    lower(resource.RLIMIT_CORE, 0)
    if sys.platform == "linux":
        in_use = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
        lower(resource.RLIMIT_DATA, in_use + size)
