"""Turns a DICOM listing into cases, and selects the frames of each study to archive. Knows no archive and no models."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from engine.dicom import key_objects
from engine.dicom.file import NOT_DICOM
from engine.dicom.identity import apart
from engine.dicom.key_objects import KeyImage
from engine.dicom.listing import Listing, open_path
from engine.dicom.sop_classes import why_not_an_image
from engine.errors import Rejected, UserError
from engine.facts.fact import Facts, agreed
from engine.facts.from_header import facts_of_frame
from engine.image.picture import IMAGE_SUFFIXES, key_frames, picture_of
from engine.importing.csv_files import image_file, unreadable
from engine.importing.report_files import is_message_file, read_report_files
from engine.importing.source import FoundCase, FoundImage, LoadedPicture, joins_for
from engine.importing.sr_reports import sr_case
from engine.progress import IsCancelled, Progress, ignore, never
from engine.study import PROJECTIONS, FrameRef, Series, Study

REJECTION_NOTE = "Rejection or quality notes (Key Object Selection) do not mark key images: {}."
DOSE = "Only images are archived, and this is a radiotherapy dose (RTDOSE)."
BURNED_IN = "The frame is not archived, since text may be burned into its pixels (0028,0301)."
IMAGE_FILE = "picture file"
"""Kind of source as archives store it, in its old spelling, which existing archives have."""


def read_listing(path: Path, progress: Progress = ignore, cancelled: IsCancelled = never) -> Listing:
    """List what can be imported, from the headers alone.

    Raises:
        UserError: the path does not exist.
        Cancelled: `cancelled` returned True.
    """
    return open_path(path, progress, cancelled)


def read_studies(listing: Listing, root: Path) -> Iterator[FoundCase | Rejected]:
    """Studies, PNG and JPEG files, then reports (SR, FHIR, HL7) as cases, and what is rejected with its reason.

    Args:
        listing: of DICOM files; PNG and JPEG files are among its rejected ones.
        root: the folder that is imported; a reports file names images relative to it.
    """
    marked = [one for document in listing.key_objects if not document.is_rejection_note for one in document.key_images]
    yield from (
        Rejected(one.name, REJECTION_NOTE.format(one.title)) for one in listing.key_objects if one.is_rejection_note
    )
    others = [one for one in listing.documents if one.kind != "report"]
    yield from (Rejected(one.origin.name, why_not_an_image(one.sop_class)) for one in others)
    messages: list[Path] = []
    for rejected in listing.rejected:
        path = Path(rejected.path)
        if _is_image_file(path):
            yield _file_case(path, root)
        elif rejected.reason == NOT_DICOM and _is_message_file(path):
            messages.append(path)
        else:
            yield rejected
    for study in listing.studies:
        yield from _study_case(study, marked)
    yield from (sr_case(one) for one in listing.documents if one.kind == "report")  # once their studies are archived
    for path in messages:
        try:
            yield from read_report_files(path)
        except UserError as error:
            yield Rejected(str(path), str(error), error.other)


def _frames(series: Series, marked: list[KeyImage]) -> tuple[FrameRef, ...]:
    """The frames of a series to archive: the key images of a stack if it has any, else those of `key_frames`."""
    keys = () if series.modality in PROJECTIONS else key_objects.frames_of(series, marked)
    return keys or key_frames(series)


def _study_case(study: Study, marked: list[KeyImage]) -> Iterator[FoundCase | Rejected]:
    images: list[FoundImage] = []
    imported = [series for series in study.series if series.modality != "RTDOSE"]
    doses = [ref.image.name for series in study.series if series not in imported for ref in series.frames]
    yield from (Rejected(name, DOSE) for name in dict.fromkeys(doses))
    found: dict[str, list[Facts]] = {}
    for series in imported:
        for ref in _frames(series, marked):
            found.setdefault(series.key, []).append(facts_of_frame(study, series, ref))
            if ref.image.burned_in:
                yield Rejected(ref.image.name, BURNED_IN)
                continue
            images.append(_found_image(study, series, ref))
    if not imported:
        return
    first = max(imported, key=lambda series: len(series.frames))
    patient = study.patient
    shared = (study.stated_uid, study.uid) if study.stated_uid else (study.uid, apart(study).uid)
    yield FoundCase(
        key=study.uid,
        shared_keys=shared,
        name=first.frames[0].image.name,
        images=tuple(images),
        modality=first.modality.upper(),
        sex=patient.sex,
        age=patient.age,
        body_part=first.body_part,
        description=study.description or first.description,
        facts=_case_facts(found, first.key),
        source="DICOM",
        patient=patient.id or None,
        date=study.date,
        match_values={
            "study_uid": (study.uid,),
            "accession": (study.accession,) if study.accession else (),
            "image": _file_names(study),
        },
        identifiers=study.identifiers,
        joins=joins_for((study.uid,), (study.accession,), patient.id, study.date),
    )


def _case_facts(found: dict[str, list[Facts]], first: str) -> Facts:
    """What the frames of a study agree in, "" where they do not; its modality is that of its largest series."""
    facts = agreed((one for series in found.values() for one in series), marked=True)
    modality = agreed(found.get(first, ())).get("modality")
    return facts if modality is None else {**facts, "modality": modality}


def _file_names(study: Study) -> tuple[str, ...]:
    files = (frame.image.origin.file for frame in study.frames())
    return tuple(dict.fromkeys(file.name for file in files if file is not None))


def _found_image(study: Study, series: Series, ref: FrameRef) -> FoundImage:
    def load() -> LoadedPicture:
        picture = picture_of(study, series, ref, for_archive=True)
        return LoadedPicture(picture.gray, picture.window)

    image = ref.image
    return FoundImage(f"{image.sop_uid or image.name} {ref.frame}", image.name, load, ref.frame)


def _is_message_file(path: Path) -> bool:
    try:
        return path.is_file() and is_message_file(path)
    except OSError:  # the name of a ZIP member may be too long for a file
        return False


def _is_image_file(path: Path) -> bool:
    try:
        return path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()
    except OSError:  # the name of a ZIP member may be too long for a file
        return False


def _file_case(path: Path, root: Path) -> FoundCase | Rejected:
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        return unreadable(path, error)
    inside = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    return FoundCase(
        key=f"picture {digest}",
        name=str(path),
        images=(image_file(path, digest),),
        source=IMAGE_FILE,
        match_values={"image": (inside, path.name)},
        keyed_by_content=True,
    )
