"""File and folder dialogs, and the small dialogs of the app. Passes each answer to a state; does no work itself."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QWidget

from desktop.desk import Desk
from desktop.errors import Message
from desktop.outside import guide, open_file
from desktop.state.mpr.slab import THICKEST, THINNEST
from desktop.state.upkeep.backups import WORKSPACE, Listed
from desktop.state.upkeep.unlocking import Asked
from desktop.views.chooser import Choice, Chooser
from desktop.views.guide_window import GuideWindow
from desktop.views.pacs.addresses_dialog import PacsAddressesDialog
from desktop.views.pacs.priors_dialog import PacsPriorsDialog
from desktop.views.settings.rows import CACHE_MEGABYTES
from desktop.views.status import NOTICE
from desktop.views.studies.rejected import RejectedDialog
from desktop.views.upkeep.archive_window import ArchiveWindow
from desktop.views.upkeep.model_window import ModelWindow
from desktop.views.upkeep.passphrase_dialog import PassphraseDialog
from desktop.views.upkeep.server_dialog import ServerDialog
from desktop.views.viewer.presets_dialog import PresetsDialog
from engine.errors import UserError


class Dialogs:
    """Opens dialogs on top of the main window."""

    def __init__(self, desk: Desk, parent: QWidget) -> None:
        self._desk, self._parent = desk, parent
        self.rejected: RejectedDialog | None = None
        self.presets: PresetsDialog | None = None
        self.archive: ArchiveWindow | None = None
        self.model: ModelWindow | None = None
        self.pacs_priors: PacsPriorsDialog | None = None
        self.pacs_settings: PacsAddressesDialog | None = None
        desk.deletion.asked.connect(self.delete)
        desk.upkeep.backups.listed.connect(self.choose_backup)
        desk.upkeep.backups.asked.connect(self.restore)
        desk.upkeep.unlocking.asked.connect(self.ask_passphrase)

    def open_files(self) -> None:
        """Choose and open DICOM or ZIP files."""
        paths, _ = QFileDialog.getOpenFileNames(self._parent, "Open DICOM or ZIP files")
        self._desk.open([Path(path) for path in paths])

    def open_folder(self) -> None:
        """Choose and open a folder of DICOM files."""
        path = self._folder("Open folder with DICOM files")
        if path:
            self._desk.open([path])

    def open_archive(self) -> None:
        """Choose and open an archive."""
        path = self._folder("Open archive folder")
        if path:
            self._desk.archive.open(path)

    def open_server(self) -> None:
        """Ask for the address of an archive on a server, and open it."""
        upkeep = self._desk.upkeep
        ServerDialog(upkeep.opening, upkeep.unlocking.can_remember, self._front).open()

    def new_archive(self) -> None:
        """Choose a folder and create an archive in it."""
        path = self._folder("Choose an empty folder for the new archive")
        if path:
            self._desk.archive.create(path)

    def show_archive(self) -> None:
        """Show what the archive holds, with what can be done to it; one window, which comes to the front."""
        if self.archive is None:
            imports = (
                ("Import folder…", self.import_folder),
                ("Import file…", self.import_file),
                ("Preview import…", self.preview_import),
            )
            self.archive = ArchiveWindow(self._desk, imports, self._parent)
            self.archive.finished.connect(self._forget_archive)
        self.archive.show()
        self.archive.raise_()
        self.archive.activateWindow()

    def show_model(self, teach: bool = False) -> None:
        """Show what the models are, or with `teach` how they learn; one window, which comes to the front."""
        if self.model is None:
            self.model = ModelWindow(self._desk, self.load_models, self._parent)
            self.model.finished.connect(self._forget_model)
        if teach:
            self.model.pages.setCurrentWidget(self.model.teach)
        self.model.show()
        self.model.raise_()
        self.model.activateWindow()

    def _forget_archive(self) -> None:
        if self.archive is not None:
            self.archive.deleteLater()
            self.archive = None

    def _forget_model(self) -> None:
        if self.model is not None:
            self.model.deleteLater()
            self.model = None

    @property
    def _front(self) -> QWidget:
        """The window that a question belongs to."""
        active = (one for one in (self.archive, self.model) if one is not None and one.isActiveWindow())
        return next(active, self._parent)

    def import_folder(self) -> None:
        """Choose a folder and import it into the archive."""
        path = self._folder("Import folder with DICOM files, or with images and cases.csv")
        if path:
            self._desk.archive.import_into(path)

    def import_file(self) -> None:
        """Choose a file and import it into the archive."""
        name, _ = QFileDialog.getOpenFileName(self._front, "Import DICOM or ZIP file, or reports (CSV, FHIR, HL7)")
        if name:
            self._desk.archive.import_into(Path(name))

    def preview_import(self) -> None:
        """Choose a folder, and list which of its reports and studies an import would join."""
        path = self._folder("Preview the import of a folder with reports and studies")
        if path:
            self._desk.archive.preview_import(path)

    def show_preview(self, lines: Sequence[str]) -> None:
        """Show what an import would do: the counts, and the lists as details."""
        counts, *lists = lines
        box = QMessageBox(QMessageBox.Icon.Information, "Import preview", counts, parent=self._front)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setInformativeText(lists.pop())
        if self._desk.viewport.patient_data_visible:  # file names often contain patient names
            box.setDetailedText("\n".join(lists))
        box.open()

    def load_models(self) -> None:
        """Choose and load a bundle of models."""
        path = self._folder("Choose a model bundle (the folder with manifest.json)")
        if path:
            self._desk.upkeep.model.use(path)

    def show_rejected(self) -> None:
        """List the rejected files; closes when patient data is shown or hidden, which changes the file names."""
        self.rejected = RejectedDialog(
            self._desk.studies.rejected, self._parent, names=self._desk.viewport.patient_data_visible
        )
        self.rejected.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._desk.layout.active_proxy.redaction_changed.connect(self.rejected.close)
        self.rejected.show()

    def show_pacs_priors(self) -> None:
        """Ask the PACS for the other studies of the patient on screen, and list them."""
        if self.pacs_priors is not None:
            self.pacs_priors.close()
        self._desk.pacs.priors.start()
        self.pacs_priors = PacsPriorsDialog(self._desk, self._parent)
        self.pacs_priors.finished.connect(self._forget_priors)
        self.pacs_priors.show()

    def show_pacs_settings(self) -> None:
        """List the PACS that were added, to add others."""
        self.pacs_settings = PacsAddressesDialog(self._desk.pacs.addresses, self._parent)
        self.pacs_settings.open()

    def _forget_priors(self) -> None:
        self.pacs_priors = None

    def edit_presets(self) -> None:
        """Edit the window presets of the modality on screen."""
        series = self._desk.viewport.series
        if series is not None:
            store = partial(self._desk.settings.set_presets, series.modality)
            self.presets = PresetsDialog(series.modality, self._desk.viewport.presets, store, self._parent)
            self.presets.open()

    def save_preset(self) -> None:
        """Save the window on screen as the last preset of its modality, under a name that the user enters."""
        series, window = self._desk.viewport.series, self._desk.viewport.shown_window
        if series is None or window is None:
            return
        name, accepted = QInputDialog.getText(
            self._parent, "Save window preset", f"Name of the {series.modality} preset"
        )
        if accepted and name.strip():
            added = replace(window, name=name.strip())
            self._desk.settings.set_presets(series.modality, (*self._desk.viewport.presets, added))

    def set_cache_size(self) -> None:
        """Set the limit of the image cache."""
        size, (smallest, largest) = self._desk.settings.now.cache_megabytes, CACHE_MEGABYTES
        text = "Memory for decoded images in MB. A larger cache keeps more series ready."
        size, accepted = QInputDialog.getInt(self._parent, "Image cache size", text, size, smallest, largest, 128)
        if accepted:
            self._desk.settings.change(cache_megabytes=size)

    def set_slab_thickness(self) -> None:
        """Set the thickness of the slabs of MPR."""
        now, text = self._desk.slab.slab.thickness, "Thickness in mm."
        thickness, accepted = QInputDialog.getDouble(
            self._parent, "Slab thickness", text, now, THINNEST, THICKEST, decimals=1
        )
        if accepted:
            self._desk.slab.set_thickness(thickness)

    def delete(self, question: str) -> None:
        """Ask whether to delete cases; No is the default."""
        self._ask("Delete from archive", question, self._desk.deletion.confirm)

    def _ask(self, title: str, question: str, confirm: Callable[[], object]) -> None:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        box = QMessageBox(QMessageBox.Icon.Warning, title, question, yes | no, self._front)
        box.setDefaultButton(no)
        box.button(yes).clicked.connect(confirm)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def choose_backup_folder(self) -> None:
        """Choose the folder that backups are kept in."""
        path = self._folder("Choose the folder for backups, on another disk if possible")
        if path:
            self._desk.upkeep.backups.keep_in(path)

    def choose_backup(self, found: Sequence[Listed]) -> None:
        """Choose the backup that the archive is restored from."""
        ask = self._desk.upkeep.backups.ask
        choices = [Choice(one.text, partial(self._try, ask, one.path), one.context) for one in found]
        Chooser("Restore archive from backup", "backups", choices, self._front, WORKSPACE).show()

    def restore(self, question: str) -> None:
        """Ask whether to restore; No is the default."""
        self._ask("Restore from backup", question, self._desk.upkeep.backups.confirm)

    def ask_passphrase(self, asked: Asked) -> None:
        """Ask for the passphrase of an encrypted archive, or of the reports."""
        PassphraseDialog(self._desk.upkeep.unlocking, asked, self._front).open()

    def _try(self, work: Callable[..., object], *arguments: object) -> None:
        try:
            work(*arguments)
        except UserError as error:
            self._desk.show_problem(error)

    def tell(self, title: str, text: str) -> None:
        """Show a text that needs no decision."""
        box = QMessageBox(QMessageBox.Icon.NoIcon, title, text, parent=self._parent)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def show_guide(self) -> None:
        """Open the guides in the browser, or in the app where there is none or it may not read files.

        Raises:
            UserError: they are not built.
        """
        page = guide()

        def read_here() -> None:
            GuideWindow(page, self._parent).show()

        if open_file(page):  # a locked browser refuses the page without telling the app
            text = "The guide opens in the browser."
            self._desk.messages.show(Message(text, action="Read it here", run=read_here))
        else:
            read_here()

    def about(self) -> None:
        """Show version, intended use and loaded models."""
        bundle = self._desk.archive.bundle
        models = f"Models: {bundle.manifest['name']} on {bundle.provider}." if bundle else "No models loaded."
        box = QMessageBox(
            QMessageBox.Icon.NoIcon, "About Kindred", f"Kindred {version('kindred-radiology')}", parent=self._parent
        )
        box.setInformativeText(
            f"{NOTICE}.\n\nFinds similar cases by image or text, and drafts reports from them.\n{models}"
        )
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def _folder(self, title: str) -> Path | None:
        name = QFileDialog.getExistingDirectory(self._front, title)
        return Path(name) if name else None
