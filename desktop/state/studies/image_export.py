"""Exports the anonymised images of the selected study on a worker. Knows no widgets and nothing of DICOM."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane
from desktop.state.studies.studies import StudiesState, belongs
from engine.dicom.listing import Listing
from engine.errors import UserError, exists
from engine.image.export.export_images import ZIP, export_images
from engine.image.export.result import NOT_IMAGES, ExportResult
from engine.progress import IsCancelled, Progress
from engine.reports.workspace_audit import ANONYMISED
from engine.study import Study

CANCELLED = "The export was cancelled; nothing was written."
LISTED = "Rejected files lists them."


class ImageExportState(QObject):
    """Any number of exports at a time; each says in the end what it did."""

    message = Signal(str)
    """A sentence or two for the user."""

    def __init__(
        self,
        background: Background,
        studies: StudiesState,
        record: Callable[[str, str], None],
        parent: QObject | None = None,
    ) -> None:
        """`record` notes in the audit of which study what was exported, once it was."""
        super().__init__(parent)
        self._background, self._studies, self._record = background, studies, record

    @property
    def can_export(self) -> bool:
        """Whether a study is selected whose files have all been read."""
        study = self._studies.study
        return study is not None and not any(series.growing for series in study.series)

    def export(self, path: Path, as_zip: bool) -> None:
        """Export the selected study to a new folder or ZIP file.

        Args:
            path: as it was chosen.
            as_zip: a ZIP file, whose name gets its suffix.

        Raises:
            UserError: it exists.
        """
        study = self._studies.study
        if study is None:
            return
        if as_zip and path.suffix.lower() != ZIP:
            path = path.with_name(path.name + ZIP)
        if exists(path):
            raise UserError(f"{path.name} exists already; choose another name.", path)
        documents = tuple(one for one in self._studies.documents.values() if belongs(one, study))
        uid = study.stated_uid or study.uid
        marked = tuple(one for one in self._studies.key_objects.values() if one.study_uid == uid)
        listing = Listing((study,), key_objects=marked, documents=documents)
        self._background.start(
            partial(_work, listing, study, path),
            partial(self._tell, path, study.uid),
            title="Exporting anonymised images",
            lane=Lane.LONG,
            cancelled=partial(self.message.emit, CANCELLED),
        )

    def _tell(self, path: Path, uid: str, result: ExportResult) -> None:
        self._record(uid, ANONYMISED)
        said = [result.sentence(path.name)]
        if result.refused:
            self._studies.add_rejected(result.refused)
            said.append(LISTED)
        if result.documents:
            said.append(NOT_IMAGES)
        self.message.emit(" ".join(said))


def _work(listing: Listing, study: Study, path: Path, progress: Progress, cancelled: IsCancelled) -> ExportResult:
    return export_images(listing, (study,), path, progress, cancelled)
