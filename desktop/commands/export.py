"""Commands of the File menu that export the study, export, copy and print the image, and list DICOM tags."""

from functools import partial
from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QFileDialog

from desktop.commands.command import Command
from desktop.desk import Desk
from desktop.views.viewer.export_image import print_image, render_viewport, save_png, warning
from desktop.views.viewer.tag_browser import TagBrowser
from desktop.views.window import MainWindow

HIDDEN = "without patient data in the overlay text"


def _has_image(desk: Desk) -> bool:
    return desk.viewport.picture is not None


def _export(desk: Desk, window: MainWindow, *, annotations: bool = True, patient_data: bool = False) -> None:
    image = render_viewport(desk, annotations, patient_data)
    name, _ = QFileDialog.getSaveFileName(window, "Export image", "image.png", "PNG image (*.png)")
    if name:
        path = Path(name) if Path(name).suffix.lower() == ".png" else Path(f"{name}.png")
        save_png(image, path)
        done = f"Exported {path.name} {'with patient data' if patient_data else HIDDEN}."
        _confirm(desk, done, patient_data, annotations)


def _export_study(desk: Desk, window: MainWindow) -> None:
    filters = {"ZIP file (*.zip)": True, "Folder (*)": False}
    name, chosen = QFileDialog.getSaveFileName(
        window,
        "Export anonymised study",
        "anonymised.zip",
        ";;".join(filters),
        "",
        QFileDialog.Option.DontConfirmOverwrite,  # nothing is ever overwritten
    )
    if name:
        desk.image_export.export(Path(name), filters.get(chosen, True))


def _copy(desk: Desk, window: MainWindow) -> None:
    QGuiApplication.clipboard().setImage(render_viewport(desk))
    _confirm(desk, f"Copied the image {HIDDEN}.")


def _print(desk: Desk, window: MainWindow) -> None:
    image = render_viewport(desk)
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    dialog = QPrintDialog(printer, window)
    accepted = dialog.exec()
    dialog.deleteLater()  # its parent would keep it
    if accepted:
        print_image(image, printer)
        _confirm(desk, f"Printed the image {HIDDEN}.")


def _confirm(desk: Desk, text: str, patient_data: bool = False, annotations: bool = True) -> None:
    study = desk.viewport.study
    if study is not None:
        desk.report.record_export(study.uid, "image with patient data" if patient_data else "image")
    desk.messages.show_text(f"{text} {warning(desk, patient_data, annotations)}".strip())


def _tags(desk: Desk, window: MainWindow) -> None:
    if desk.viewport.picture is not None:
        desk.tags.show()
        browser = window.findChild(TagBrowser) or TagBrowser(desk.tags, window)
        browser.show()
        browser.raise_()


ROWS = (
    Command(
        "export_image",
        "Export image…",
        ("Ctrl+Alt+S",),
        "File",
        _export,
        new_group=True,
        enabled=_has_image,
    ),
    Command(
        "export_without_annotations",
        "Export image without annotations…",
        ("Ctrl+Alt+Shift+S",),
        "File",
        partial(_export, annotations=False),
        enabled=_has_image,
    ),
    Command(
        "export_with_patient_data",
        "Export image with patient data…",
        ("Ctrl+Alt+I",),
        "File",
        partial(_export, patient_data=True),
        enabled=_has_image,
    ),
    Command(
        "export_study",
        "Export anonymised study…",
        ("Ctrl+Alt+X",),
        "File",
        _export_study,
        enabled=lambda d: d.image_export.can_export,
    ),
    Command("copy_image", "Copy image", ("Ctrl+C",), "File", _copy, in_viewport=True, enabled=_has_image),
    Command("print_image", "Print image…", ("Ctrl+P",), "File", _print, enabled=_has_image),
    Command("dicom_tags", "DICOM tags…", ("Ctrl+T",), "File", _tags, enabled=_has_image),
)
