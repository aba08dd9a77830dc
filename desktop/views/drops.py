"""Files that are dropped on a window. Knows not what is done with them."""

from pathlib import Path

from PySide6.QtGui import QDragEnterEvent, QDropEvent


def accept_files(event: QDragEnterEvent) -> None:
    """Take what holds a file or folder of this machine."""
    if any(url.isLocalFile() for url in event.mimeData().urls()):
        event.acceptProposedAction()


def dropped_paths(event: QDropEvent) -> list[Path]:
    event.acceptProposedAction()
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
