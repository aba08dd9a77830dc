"""Lists the DICOM files of folders and archives as studies, the others with a reason. Never reads pixel data."""

import hashlib
import os
import stat
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from engine.dicom.dicomdir import is_dicomdir_name, read_dicomdir
from engine.dicom.fast_header import read_fast_header
from engine.dicom.file import NOT_DICOM, missing_pixels, read_header
from engine.dicom.header import SEQUENCES, TAGS, Instance, StudyFacts, instance
from engine.dicom.key_objects import SOP_CLASS as KEY_OBJECTS
from engine.dicom.key_objects import KeyObject, key_object
from engine.dicom.origins import FileOrigin, ZipMember, member_name, open_archive, open_member
from engine.dicom.parser_warnings import collect_warnings
from engine.dicom.series_sort import stacks
from engine.dicom.sop_classes import MEDIA_DIRECTORY, why_not_an_image
from engine.dicom.values import FileHeader, text
from engine.errors import Cancelled, Rejected, UserError, exists, missing
from engine.progress import IsCancelled, Progress, ignore, never
from engine.study import Origin, Series, Study


@dataclass(frozen=True, slots=True)
class Listing:
    """What was found. Every file is in exactly one of: a study, `key_objects`, `rejected`, `skipped`."""

    studies: tuple[Study, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    skipped: tuple[str, ...] = field(default=())
    """Indexes (DICOMDIR): they hold no image, the files they point to are listed themselves."""
    key_objects: tuple[KeyObject, ...] = ()
    """Documents that mark images of these or of other studies. One may be known before the images it names."""

    def as_dict(self) -> dict[str, object]:
        """For JSON, without the patient's name."""
        return {
            "studies": [study.as_dict() for study in self.studies],
            "key_objects": [document.as_dict() for document in self.key_objects],
            "rejected": [rejected.as_dict() for rejected in self.rejected],
        }


_ZIP = b"PK\x03\x04"
FIRST_PART_AFTER = 0.35
"""Seconds of reading after which what is known so far is worth showing; the next part comes after twice the time."""


def open_path(
    path: Path | Sequence[Path],
    progress: Progress = ignore,
    cancelled: IsCancelled = never,
    found: Callable[[Listing], None] | None = None,
) -> Listing:
    """List the DICOM images of files, folders of any depth and zip archives, and the documents that mark key images.

    Args:
        path: one or several. A DICOMDIR stands for the files that it names.
        progress: called after each file.
        cancelled: asked before each file.
        found: called with what is known so far, each series marked as growing, when reading takes long.

    Raises:
        UserError: a path that was asked for does not exist.
        Cancelled: `cancelled` said so.
    """
    paths = [Path(path)] if isinstance(path, str | Path) else [Path(one) for one in path]
    gathering = _Gathering()
    files: list[Path] = []
    for asked in paths:
        if not exists(asked):
            raise missing(asked)
        listed = _indexed if is_dicomdir_name(asked) else _walk
        files.extend(listed(asked, gathering, cancelled))
    return _gather(gathering, [FileOrigin(file) for file in dict.fromkeys(files)], progress, cancelled, found)


def open_origins(
    origins: Sequence[Origin],
    progress: Progress = ignore,
    cancelled: IsCancelled = never,
    found: Callable[[Listing], None] | None = None,
) -> Listing:
    """List the DICOM images that come from anywhere, otherwise like `open_path`.

    Args:
        origins: each one DICOM object or one zip archive of them.

    Raises:
        Cancelled: `cancelled` returned true.
    """
    return _gather(_Gathering(), origins, progress, cancelled, found)


def _gather(
    gathering: "_Gathering",
    origins: Sequence[Origin],
    progress: Progress,
    cancelled: IsCancelled,
    found: Callable[[Listing], None] | None,
) -> Listing:
    start, wait = time.monotonic(), FIRST_PART_AFTER
    for done, origin in enumerate(origins, 1):
        if cancelled():
            raise Cancelled
        gathering.add(origin, cancelled)
        progress(done, len(origins), origin.name if origin.file is None else origin.file.name)
        if found is not None and done < len(origins) and time.monotonic() - start >= wait and gathering.has_images:
            found(gathering.listing(growing=True))
            wait = 2 * (time.monotonic() - start)
    return gathering.listing()


def _indexed(path: Path, gathering: "_Gathering", cancelled: IsCancelled) -> Iterator[Path]:
    """The files that a DICOMDIR names, or where it is of no use those of its folder."""
    try:
        index = read_dicomdir(path)
    except UserError as error:
        gathering.reject(str(path), f"{error} Its folder was read instead.")
        yield from (file for file in _walk(path.parent, gathering, cancelled) if file != path)
        return
    if index.files:
        for rejected in index.missing:
            gathering.reject(rejected.path, rejected.reason)
        yield path
        yield from index.files
        return
    count = len(index.missing)
    gathering.reject(str(path), f"None of the {count} files that it names is there; its folder was read instead.")
    yield from (file for file in _walk(path.parent, gathering, cancelled) if file != path)


def _walk(top: Path, gathering: "_Gathering", cancelled: IsCancelled) -> Iterator[Path]:
    """Regular files below `top` in order of name. Linked folders are entered once, so that a loop of links ends."""
    if not top.is_dir():
        yield top
        return
    entered: set[tuple[int, int]] = set()
    waiting = [top]
    while waiting:
        if cancelled():
            raise Cancelled
        folder = waiting.pop()
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in entered:
                continue
            entered.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                ordered = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            gathering.reject(str(folder), f"The folder cannot be read ({error.strerror}); check its permissions.")
            continue
        folders = []
        for entry in ordered:
            try:
                mode = entry.stat().st_mode
            except OSError:
                gathering.reject(entry.path, "It links to a file that is not there; copy the file itself.")
                continue
            if stat.S_ISDIR(mode):
                folders.append(Path(entry.path))
            elif stat.S_ISREG(mode):
                yield Path(entry.path)
            else:
                gathering.reject(entry.path, "It is a device or a pipe and not a file.")
        waiting.extend(reversed(folders))


class _Gathering:
    """What has been read so far."""

    def __init__(self) -> None:
        self._instances: list[Instance] = []
        self._key_objects: list[KeyObject] = []
        self._rejected: list[Rejected] = []
        self._skipped: list[str] = []
        self._seen: dict[tuple[str, str, str], str] = {}

    def reject(self, name: str, reason: str, other: str = "") -> None:
        self._rejected.append(Rejected(name, reason, other))

    def add(self, origin: Origin, cancelled: IsCancelled) -> None:
        """Read one file: an image, a document that marks images, a DICOMDIR or a zip archive."""
        try:
            with origin.open() as file:
                if file.read(4) == _ZIP:
                    file.seek(0)
                    self._add_archive(origin, file, cancelled)
                else:
                    with collect_warnings():
                        self._add_object(origin, file)
        except UserError as error:
            self.reject(origin.name, str(error), error.other)

    def _add_archive(self, origin: Origin, file: BinaryIO, cancelled: IsCancelled) -> None:
        """Add every member; an archive without any image is rejected once and not member by member."""
        inner = _Gathering()
        inner._seen = self._seen
        with open_archive(file) as archive:
            for info in archive.infolist():
                if cancelled():
                    raise Cancelled
                if info.is_dir():
                    continue
                try:
                    if archive.NameToInfo[info.filename] is not info:  # reading finds the last of a name
                        raise UserError("The archive holds another file of this name; unpack it and open the folder.")
                    member: AbstractContextManager[BinaryIO] = open_member(archive, info)
                    with collect_warnings(), member as stream:
                        if stream.read(4) == _ZIP:
                            raise UserError("It is an archive inside an archive; unpack it first.")
                        inner._add_object(ZipMember(origin, info.filename), stream)
                except UserError as error:
                    inner.reject(member_name(origin, info.filename), str(error), error.other)
        reasons = {(rejected.reason, rejected.other) for rejected in inner._rejected}
        if not (inner._instances or inner._key_objects or inner._skipped) and len(reasons) < 2:
            reason, other = reasons.pop() if reasons else ("The archive is empty.", "")
            self.reject(
                origin.name, "There is no DICOM file in this archive." if reason == NOT_DICOM else reason, other
            )
            return
        self._instances += inner._instances
        self._key_objects += inner._key_objects
        self._rejected += inner._rejected
        self._skipped += inner._skipped

    def _add_object(self, origin: Origin, file: BinaryIO) -> None:
        name = origin.name
        dataset = read_fast_header(file, SEQUENCES) or read_header(file, TAGS)
        if _is_index(dataset):
            self._skipped.append(name)
            return
        if text(dataset, "SOPClassUID") == KEY_OBJECTS:
            document = key_object(read_header(file), name)
            self._refuse_twice((document.study_uid, "", document.sop_uid), name)
            self._key_objects.append(document)
            return
        reason = why_not_an_image(text(dataset, "SOPClassUID"))
        reason = reason or missing_pixels(file, dataset)
        if reason:
            raise UserError(reason)
        found = instance(dataset, origin)
        self._refuse_twice((found.study.uid, found.series.uid, found.image.sop_uid), name)
        self._instances.append(found)

    def _refuse_twice(self, key: tuple[str, str, str], name: str) -> None:
        """Raise UserError for an object whose study, series and SOP Instance UID (if any) were there before."""
        if key[2]:
            if key in self._seen:
                first = self._seen[key]
                raise UserError(
                    f"It has the SOP Instance UID of {first}, which is open already; open it alone to see it.", first
                )
            self._seen[key] = name

    @property
    def has_images(self) -> bool:
        return bool(self._instances)

    def listing(self, growing: bool = False) -> Listing:
        studies: dict[str, dict[str, list[Instance]]] = defaultdict(lambda: defaultdict(list))
        for found in self._instances:
            studies[_study_uid(found)][found.series.uid or f"{found.series.modality}?"].append(found)
        listed = [_study(uid, series, growing) for uid, series in studies.items()]
        listed.sort(key=lambda study: (study.date, study.time, study.uid), reverse=True)
        return Listing(tuple(listed), tuple(self._rejected), tuple(self._skipped), tuple(self._key_objects))


def _is_index(dataset: FileHeader) -> bool:
    return text(dataset.file_meta, "MediaStorageSOPClassUID") == MEDIA_DIRECTORY or "DirectoryRecordSequence" in dataset


def _study(uid: str, series: dict[str, list[Instance]], growing: bool) -> Study:
    facts: StudyFacts = next(iter(series.values()))[0].study
    listed: list[Series] = [stack for instances in series.values() for stack in stacks(instances)]
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
    )


def _study_uid(found: Instance) -> str:
    """The Study Instance UID, or for a file without one a stable stand-in (PS3.5 B.2) from what identifies it."""
    study = found.study
    if study.uid:
        return study.uid
    known = (study.patient.id, study.accession, study.date, study.time)
    what = known if any(known) else (found.image.sop_uid or found.image.name,)
    digest = hashlib.sha256("\0".join(what).encode()).digest()[:16]
    return f"2.25.{int.from_bytes(digest, 'big')}"
