"""Turns any failure into a calm message: the user's problem as one sentence, ours as a bug with details. Shows nothing.

Everything that is no UserError is logged with its traceback, without the files that it names: folders are often called
after patients, and neither logs nor what is copied into a report may say so.
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
"""How Qt's platform for machines without a screen begins its remarks; they say nothing about the app."""

INFO, PROBLEM, BUG = "info", "problem", "bug"


@dataclass(frozen=True, slots=True)
class Message:
    """What the message bar shows."""

    text: str
    kind: str = INFO
    details: str = ""
    """For a bug: the traceback, ready to be copied into a report."""


def describe(error: BaseException) -> Message:
    """The message for a failure; logs it when it is our bug."""
    if isinstance(error, UserError):
        return Message(str(error), PROBLEM)
    details = _details(error)
    log.error("Unexpected failure\n%s", details)
    return Message(
        f"Kindred made a mistake ({type(error).__name__}). Your files are untouched; copy the details to report it.",
        BUG,
        details,
    )


def _details(error: BaseException) -> str:
    """The traceback, with "…" for each file that a failure of it names."""
    text = "".join(traceback.format_exception(error))
    links: BaseException | None = error
    while links is not None:
        for name in (getattr(links, key, None) for key in ("filename", "filename2", "other")):
            if name:
                text = text.replace(repr(name), "…").replace(str(name), "…")
        links = links.__cause__ or links.__context__
    return text


def install(show: Callable[[Message], None]) -> None:
    """Send exceptions that nobody caught, and what Qt complains about, to the log and the message bar."""

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
