"""Turns a DICOM listing into cases: which frames stand for a study. Knows no archive and no models."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from engine.dicom import key_objects
from engine.dicom.key_objects import KeyImage
from engine.dicom.listing import Listing, open_path
from engine.errors import Rejected
from engine.image.picture import key_frames, picture_of
from engine.importing.csv_files import picture_file, unreadable
from engine.importing.source import FoundCase, FoundPicture, LoadedPicture
from engine.progress import IsCancelled, Progress, ignore, never
from engine.study import PROJECTIONS, FrameRef, Series, Study

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")
WARNING = "It is a list of images with a warning (Key Object Selection) and marks no key image: {}."
DOSE = "It is a radiotherapy dose, which is values over other images; it is not archived."


def read_listing(path: Path, progress: Progress = ignore, cancelled: IsCancelled = never) -> Listing:
    """List what can be imported; headers only. Raises Cancelled, and UserError for a path that does not exist."""
    return open_path(path, progress, cancelled)


def read_studies(listing: Listing, root: Path) -> Iterator[FoundCase | Rejected]:
    """Each study as a case, each PNG or JPEG as a case of its own, and each refused file or frame with its reason.

    Args:
        listing: of DICOM files; PNG and JPEG files stand among its rejected ones.
        root: the folder that was asked for; a reports file names pictures relative to it.
    """
    marked = [one for document in listing.key_objects if not document.is_rejection_note for one in document.key_images]
    yield from (Rejected(one.name, WARNING.format(one.title)) for one in listing.key_objects if one.is_rejection_note)
    for rejected in listing.rejected:
        path = Path(rejected.path)
        if _is_picture(path):
            yield _picture_case(path, root)
        else:
            yield rejected
    for study in listing.studies:
        yield from _study_case(study, marked)


def _frames(series: Series, marked: list[KeyImage]) -> tuple[FrameRef, ...]:
    """What stands for a series: of a stack its key images if it has any, else what `key_frames` takes."""
    keys = () if series.modality in PROJECTIONS else key_objects.frames_of(series, marked)
    return keys or key_frames(series)


def _study_case(study: Study, marked: list[KeyImage]) -> Iterator[FoundCase | Rejected]:
    pictures: list[FoundPicture] = []
    shown = [series for series in study.series if series.modality != "RTDOSE"]
    doses = [ref.image.name for series in study.series if series not in shown for ref in series.frames]
    yield from (Rejected(name, DOSE) for name in dict.fromkeys(doses))
    for series in shown:
        for ref in _frames(series, marked):
            if ref.image.burned_in:
                # (0028,0301): a name may be part of the pixels, where nothing here could find it
                yield Rejected(ref.image.name, "Its header says that text may be burned into it; it is not archived.")
                continue
            pictures.append(_picture(study, series, ref))
    if not shown:
        return
    first = max(shown, key=lambda series: len(series.frames))
    patient = study.patient
    yield FoundCase(
        key=study.uid,
        name=first.frames[0].image.name,
        pictures=tuple(pictures),
        modality=first.modality.upper(),
        sex=patient.sex,
        age=patient.age,
        body_part=first.body_part,
        description=study.description or first.description,
        source="DICOM",
        patient=patient.id or None,
        names={
            "study_uid": (study.uid,),
            "accession": (study.accession,) if study.accession else (),
            "image": _file_names(study),
        },
        identifiers=(patient.name, patient.id, study.accession),
    )


def _file_names(study: Study) -> tuple[str, ...]:
    files = (frame.image.origin.file for frame in study.frames())
    return tuple(dict.fromkeys(file.name for file in files if file is not None))


def _picture(study: Study, series: Series, ref: FrameRef) -> FoundPicture:
    def load() -> LoadedPicture:
        picture = picture_of(study, series, ref, for_archive=True)
        return LoadedPicture(picture.gray, picture.window)

    image = ref.image
    return FoundPicture(f"{image.sop_uid or image.name} {ref.frame}", image.name, load, ref.frame)


def _is_picture(path: Path) -> bool:
    try:
        return path.suffix.lower() in PICTURE_SUFFIXES and path.is_file()
    except OSError:  # the name of a member of an archive is too long for a file
        return False


def _picture_case(path: Path, root: Path) -> FoundCase | Rejected:
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        return unreadable(path, error)
    inside = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    return FoundCase(
        key=f"picture {digest}",
        name=str(path),
        pictures=(picture_file(path, digest),),
        source="picture file",
        names={"image": (inside, path.name)},
        named_by_pictures=True,
    )
