"""Rows of the menu "File" that give the view away, and the list of DICOM elements."""

from functools import partial
from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QFileDialog

from desktop.commands.command import Command
from desktop.desk import Desk
from desktop.views.viewer.export_view import print_image, save_png, view_image, warning, words
from desktop.views.viewer.tag_browser import TagBrowser
from desktop.views.window import MainWindow


def _has_image(desk: Desk) -> bool:
    return desk.viewport.picture is not None


def _save(identity: bool, annotations: bool, desk: Desk, window: MainWindow) -> None:
    image = view_image(desk, annotations, identity)
    name, _ = QFileDialog.getSaveFileName(window, "Save the view", "view.png", "PNG picture (*.png)")
    if name:
        path = Path(name) if Path(name).suffix.lower() == ".png" else Path(f"{name}.png")
        save_png(image, path)
        said = f"{path.name} was saved" + ("." if identity else " without the patient's identity.")
        desk.messages.show_text(words((said, warning(desk, identity))))


def _copy(desk: Desk, window: MainWindow) -> None:
    QGuiApplication.clipboard().setImage(view_image(desk))
    desk.messages.show_text(words(("The view was copied without the patient's identity.", warning(desk, False))))


def _print(desk: Desk, window: MainWindow) -> None:
    image = view_image(desk)
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    dialog = QPrintDialog(printer, window)
    accepted = dialog.exec()
    dialog.deleteLater()  # its parent would keep it
    if accepted:
        print_image(image, printer)
        desk.messages.show_text(words(("The view was printed without the patient's identity.", warning(desk, False))))


def _tags(desk: Desk, window: MainWindow) -> None:
    if desk.viewport.picture is not None:
        desk.tags.show()
        browser = window.findChild(TagBrowser) or TagBrowser(desk.tags, window)
        browser.show()
        browser.raise_()


ROWS = (
    Command(
        "save_view",
        "Save the view…",
        ("Ctrl+Alt+S",),
        "File",
        partial(_save, False, True),
        new_group=True,
        enabled=_has_image,
    ),
    Command(
        "save_plain_view",
        "Save the view without annotations…",
        ("Ctrl+Alt+Shift+S",),
        "File",
        partial(_save, False, False),
        enabled=_has_image,
    ),
    Command(
        "save_named_view",
        "Save the view with the patient's identity…",
        ("Ctrl+Alt+I",),
        "File",
        partial(_save, True, True),
        enabled=_has_image,
    ),
    Command("copy_view", "Copy the view", ("Ctrl+C",), "File", _copy, in_viewport=True, enabled=_has_image),
    Command("print_view", "Print the view…", ("Ctrl+P",), "File", _print, enabled=_has_image),
    Command("tags", "DICOM elements…", ("Ctrl+T",), "File", _tags, enabled=_has_image),
)
