"""Turns exceptions into messages: user-fixable errors as one sentence, bugs with details to copy. Does not show them.

Everything except a UserError is a bug, and is logged with its traceback. File names are removed from it: they often
contain patient names, which neither logs nor bug reports may contain.
"""

import logging
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

from engine.errors import UserError

log = logging.getLogger("kindred")

NO_SCREEN = "This plugin does not support"
"""Start of the harmless warnings from Qt's platform for machines without a screen."""

INFO, PROBLEM, BUG = "info", "problem", "bug"


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the message bar."""

    text: str
    kind: str = INFO
    """INFO, PROBLEM or BUG."""
    details: str = ""
    """For a bug: the traceback, to be copied into a bug report."""
    action: str = ""
    """Label of the button that does what helps; "" for none."""
    run: Callable[[], object] | None = None
    """What that button does."""


def describe(error: BaseException) -> Message:
    """The message for an exception; logs it if it is a bug."""
    if isinstance(error, UserError):
        return Message(str(error), PROBLEM)
    details = _details(error)
    log.error("Unexpected failure\n%s", details)
    return Message(
        f"Unexpected error ({type(error).__name__}). Copy the details to report it.",
        BUG,
        details,
    )


def _details(error: BaseException) -> str:
    """The traceback, with "…" in place of each file name that an exception of the chain carries."""
    text = "".join(traceback.format_exception(error))
    link: BaseException | None = error
    while link is not None:
        for name in (getattr(link, key, None) for key in ("filename", "filename2", "other")):
            if name:
                text = text.replace(repr(name), "…").replace(str(name), "…")
        link = link.__cause__ or link.__context__
    return text


def install(show: Callable[[Message], None]) -> None:
    """Send uncaught exceptions to `show` and the log, and Qt's messages to the log."""

    def on_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        show(describe(error.with_traceback(trace)))

    sys.excepthook = on_exception
    qInstallMessageHandler(_on_qt_message)


def _on_qt_message(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    if text.startswith(NO_SCREEN):
        kind = QtMsgType.QtDebugMsg
    levels = {
        QtMsgType.QtDebugMsg: logging.DEBUG,
        QtMsgType.QtInfoMsg: logging.INFO,
        QtMsgType.QtWarningMsg: logging.WARNING,
    }
    logging.getLogger("qt").log(levels.get(kind, logging.ERROR), "%s", text)
