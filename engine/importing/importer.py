"""Imports studies, image folders and reports into an archive. Knows no screens and no file formats.

Models see cases in batches; the archive gets each case in one transaction. Only the archive records how far an import
came: run again after it was interrupted, an import skips what is archived and completes what is partly archived.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from engine.archive import Archive
from engine.errors import Cancelled, Rejected, UnreachableError, UserError, exists, missing
from engine.facts.body_part import body_part_term
from engine.facts.fact import first_of
from engine.facts.from_words import facts_of_words
from engine.importing import csv_files, dicom_files
from engine.importing.import_result import ImportResult
from engine.importing.joining import archived_matches, with_names_of_studies
from engine.importing.prefetch import AHEAD, Prefetch, ReadyPicture
from engine.importing.report_files import is_message_file, read_report_files
from engine.importing.report_table import ReportTable
from engine.importing.source import FoundCase, FoundImage
from engine.models.roles import Encoder
from engine.models.text_detector import TextDetector, text_detector
from engine.progress import IsCancelled, Progress, ignore, never
from engine.store.case import CaseFacts, NewCase, NewImage, NewReport, Report
from engine.store.folder.sources import SourceLinks
from engine.text.deidentify import Cleaned, clean

BATCH_IMAGES, BATCH_TEXTS = 16, 32
AMBIGUOUS = "Several cases match it equally well, so it was archived as a case of its own."
NOT_CLEANED = "Its report, which was there before, may name the patient and could not be cleaned of that."
OTHER_REPORT = "The study has another report already, which is kept."


@dataclass(slots=True)
class _Prepared:
    """A case with its images read and its text cleaned, waiting for its embeddings."""

    found: FoundCase
    known: bool
    images: list[tuple[FoundImage, ReadyPicture]]
    text: str


def import_path(
    archive: Archive,
    bundle: Encoder,
    path: Path | str,
    reports: Path | str | Sequence[Path] | None = None,
    progress: Progress = ignore,
    cancelled: IsCancelled = never,
    link_sources: bool = False,
    keep_text: bool = False,
    ahead: int = AHEAD,
) -> ImportResult:
    """Import DICOM (folder, file or ZIP), an image folder (cases.csv), image files, or reports (report_files.py).

    Args:
        archive: bound to the bundle on its first import.
        bundle: the models.
        path: what to import.
        reports: CSV whose rows are matched to the cases (report_table.py), SR, FHIR or HL7 files, or folders of these.
        progress: called with (cases done, cases in all, what); the second is 0 while the cases are listed.
        cancelled: asked between two cases, and by several threads; what is committed by then is kept.
        link_sources: keep the local path of each case, in a file readable by its owner only (sources.py).
        keep_text: keep text that is burned into the images, which is blacked out otherwise (burned_in.py).
        ahead: images that are read while the models work on those before (prefetch.py); 0 reads one after the other.

    Raises:
        UserError: the path does not exist, a CSV is unusable, the archive is bound to another bundle, or the detector
            of burned-in text is missing or damaged.
        Cancelled: while the cases were still being listed.
    """
    source = Path(path)
    if not exists(source):
        raise missing(source)
    detector = None if keep_text else text_detector(threads=1)
    kind, found, extra = read_all(source, reports, progress, cancelled)
    archive.bind(bundle.id)
    result = ImportResult()
    with closing(SourceLinks(archive.folder)) if link_sources else nullcontext() as links:
        import_id = archive.imports.begin(kind)
        try:
            items = with_reports(found, extra, result)
            import_items(archive, bundle, items, result, detector, progress, cancelled, links, ahead)
            archive.forget_words()
            archive.index.refresh(save=True)
        finally:
            archive.imports.end(import_id, result.added + result.completed, result.skipped, len(result.rejected))
    return result


def import_items(
    archive: Archive,
    bundle: Encoder,
    items: Iterable[FoundCase | Rejected],
    result: ImportResult,
    detector: TextDetector | None,
    progress: Progress = ignore,
    cancelled: IsCancelled = never,
    links: SourceLinks | None = None,
    ahead: int = AHEAD,
) -> None:
    """Import what was found, in its order, and add to the result what was done.

    Raises:
        UserError: the archive is bound to another bundle, or cannot be written; what was archived so far is kept.
    """
    every = list(items)
    prefetch = Prefetch(detector, partial(_unarchived, archive), ahead, cancelled)
    job = _Import(archive, bundle, result, links, prefetch)
    with prefetch:
        for done, (item, total) in enumerate(prefetch.through((item, len(every)) for item in every), 1):
            if cancelled():
                result.cancelled = True
                break
            job.add(item)
            progress(done, total, "Importing cases")
    job.flush()


@dataclass(slots=True)
class Reports:
    """The reports that were given beside the source."""

    tables: list[ReportTable] = field(default_factory=list)
    """Of CSV files, whose rows may name images and cases of the source."""
    cases: list[FoundCase | Rejected] = field(default_factory=list)
    """Of the others."""

    def beside(self, found: Iterable[FoundCase | Rejected]) -> tuple[list[FoundCase | Rejected], ...]:
        """The cases of the source, each with the text of a row that matches it; and the reports that are left."""
        cases = [_with_row(item, self.tables) for item in found]
        return cases, [*(one for table in self.tables for one in table.unmatched()), *self.cases]


def read_all(
    source: Path, reports: Path | str | Sequence[Path] | None, progress: Progress, cancelled: IsCancelled
) -> tuple[str, list[FoundCase | Rejected], Reports]:
    """The kind of source, its cases, and the reports that were given beside it.

    Raises:
        UserError and Cancelled: as `import_path`.
    """
    extra = Reports()
    for path in [Path(reports)] if isinstance(reports, str | Path) else list(reports or ()):
        if path.suffix.lower() == ".csv":
            extra.tables.append(ReportTable(path, cancelled))
        else:
            extra.cases += read_report_files(path, cancelled)
    return *_read(source, progress, cancelled), extra


def _read(source: Path, progress: Progress, cancelled: IsCancelled) -> tuple[str, list[FoundCase | Rejected]]:
    """The kind of source, and its cases; their images are hashed but not decoded yet."""
    kind, found = _open(source, progress, cancelled)
    items: list[FoundCase | Rejected] = []
    for item in found:
        if cancelled():
            raise Cancelled
        items.append(item)
        progress(len(items), 0, "Listing cases")
    return kind, items


def _open(source: Path, progress: Progress, cancelled: IsCancelled) -> tuple[str, Iterator[FoundCase | Rejected]]:
    if source.is_dir() and csv_files.is_image_folder(source):
        return csv_files.IMAGE_FOLDER, csv_files.read_image_folder(source, cancelled)
    if source.suffix.lower() == ".csv":
        if source.name == csv_files.CASES:
            return csv_files.IMAGE_FOLDER, csv_files.read_image_folder(source.parent, cancelled)
        return csv_files.REPORTS, csv_files.read_reports(source, cancelled)
    if source.is_file() and is_message_file(source):
        return csv_files.REPORTS, read_report_files(source, cancelled)
    listing = dicom_files.read_listing(source, progress, cancelled)
    return "DICOM", dicom_files.read_studies(listing, source)


def with_reports(
    found: Iterable[FoundCase | Rejected], reports: Reports, result: ImportResult
) -> list[FoundCase | Rejected]:
    """First the cases with their matching report, then the other reports, whose names are added to the result."""
    matched, unmatched = reports.beside(found)
    result.report_only += [item.name for item in unmatched if isinstance(item, FoundCase)]
    return with_names_of_studies([*matched, *unmatched])


def _with_row(item: FoundCase | Rejected, tables: Sequence[ReportTable]) -> FoundCase | Rejected:
    """The case with the text of the first row that matches it in one of the tables."""
    if isinstance(item, FoundCase):
        for table in tables:
            changed = table.with_report(item)
            if changed is not item:
                return changed
    return item


class _Import:
    """Collects cases until a batch is worth a call of the models."""

    def __init__(
        self, archive: Archive, bundle: Encoder, result: ImportResult, links: SourceLinks | None, prefetch: Prefetch
    ) -> None:
        self.result = result
        self._archive = archive
        self._bundle = bundle
        self._links = links
        self._prefetch = prefetch
        self._waiting: list[_Prepared] = []

    def add(self, item: FoundCase | Rejected) -> None:
        """Read the images of a case that are not archived yet, clean its text, and archive full batches."""
        if isinstance(item, Rejected):
            self.result.rejected.append(item)
            return
        marks = marks_of(item)
        if any(not marks.isdisjoint(marks_of(one.found)) for one in self._waiting):
            self.flush()  # so that the second of two cases with one key finds the first archived
        item = _of_its_patient(self._archive, item)
        if not self._joined(item):
            return
        archived = self._archive.content_of(item.key)
        known_keys = archived.image_keys if archived else frozenset[str]()
        new_images = [one for one in item.images if self._archive.identity.image(one.key) not in known_keys]
        text = "" if archived and archived.has_report else item.text
        if not new_images and not text:
            if archived is not None:
                self.result.skipped += 1
            elif not item.images:
                reason = "It contains neither an image to archive nor a report."
                self.result.rejected.append(Rejected(item.name, reason))
            return
        images = []
        for one in new_images:
            picture = self._prefetch.take(one)
            if isinstance(picture, UserError):
                self.result.rejected.append(Rejected(one.name, str(picture)))
                continue
            self.result.text_boxes += picture.text_boxes
            self.result.text_images += picture.text_boxes > 0
            images.append((one, picture))
        if not images and (not text or (new_images and item.keyed_by_content)):
            return
        cleaned = self._cleaned(item, text)
        self.result.cleaned += cleaned.removed
        self._waiting.append(_Prepared(item, archived is not None, images, cleaned.text))
        texts = sum(1 for one in self._waiting if one.text)
        if texts >= BATCH_TEXTS or sum(len(one.images) for one in self._waiting) >= BATCH_IMAGES:
            self.flush()

    def _joined(self, item: FoundCase) -> bool:
        """Let the archive recognize the item as the case that it belongs to; False when it adds nothing to that."""
        known = self._archive.find_case(item.key)
        if known is None:
            matches = archived_matches(self._archive, item)
            if len(matches) > 1:
                self.result.ambiguous.append(item.name)
            if len(matches) != 1:
                return True
            (known,) = matches
            report = self._archive.case(known).report
            if not item.images and report is not None and report.text != self._cleaned(item, item.text, known).text:
                self.result.rejected.append(Rejected(item.name, OTHER_REPORT))
                return False
            self.result.joined += 1
            if item.images and report is not None:
                self._clean_again(known, report, item)
        if item.name in self.result.report_only and self._archive.has_image(known):
            self.result.report_only.remove(item.name)
        self._archive.recognize(known, item, names=bool(item.images))
        return True

    def _cleaned(self, item: FoundCase, text: str, case_id: int | None = None) -> Cleaned:
        """A text cleaned of what its source names, and of what the header of its archived study named."""
        case_id = self._archive.find_case(item.key) if case_id is None else case_id
        if not text or case_id is None:
            return clean(text, item.identifiers)
        return clean(text, item.identifiers, self._archive.is_name(case_id))

    def _clean_again(self, case_id: int, report: Report, study: FoundCase) -> None:
        """Remove from an archived report what the header of its study names, now that it is there."""
        cleaned = clean(report.text, study.identifiers)
        if cleaned.text != report.text:
            vector = self._bundle.embed_texts([cleaned.text])[0]
            new = NewReport(cleaned.text, vector, report.state, report.machine_share)
            why = "cleaned of what its study names"
            try:
                self._archive.set_report(case_id, new, why, self._bundle.id, instead_of=report.report_id)
            except UnreachableError:
                raise
            except UserError as error:  # of a colleague, on a server
                self.result.rejected.append(Rejected(study.name, f"{NOT_CLEANED} {error}"))
            else:
                self.result.cleaned += cleaned.removed

    def flush(self) -> None:
        """Embed the waiting cases and archive them one by one."""
        if not self._waiting:
            return
        grays = [loaded.gray for one in self._waiting for _, loaded in one.images]
        texts = [one.text for one in self._waiting if one.text]
        image_rows = iter(self._bundle.embed_images(grays) if grays else ())
        text_rows = iter(self._bundle.embed_texts(texts) if texts else ())
        checked = self._prefetch.finds_text
        for one in self._waiting:
            images = tuple(
                NewImage(loaded.gray, next(image_rows), image.key, loaded.window, image.frame, checked)
                for image, loaded in one.images
            )
            report = NewReport(one.text, next(text_rows)) if one.text else None
            case = _new_case(one.found, images, report)
            said = first_of(case.facts, facts_of_words(one.text or case.description))
            if images and not {"modality", "region"} <= said.keys():  # asking the models takes as long as embedding
                case = replace(case, facts=first_of(said, self._bundle.facts_of_image(images[0].gray)))
            case_id = self._archive.add_case(case, self._bundle.id)
            if self._links is not None:
                self._links.remember(case_id, one.found.name)
            self.result.added += not one.known
            self.result.without_study += not (one.known or images)
            self.result.naming_none += not (one.known or images or one.found.joins)
            self.result.completed += one.known
            self.result.images += len(images)
            self.result.reports += report is not None
        self._waiting.clear()


def _unarchived(archive: Archive, case: FoundCase) -> list[FoundImage]:
    """The images of a case that are probably new; which key it has is only known when it is its turn."""
    if not case.images:
        return []
    archived = [archive.content_of(key) for key in {case.key, *(case.shared_keys or ())}]
    known = {key for one in archived if one is not None for key in one.image_keys}
    return [image for image in case.images if archive.identity.image(image.key) not in known]


def marks_of(item: FoundCase) -> set[object]:
    """Keys and joins of a case, by which another one may turn out to be the same."""
    return {item.key, *(item.shared_keys or ()), *item.joins}


def _of_its_patient(archive: Archive, item: FoundCase) -> FoundCase:
    """The case under the key that it has, or gets, beside another patient's study with its UID."""
    if item.shared_keys is None:
        return item
    uid, own = item.shared_keys
    known = archive.find_case(uid)
    if archive.find_case(own) is not None:
        return replace(item, key=own)
    if known is None:
        return item
    if archive.is_of_another(uid, item.patient, item.sex, (image.key for image in item.images)):
        return replace(item, key=own)
    sure = archive.case(known).patient == archive.identity.patient(item.patient) is not None
    return replace(item, key=uid) if sure else item


def _new_case(found: FoundCase, images: tuple[NewImage, ...], report: NewReport | None) -> NewCase:
    facts: dict[str, Any] = {fact.name: getattr(found, fact.name) for fact in fields(CaseFacts)}
    facts["description"] = clean(found.description, found.identifiers).text
    facts["body_part"] = body_part_term(found.body_part)
    return NewCase(**facts, images=images, report=report)
