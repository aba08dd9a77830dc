"""Reads files and folders from drag and drop. Does not know what is done with them."""

from pathlib import Path

from PySide6.QtGui import QDragEnterEvent, QDropEvent


def accept_files(event: QDragEnterEvent) -> None:
    """Accept a drag that holds at least one local file or folder."""
    if any(url.isLocalFile() for url in event.mimeData().urls()):
        event.acceptProposedAction()


def dropped_paths(event: QDropEvent) -> list[Path]:
    """Accept the drop and return its local files and folders."""
    event.acceptProposedAction()
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
