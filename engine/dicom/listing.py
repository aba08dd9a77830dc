"""Lists the DICOM images of folders and ZIP files as studies, rejecting other files with a reason. Reads no pixels."""

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZipFile, ZipInfo

from engine.dicom.coding.pixel_data import true_syntax
from engine.dicom.documents.document import TAGS as DOCUMENT_TAGS
from engine.dicom.documents.document import StudyDocument, kind_of, study_document
from engine.dicom.fast_header import read_fast_header
from engine.dicom.file import NOT_DICOM, read_header
from engine.dicom.files import files_of
from engine.dicom.header import SEQUENCES, TAGS, Instance, StudyFacts, instance
from engine.dicom.identity import apart, by_identity
from engine.dicom.key_objects import SOP_CLASS as KEY_OBJECTS
from engine.dicom.key_objects import KeyObject, key_object
from engine.dicom.natural_order import natural_key
from engine.dicom.origins import (
    DAMAGED_ZIP,
    FileOrigin,
    ZipMember,
    begins_as_zip,
    is_zip,
    member_name,
    open_archive,
    open_member,
    other_container,
)
from engine.dicom.parser_warnings import collect_warnings
from engine.dicom.series_sort import stacks
from engine.dicom.sop_classes import MEDIA_DIRECTORY, why_not_an_image
from engine.dicom.values import FileHeader, text
from engine.errors import Cancelled, Rejected, UserError
from engine.progress import IsCancelled, Progress, ignore, never
from engine.study import Origin, Series, Study

INDEX_ALONE = "This is a DICOMDIR, the index of a medium; no image that it lists was found here. Copy the whole medium."


@dataclass(frozen=True, slots=True)
class Listing:
    """The result of reading files. Each file is in a study, or in exactly one of the other fields."""

    studies: tuple[Study, ...] = ()
    """Newest first."""
    rejected: tuple[Rejected, ...] = ()
    """Files that were not opened, with reasons."""
    skipped: tuple[str, ...] = field(default=())
    """DICOMDIRs, whose files are listed themselves."""
    key_objects: tuple[KeyObject, ...] = ()
    """Documents that mark images of these or other studies, perhaps not listed yet."""
    documents: tuple[StudyDocument, ...] = ()
    """Reports, PDFs, presentation states and segmentations of these or other studies."""

    def with_reasons(self) -> "Listing":
        """The listing where a DICOMDIR that has led to no image is rejected rather than skipped without a word."""
        if self.studies or self.key_objects or self.documents or not self.skipped:
            return self
        indexes = tuple(Rejected(name, INDEX_ALONE) for name in self.skipped)
        return replace(self, rejected=self.rejected + indexes, skipped=())

    def as_dict(self) -> dict[str, object]:
        """The listing for JSON, without patient data."""
        return {
            "studies": [study.as_dict() for study in self.studies],
            "key_objects": [document.as_dict() for document in self.key_objects],
            "documents": [document.as_dict() for document in self.documents],
            "rejected": [rejected.as_dict() for rejected in self.rejected],
        }


UNPACK_FIRST = "This is a {} file, which is not opened here; unpack it first and open the folder."
FIRST_PART_AFTER = 0.35
"""Seconds of reading until a first partial listing; each next one follows after twice the time."""


def open_path(
    path: Path | Sequence[Path],
    progress: Progress = ignore,
    cancelled: IsCancelled = never,
    found: Callable[[Listing], None] | None = None,
) -> Listing:
    """List the DICOM images of files, folders of any depth and ZIP files, and the documents that mark key images.

    Args:
        path: one or several. A DICOMDIR stands for the files that it lists.
        progress: called after each file.
        cancelled: asked before each file.
        found: called with partial listings, every series marked as growing, when reading takes long.

    Raises:
        UserError: a given path does not exist.
        Cancelled: `cancelled` returned true.
    """
    paths = [Path(path)] if isinstance(path, str | Path) else [Path(one) for one in path]
    builder = _Builder()
    files: list[Path] = []
    for top in paths:
        files.extend(files_of(top, builder.reject, cancelled))
    return _build(builder, [FileOrigin(file) for file in dict.fromkeys(files)], progress, cancelled, found)


def open_origins(
    origins: Sequence[Origin],
    progress: Progress = ignore,
    cancelled: IsCancelled = never,
    found: Callable[[Listing], None] | None = None,
) -> Listing:
    """List the DICOM images of any source, otherwise like `open_path`.

    Args:
        origins: DICOM objects, and ZIP files of them.

    Raises:
        Cancelled: `cancelled` returned true.
    """
    return _build(_Builder(), origins, progress, cancelled, found)


def _build(
    builder: "_Builder",
    origins: Sequence[Origin],
    progress: Progress,
    cancelled: IsCancelled,
    found: Callable[[Listing], None] | None,
) -> Listing:
    start, wait = time.monotonic(), FIRST_PART_AFTER
    for done, origin in enumerate(origins, 1):
        if cancelled():
            raise Cancelled
        builder.add(origin, cancelled)
        progress(done, len(origins), origin.name if origin.file is None else origin.file.name)
        if found is not None and done < len(origins) and time.monotonic() - start >= wait and builder.has_images:
            found(builder.listing(growing=True))
            wait = 2 * (time.monotonic() - start)
    return builder.listing().with_reasons()


class _Builder:
    """Collects what has been read so far into a listing."""

    def __init__(self) -> None:
        self._instances: list[Instance] = []
        self._key_objects: list[KeyObject] = []
        self._documents: list[StudyDocument] = []
        self._rejected: list[Rejected] = []
        self._skipped: list[str] = []
        self._seen: dict[tuple[str, str, str], str] = {}
        self._facts: dict[Any, Any] = {}

    def reject(self, name: str, reason: str, other: str = "") -> None:
        """Record a file that is not opened; see `Rejected` for the arguments."""
        self._rejected.append(Rejected(name, reason, other))

    def add(self, origin: Origin, cancelled: IsCancelled) -> None:
        """Read one file: an image, a Key Object Selection, a DICOMDIR or a ZIP file."""
        try:
            with origin.open() as file:
                if begins_as_zip(file):
                    self._add_archive(origin, file, cancelled)
                else:
                    self._add_file(origin, file, cancelled)
        except UserError as error:
            self.reject(origin.name, str(error), error.other)

    def _add_file(self, origin: Origin, file: BinaryIO, cancelled: IsCancelled) -> None:
        """Read what begins as no ZIP file: a DICOM object, or a ZIP file behind other bytes (a self-extracting one)."""
        try:
            with collect_warnings():
                self._add_object(origin, file)
        except UserError as error:
            if str(error) != NOT_DICOM:
                raise
            if is_zip(file):
                file.seek(0)
                self._add_archive(origin, file, cancelled)
                return
            if container := other_container(file):
                raise UserError(UNPACK_FIRST.format(container)) from error
            raise UserError(DAMAGED_ZIP if origin.name.lower().endswith(".zip") else NOT_DICOM) from error

    def _add_archive(self, origin: Origin, file: BinaryIO, cancelled: IsCancelled) -> None:
        """Add every member. A ZIP file without any image is rejected as one when all its members fail alike."""
        inner = _Builder()
        inner._seen, inner._facts = self._seen, self._facts
        with open_archive(file) as archive:
            for info in sorted(archive.infolist(), key=lambda one: natural_key(one.filename)):
                if cancelled():
                    raise Cancelled
                if info.is_dir():
                    continue
                try:
                    inner._add_member(origin, archive, info)
                except UserError as error:
                    inner.reject(member_name(origin, info.filename), str(error), error.other)
        reasons = {(rejected.reason, rejected.other) for rejected in inner._rejected}
        if not (inner._instances or inner._key_objects or inner._documents or inner._skipped) and len(reasons) < 2:
            reason, other = reasons.pop() if reasons else ("The ZIP file is empty.", "")
            self.reject(origin.name, "This ZIP file contains no DICOM files." if reason == NOT_DICOM else reason, other)
            return
        self._instances += inner._instances
        self._key_objects += inner._key_objects
        self._documents += inner._documents
        self._rejected += inner._rejected
        self._skipped += inner._skipped

    def _add_member(self, origin: Origin, archive: ZipFile, info: ZipInfo) -> None:
        if archive.NameToInfo[info.filename] is not info:  # reading by name finds the last one
            raise UserError("The ZIP file contains several files of this name; unpack it and open the folder.")
        with collect_warnings(), open_member(archive, info) as stream:
            if begins_as_zip(stream):
                raise UserError("ZIP files inside ZIP files are not supported; unpack it first.")
            try:
                self._add_object(ZipMember(origin, info.filename), stream)
            except UserError as error:
                container = other_container(stream) if str(error) == NOT_DICOM else ""
                if not container:
                    raise
                raise UserError(UNPACK_FIRST.format(container)) from error

    def _add_object(self, origin: Origin, file: BinaryIO) -> None:
        name = origin.name
        dataset = read_fast_header(file, SEQUENCES) or read_header(file, TAGS)
        if _is_dicomdir(dataset):
            self._skipped.append(name)
            return
        if text(dataset, "SOPClassUID") == KEY_OBJECTS:
            document = key_object(read_header(file), name)
            self._refuse_duplicate((document.study_uid, "", document.sop_uid), name)
            self._key_objects.append(document)
            return
        kind = kind_of(text(dataset, "SOPClassUID"))
        if kind is not None:
            found_document = study_document(read_header(file, DOCUMENT_TAGS), origin, kind)
            self._refuse_duplicate((found_document.study.uid, "", found_document.sop_uid), name)
            self._documents.append(found_document)
            return
        reason = why_not_an_image(text(dataset, "SOPClassUID"))
        if reason:
            raise UserError(reason)
        dataset.file_meta.TransferSyntaxUID = true_syntax(file, dataset)
        found = self._with_shared_facts(instance(dataset, origin))
        self._refuse_duplicate((found.study.uid, found.series.uid, found.image.sop_uid), name)
        self._instances.append(found)

    def _with_shared_facts(self, found: Instance) -> Instance:
        """The instance with the facts of an earlier one where they are equal, which takes much less memory."""
        study, series = (
            self._facts.setdefault(found.study, found.study),
            self._facts.setdefault(found.series, found.series),
        )
        return replace(found, study=study, series=series)

    def _refuse_duplicate(self, key: tuple[str, str, str], name: str) -> None:
        """Raise UserError for an object whose study, series and SOP Instance UIDs have been listed already."""
        if key[2]:
            if key in self._seen:
                first = self._seen[key]
                raise UserError(f"Same SOP Instance UID as {first}, which is used instead.", first)
            self._seen[key] = name

    @property
    def has_images(self) -> bool:
        """Whether an image has been read."""
        return bool(self._instances)

    def listing(self, growing: bool = False) -> Listing:
        """What has been read, grouped and sorted; `growing` while more may come."""
        studies: dict[str, list[Instance]] = defaultdict(list)
        for found in self._instances:
            studies[_study_uid(found)].append(found)
        listed = []
        for uid, instances in studies.items():
            patients = [_study(uid, images, growing) for images in by_identity(instances)]
            listed += patients if len(patients) == 1 else [apart(study) for study in patients]
        listed.sort(key=lambda study: (study.date, study.time, study.uid), reverse=True)
        return Listing(
            tuple(listed),
            tuple(self._rejected),
            tuple(self._skipped),
            tuple(self._key_objects),
            tuple(self._documents),
        )


def _is_dicomdir(dataset: FileHeader) -> bool:
    return text(dataset.file_meta, "MediaStorageSOPClassUID") == MEDIA_DIRECTORY or "DirectoryRecordSequence" in dataset


def _study(uid: str, instances: Sequence[Instance], growing: bool) -> Study:
    """The study of one patient."""
    series: dict[str, list[Instance]] = defaultdict(list)
    for found in instances:
        series[found.series.uid or f"{found.series.modality}?"].append(found)
    facts: StudyFacts = instances[0].study
    listed: list[Series] = [stack for images in series.values() for stack in stacks(images)]
    if growing:
        listed = [replace(stack, growing=True) for stack in listed]
    listed.sort(key=lambda one: (one.number is None, one.number or 0))
    return Study(
        uid=uid,
        date=facts.date,
        time=facts.time,
        description=facts.description,
        accession=facts.accession,
        patient=facts.patient,
        series=tuple(listed),
        people=tuple(dict.fromkeys(name for found in instances for name in found.study.people)),
    )


def _study_uid(found: Instance) -> str:
    """The Study Instance UID; for a file without one a stable UID (PS3.5 B.2) derived from its other identifiers."""
    study = found.study
    if study.uid:
        return study.uid
    shared = (study.patient.id, study.accession, study.date, study.time)
    identifiers = shared if any(shared) else (found.image.sop_uid or found.image.name,)
    digest = hashlib.sha256("\0".join(identifiers).encode("utf-8", "surrogatepass")).digest()[:16]
    return f"2.25.{int.from_bytes(digest, 'big')}"
