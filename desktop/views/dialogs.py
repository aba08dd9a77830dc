"""Asks for files and folders and shows the small dialogs. Hands every answer to a state; does no work itself."""

from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QWidget

from desktop.desk import Desk
from desktop.views.status import NOTICE
from desktop.views.studies.rejected import RejectedDialog
from desktop.views.viewer.presets_dialog import PresetsDialog

CACHE_MEGABYTES = (128, 65_536)
"""Least and most for decoded images."""


class Dialogs:
    def __init__(self, desk: Desk, parent: QWidget) -> None:
        self._desk, self._parent = desk, parent
        self.rejected: RejectedDialog | None = None
        self.presets: PresetsDialog | None = None

    def open_files(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self._parent, "Open DICOM files or zip archives")
        self._desk.open([Path(path) for path in paths])

    def open_folder(self) -> None:
        path = self._folder("Open a folder with DICOM files")
        if path:
            self._desk.open([path])

    def open_archive(self) -> None:
        path = self._folder("Open an archive (its folder)")
        if path:
            self._desk.archive.open(path)

    def new_archive(self) -> None:
        path = self._folder("Choose an empty folder for the new archive")
        if path:
            self._desk.archive.create(path)

    def import_folder(self) -> None:
        path = self._folder("Import a folder of DICOM files, or of images with cases.csv")
        if path:
            self._desk.archive.import_into(path)

    def import_file(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self._parent, "Import a DICOM file, a zip, or a CSV of reports")
        if name:
            self._desk.archive.import_into(Path(name))

    def load_models(self) -> None:
        path = self._folder("Choose a bundle (the folder with manifest.json)")
        if path:
            self._desk.archive.load_bundle(path)

    def show_rejected(self) -> None:
        self.rejected = RejectedDialog(
            self._desk.studies.rejected, self._parent, names=self._desk.viewport.patient_data_visible
        )
        self.rejected.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._desk.layout.active_proxy.redaction_changed.connect(self.rejected.close)  # it names files, or it does not
        self.rejected.show()

    def edit_presets(self) -> None:
        """The windows of the modality on screen."""
        series = self._desk.viewport.series
        if series is not None:
            keep = partial(self._desk.settings.set_presets, series.modality)
            self.presets = PresetsDialog(series.modality, self._desk.viewport.presets, keep, self._parent)
            self.presets.open()

    def save_preset(self) -> None:
        """The window on screen under a name, after those that there are."""
        series, window = self._desk.viewport.series, self._desk.viewport.shown_window
        if series is None or window is None:
            return
        title, question = "Keep this window", f"Name of the preset for {series.modality}"
        name, sure = QInputDialog.getText(self._parent, title, question)
        if sure and name.strip():
            added = replace(window, name=name.strip())
            self._desk.settings.set_presets(series.modality, (*self._desk.viewport.presets, added))

    def image_memory(self) -> None:
        """How much decoded frames may take."""
        now, (least, most) = self._desk.settings.now.cache_megabytes, CACHE_MEGABYTES
        title, question = "Memory for images", "Megabytes for decoded images; more keeps more series ready"
        chosen, sure = QInputDialog.getInt(self._parent, title, question, now, least, most, 128)
        if sure:
            self._desk.settings.change(cache_megabytes=chosen)

    def about(self) -> None:
        bundle = self._desk.archive.bundle
        models = f"Models: {bundle.manifest['name']}, on {bundle.provider}." if bundle else "No models are loaded."
        box = QMessageBox(
            QMessageBox.Icon.NoIcon, "About Kindred", f"Kindred {version('kindred-radiology')}", parent=self._parent
        )
        box.setInformativeText(
            f"{NOTICE}.\n\nSimilar cases by image or by words, and a report that starts from them.\n{models}"
        )
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def _folder(self, title: str) -> Path | None:
        name = QFileDialog.getExistingDirectory(self._parent, title)
        return Path(name) if name else None
