"""Exports the report of the selected study to a file, on a worker. Knows no widgets and no format but PDF."""

import re
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QObject, Signal
from PySide6.QtGui import QFont, QPageLayout, QPageSize, QPdfWriter, QTextDocument

from desktop.background import Background, Lane, as_work
from desktop.state.report.report import ReportState
from desktop.state.studies.studies import StudiesState
from desktop.state.viewer.key_images import KeyImagesState
from engine.errors import UserError, exists
from engine.reports.export.exported_report import ExportedReport
from engine.reports.export.formats import FORMATS, export_report, write_file
from engine.reports.export.html import as_html

MARGIN = 18.0
"""Millimeters around a page of a PDF."""
CHARACTERS = re.compile(rb"\[(?:<[\dA-F]+> )+\]")
"""The characters of the glyphs of a font, in the character map of a PDF."""
PDF, PDF_WITHOUT_IMAGES = "pdf", "pdf without images"


@dataclass(frozen=True, slots=True)
class Choice:
    """A format as the file dialog offers it."""

    name: str
    filter: str
    """Such as "PDF document (*.pdf)"."""
    suffix: str


class ExportState(QObject):
    """One export at a time is asked for; each runs to its end."""

    message = Signal(str)
    """One sentence for the user."""

    def __init__(
        self,
        background: Background,
        studies: StudiesState,
        report: ReportState,
        key_images: KeyImagesState,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background, self._studies, self._report, self._key_images = background, studies, report, key_images

    @property
    def can_export(self) -> bool:
        """Whether the selected study has a text, or key images, which can be exported alone."""
        study, page = self._studies.study, self._report.page
        return study is not None and page is not None and bool(page.text.strip() or self._key_images.own(study))

    def choices(self) -> list[Choice]:
        """The formats, those that people read first."""
        pdf = [
            Choice(PDF, "PDF document (*.pdf)", ".pdf"),
            Choice(PDF_WITHOUT_IMAGES, "PDF document without key images (*.pdf)", ".pdf"),
        ]
        return pdf + [Choice(name, f"{one.label} (*{one.suffix})", one.suffix) for name, one in FORMATS.items()]

    def export(self, choice: Choice, path: Path) -> None:
        """Write the report on screen, with its signed addenda, and replace the file if it exists.

        Raises:
            UserError: with the suffix of the format, the name is that of a file that nobody agreed to replace.
        """
        study, page = self._studies.study, self._report.page
        if study is None or page is None or study.uid != page.study:
            return
        if path.suffix.lower() != choice.suffix:
            path = path.with_name(path.name + choice.suffix)
            if exists(path):
                raise UserError(f"{path.name} exists already; choose another name.")
        report = ExportedReport.of(study, page.stored, page.document, self._key_images.own(study))
        self._background.start(
            as_work(_write, report, choice.name, path),
            lambda _: self._confirm(path, study.uid, choice.name),
            title="Exporting the report",
            lane=Lane.LONG,
        )

    def _confirm(self, path: Path, study: str, what: str) -> None:
        self._report.record_export(study, what)
        self.message.emit(f"Exported {path.name} with patient data.")


def _write(report: ExportedReport, name: str, path: Path) -> None:
    if name in (PDF, PDF_WITHOUT_IMAGES):
        write_file(path, as_pdf(as_html(report, with_images=name == PDF)))
    else:
        export_report(report, name, path)


def as_pdf(page: str) -> bytes:
    """An HTML page as a PDF document on A4 whose words can be searched. Nothing that it refers to is loaded."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setCreator("Kindred")
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    writer.setPageMargins(QMarginsF(MARGIN, MARGIN, MARGIN, MARGIN), QPageLayout.Unit.Millimeter)
    document, font = QTextDocument(), QFont()
    for ligatures in ("liga", "clig"):  # a search for "effusion" does not find one that is written with a ligature
        font.setFeature(QFont.Tag(ligatures), 0)
    document.setDefaultFont(font)
    document.setHtml(page)
    document.print_(writer)
    buffer.close()
    return with_spaces(bytes(buffer.data().data()))


def with_spaces(pdf: bytes) -> bytes:
    """A PDF of Qt in which spaces are spaces: it maps them to tabs (ToUnicode, ISO 32000-1, 9.10.3)."""
    return CHARACTERS.sub(lambda found: found[0].replace(b"<0009>", b"<0020>"), pdf)
