"""Brings studies, picture archives and reports into an archive. Knows no screens; reading is left to import_*.py.

Models see cases in batches, the archive gets them one transaction each. Nothing but the archive remembers how far an
import came: run again after a kill, it skips what is there, completes what is partly there and loses nothing.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from engine.archive import Archive
from engine.errors import Cancelled, Rejected, UserError, exists, missing
from engine.importing import csv_files, dicom_files
from engine.importing.report_table import ReportTable
from engine.importing.source import FoundCase, FoundPicture, LoadedPicture
from engine.models.roles import Encoder
from engine.progress import IsCancelled, Progress, ignore, never
from engine.store.case import CaseFacts, NewCase, NewImage, NewReport
from engine.store.sources import SourceLinks
from engine.store.thumbnail import shrink
from engine.text.deidentify import WARNING, clean

BATCH_IMAGES, BATCH_TEXTS = 16, 32


@dataclass(slots=True)
class ImportResult:
    """What an import did.

    added: new cases. completed: known cases that got further images or their report. skipped: cases with nothing new.
    rejected: what was refused, with its reason. report_only: rows of the reports file that no image matched, as
    "FILE line N"; they are archived as cases of their own. cancelled: it stopped early; run it again to go on.
    """

    added: int = 0
    completed: int = 0
    skipped: int = 0
    images: int = 0
    reports: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    report_only: list[str] = field(default_factory=list)
    cleaned: int = 0
    cancelled: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        names = ("added", "completed", "skipped", "images", "reports", "report_only", "cleaned", "cancelled")
        values: dict[str, Any] = {name: getattr(self, name) for name in names}
        values["rejected"] = [rejected.as_dict() for rejected in self.rejected]
        values["warning"] = WARNING
        return values


@dataclass(slots=True)
class _Prepared:
    """A case whose pictures are read and whose text is cleaned, waiting for its embeddings."""

    found: FoundCase
    known: bool
    pictures: list[tuple[FoundPicture, LoadedPicture]]
    text: str


def import_path(
    archive: Archive,
    bundle: Encoder,
    path: Path | str,
    reports: Path | str | None = None,
    progress: Progress = ignore,
    cancelled: IsCancelled = never,
    link_sources: bool = False,
) -> ImportResult:
    """Import DICOM files (folder, file, zip), a picture archive (cases.csv), picture files, or a CSV of reports.

    Args:
        archive: where to; bound to the bundle on its first import.
        bundle: the models.
        path: what to import.
        reports: CSV whose rows are matched to the cases (import_reports.py).
        progress: called with (cases done, cases in all, what); in all are 0 while the list of cases is made.
        cancelled: asked between two cases; what is committed by then stays.
        link_sources: remember where each case came from, in an owner-only file (sources.py).

    Raises:
        UserError: nothing there, an unusable CSV, or an archive of another bundle.
        Cancelled: while the list of cases was still being made.
    """
    source = Path(path)
    if not exists(source):
        raise missing(source)
    table = ReportTable(Path(reports), cancelled) if reports is not None else None
    kind, found = _read(source, progress, cancelled)
    archive.bind(bundle.id)
    with closing(SourceLinks(archive.folder)) if link_sources else nullcontext() as links:
        import_id = archive.imports.begin(kind)
        job = _Import(archive, bundle, links)
        try:
            for done, (item, total) in enumerate(_with_reports(found, table, job.result), start=1):
                if cancelled():
                    job.result.cancelled = True
                    break
                job.add(item)
                progress(done, total, "Importing cases")
            job.flush()
            archive.index.refresh(save=True)
        finally:
            result = job.result
            archive.imports.end(import_id, result.added + result.completed, result.skipped, len(result.rejected))
    return job.result


def _read(source: Path, progress: Progress, cancelled: IsCancelled) -> tuple[str, list[FoundCase | Rejected]]:
    """What kind of source it is, and its cases; their pictures are named by their content but not decoded yet."""
    kind, found = _kind(source, progress, cancelled)
    items: list[FoundCase | Rejected] = []
    for item in found:
        if cancelled():
            raise Cancelled
        items.append(item)
        progress(len(items), 0, "Listing cases")
    return kind, items


def _kind(source: Path, progress: Progress, cancelled: IsCancelled) -> tuple[str, Iterator[FoundCase | Rejected]]:
    if source.is_dir() and csv_files.is_picture_archive(source):
        return "picture archive", csv_files.read_archive(source, cancelled)
    if source.suffix.lower() == ".csv":
        if source.name == csv_files.CASES:
            return "picture archive", csv_files.read_archive(source.parent, cancelled)
        return "reports", csv_files.read_reports(source, cancelled)
    listing = dicom_files.read_listing(source, progress, cancelled)
    return "DICOM", dicom_files.read_studies(listing, source)


def _with_reports(
    found: Iterable[FoundCase | Rejected], table: ReportTable | None, result: ImportResult
) -> Iterator[tuple[FoundCase | Rejected, int]]:
    """Each item with the number of all; first those found, with their matched text, then the rows that are left."""
    items = list(found)
    if table is None:
        yield from ((item, len(items)) for item in items)
        return
    told = [table.take(item) if isinstance(item, FoundCase) else item for item in items]
    rest = list(table.rest())
    result.report_only += [item.name for item in rest if isinstance(item, FoundCase)]
    total = len(items) + len(rest)
    yield from ((item, total) for item in (*told, *rest))


class _Import:
    """Gathers cases until a batch is worth a call of the models."""

    def __init__(self, archive: Archive, bundle: Encoder, links: SourceLinks | None) -> None:
        self.result = ImportResult()
        self._archive = archive
        self._bundle = bundle
        self._links = links
        self._waiting: list[_Prepared] = []

    def add(self, item: FoundCase | Rejected) -> None:
        if isinstance(item, Rejected):
            self.result.rejected.append(item)
            return
        if any(one.found.key == item.key for one in self._waiting):
            self.flush()  # so that a case named twice sees itself
        holds = self._archive.holds(item.key)
        images, has_report = holds or (frozenset(), False)
        wanted = [one for one in item.pictures if self._archive.identity.image(one.key) not in images]
        text = "" if has_report else item.text
        if not wanted and not text:
            if holds is not None:
                self.result.skipped += 1
            elif not item.pictures:
                self.result.rejected.append(Rejected(item.name, "It has neither an image to archive nor a report."))
            return
        pictures = []
        for one in wanted:
            try:
                loaded = one.load()
            except UserError as error:
                self.result.rejected.append(Rejected(one.name, str(error)))
                continue
            pictures.append((one, LoadedPicture(shrink(loaded.gray), loaded.window)))
        if not pictures and (not text or (wanted and item.named_by_pictures)):
            return
        cleaned = clean(text, item.identifiers)
        self.result.cleaned += cleaned.removed
        self._waiting.append(_Prepared(item, holds is not None, pictures, cleaned.text))
        texts = sum(1 for one in self._waiting if one.text)
        if texts >= BATCH_TEXTS or sum(len(one.pictures) for one in self._waiting) >= BATCH_IMAGES:
            self.flush()

    def flush(self) -> None:
        """Embed and commit what waits, case by case."""
        if not self._waiting:
            return
        grays = [loaded.gray for one in self._waiting for _, loaded in one.pictures]
        texts = [one.text for one in self._waiting if one.text]
        image_rows = iter(self._bundle.embed_images(grays) if grays else ())
        text_rows = iter(self._bundle.embed_texts(texts) if texts else ())
        for one in self._waiting:
            images = tuple(
                NewImage(loaded.gray, next(image_rows), picture.key, loaded.window, picture.frame)
                for picture, loaded in one.pictures
            )
            report = NewReport(one.text, next(text_rows)) if one.text else None
            case_id = self._archive.add_case(_new_case(one.found, images, report), self._bundle.id)
            if self._links is not None:
                self._links.remember(case_id, one.found.name)
            self.result.added += not one.known
            self.result.completed += one.known
            self.result.images += len(images)
            self.result.reports += report is not None
        self._waiting.clear()


def _new_case(found: FoundCase, images: tuple[NewImage, ...], report: NewReport | None) -> NewCase:
    facts: dict[str, Any] = {fact.name: getattr(found, fact.name) for fact in fields(CaseFacts)}
    facts["description"] = clean(found.description, found.identifiers).text
    return NewCase(**facts, images=images, report=report)
