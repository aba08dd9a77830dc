"""Exports the images of studies without identifiers, as a folder or a ZIP file with a DICOMDIR. Exports no documents.

An image that cannot be read, or proven clean, is refused with its reason while the rest goes on. The export is made in
a folder of its own beside its place and renamed when it is complete, so nothing half-written is ever there.
"""

import errno
import shutil
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import BinaryIO, cast

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.fileset import FileSet
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless

from engine.dicom.file import read_header
from engine.dicom.listing import Listing
from engine.dicom.parser_warnings import collect_warnings
from engine.dicom.sop_classes import image_sop_classes
from engine.dicom.values import text, texts
from engine.errors import Cancelled, Rejected, UserError, exists, missing
from engine.image.export.header import Pseudonyms, Rules, deidentified, identify
from engine.image.export.identifiers import identifiers_of, left_in, uids_of
from engine.image.export.pixels import TEXT_LEFT, WrittenPixels, text_in, write_pixels
from engine.image.export.result import ExportResult
from engine.image.pixels import as_pixels, read_stored
from engine.models.text_detector import TextDetector, text_detector
from engine.progress import IsCancelled, Progress, ignore, never
from engine.store.safety.whole_file import LEFT as LEFT_AFTER
from engine.store.safety.whole_file import SUFFIX, flush, flush_folder
from engine.study import FrameRef, ImageRef, Series, Study

ZIP = ".zip"
NO_IMAGE = "There is no image to export; open a study with images."
UNKNOWN_CLASS = "Its SOP class is private or unknown, so what its elements hold is not known."
RECOGNIZABLE = "Its header says that a person can be recognized in the image (0028,0302)."
LABELLED = "Its header says that the label of a specimen is in the image (0048,0010)."
TWICE = "Another image of the export has the same SOP Instance UID."
LEFT = "The element {} still holds an identifier of its header, which is a fault of Kindred; please report it."
INCOMPLETE = "Its header lacks what a DICOMDIR needs ({}); export it again from its source."
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LOSSY = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless)
"""Transfer syntaxes that always lose something, whatever the header says."""
_PIXEL_TAGS = {
    "PixelData": (0x7FE00010, ""),
    "FloatPixelData": (0x7FE00008, "OF"),
    "DoubleFloatPixelData": (0x7FE00009, "OD"),
}


@dataclass(frozen=True, slots=True)
class _Job:
    """One image to export."""

    study: Study
    series: Series
    image: ImageRef


def export_images(
    listing: Listing,
    studies: Sequence[Study],
    out: Path,
    progress: Progress = ignore,
    cancelled: IsCancelled = never,
) -> ExportResult:
    """Export the images of studies by the profile (profile.py).

    Args:
        listing: what was opened; its rejected files are refused, its documents are counted.
        studies: of the listing.
        out: a new folder, or a new file if its name ends in ".zip".
        progress: called with (images done, images in all, what).
        cancelled: asked before each frame.

    Raises:
        UserError: there is no image, or none can be exported; `out` exists, or cannot be written.
        Cancelled: `cancelled` returned true; nothing is left.
    """
    if exists(out):
        raise UserError(f"{out} exists already; choose another name.", out)
    if not exists(out.parent):
        raise missing(out.parent)
    jobs = list(_jobs(studies))
    if not jobs:
        raise UserError(NO_IMAGE)
    uids = {study.stated_uid or study.uid for study in studies}
    documents = [one for one in listing.documents if one.study.uid in uids]
    marked = [one for one in listing.key_objects if one.study_uid in uids]
    result = ExportResult(refused=list(listing.rejected), documents=len(documents) + len(marked))
    try:
        with _folder_beside(out) as folder, collect_warnings():
            _Export(folder, result, cancelled).run(jobs, progress)
            progress(len(jobs), len(jobs), "Writing the export")
            _put(folder / "export", out, cancelled)
    except OSError as error:
        raise UserError(f"{out} cannot be written ({error.strerror or error}); check the disk.", out) from error
    return result


def _jobs(studies: Sequence[Study]) -> Iterator[_Job]:
    for study in studies:
        images = {frame.image: series for series in reversed(study.series) for frame in series.frames}
        listed = dict.fromkeys(frame.image for frame in study.frames())
        yield from (_Job(study, images[image], image) for image in listed)


@contextmanager
def _folder_beside(out: Path) -> Iterator[Path]:
    """A folder on the same disk, which is gone in the end; one that a killed process left long ago goes too."""
    for left in out.parent.glob(f".{escape(out.name)}.*{SUFFIX}"):
        if left.is_dir() and time.time() - left.stat().st_mtime > LEFT_AFTER:
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(SUFFIX, f".{out.name}.", out.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put(made: Path, out: Path, cancelled: IsCancelled) -> None:
    """Rename a complete export to its place, packed if its name says so."""
    if out.suffix.lower() == ZIP:
        packed = made.with_suffix(ZIP)
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for path in sorted(one for one in made.rglob("*") if one.is_file()):
                if cancelled():
                    raise Cancelled
                archive.write(path, path.relative_to(made).as_posix())
        flush(packed)
        made = packed
    else:
        flush_folder(made)
    if cancelled():
        raise Cancelled
    made.rename(out)
    flush(out.parent)


class _Export:
    """One export with its file-set."""

    def __init__(self, folder: Path, result: ExportResult, cancelled: IsCancelled) -> None:
        self._folder, self._result, self._cancelled = folder, result, cancelled
        self._pseudonyms = Pseudonyms()
        self._detector: TextDetector = text_detector()
        self._classes = frozenset(image_sop_classes())
        self._files = FileSet()
        self._stage_in(folder)
        self._seen: set[str] = set()

    def run(self, jobs: Sequence[_Job], progress: Progress) -> None:
        """Export the images, and write the file-set to the folder `export`.

        Raises:
            UserError: no image could be exported.
        """
        try:
            for done, job in enumerate(jobs):
                progress(done, len(jobs), "Exporting images")
                self._attempt(job, done + 1)
            if not self._result.images:
                raise UserError(f"No image was exported. {self._result.reasons()}")
            self._files.write(self._folder / "export")
        finally:
            self._files._stage["t"].cleanup()  # pydicom leaves its folder to the garbage collector, which warns of it

    def _stage_in(self, folder: Path) -> None:
        """Let pydicom keep the files on the disk of the export: the system's temporary folder may be memory."""
        stage = self._files._stage
        stage["t"].cleanup()
        stage["t"] = tempfile.TemporaryDirectory(dir=folder)
        stage["path"] = Path(stage["t"].name)

    def _attempt(self, job: _Job, number: int) -> None:
        try:
            written = self._add(job, number)
        except UserError as error:
            if isinstance(error.__cause__, OSError) and error.__cause__.errno in _FULL:
                raise error.__cause__ from None  # the disk of the export, and no fault of the image
            self._result.refused.append(Rejected(job.image.name, str(error), error.other))
            return
        self._result.images += 1
        self._result.text_images += bool(written.text_frames)
        self._result.text_boxes += written.boxes

    def _add(self, job: _Job, number: int) -> WrittenPixels:
        """Export one image.

        Raises:
            UserError: it is refused.
            Cancelled: as everywhere.
        """
        image, study = job.image, job.study
        with image.origin.open() as file, tempfile.TemporaryFile(dir=self._folder) as spool:
            header = read_header(file)
            if text(header, "SOPClassUID") not in self._classes:
                raise UserError(UNKNOWN_CLASS)
            if text(header, "RecognizableVisualFeatures") == "YES":
                raise UserError(RECOGNIZABLE)
            if text(header, "SpecimenLabelInImage") == "YES":
                raise UserError(LABELLED)
            buffer = cast(BinaryIO, spool)
            written = write_pixels(image, header, file, self._detector, buffer, self._cancelled)
            known = tuple(dict.fromkeys((*study.identifiers, *identifiers_of(header))))
            patient = study.uid if study.stated_uid else ""
            big_endian = not header.original_encoding[1]
            rules = Rules(lambda uid: self._pseudonyms.uid(uid, patient), tuple(filter(None, known)), big_endian)
            made = deidentified(header, rules)
            identify(
                made,
                self._pseudonyms.patient_id(study.patient.id or study.patient.name or study.uid),
                rules.uid(study.stated_uid or study.uid),
                rules.uid(job.series.uid or job.series.key),
                rules.uid(image.sop_uid or image.name),
                number,
            )
            _describe(made, written)
            if header.file_meta.TransferSyntaxUID in _LOSSY:
                made.LossyImageCompression = "01"
            if made.SOPInstanceUID in self._seen:
                raise UserError(TWICE)
            self._seen.add(made.SOPInstanceUID)
            spool.seek(0)
            tag, vr = _PIXEL_TAGS[written.keyword]
            made.add(DataElement(Tag(tag), vr or ("OB" if made.BitsAllocated <= 8 else "OW"), spool))
            self._store(made, image, written, rules.known, uids_of(header))
        return written

    def _store(
        self, made: Dataset, image: ImageRef, written: WrittenPixels, known: tuple[str, ...], uids: frozenset[str]
    ) -> None:
        """Add a file to the file-set, and read it again as proof.

        Raises:
            UserError: it lacks what a DICOMDIR needs, or an identifier or text is left.
        """
        try:
            instance = self._files.add(made)
        except (ValueError, AttributeError) as error:  # of missing elements, before anything is written
            raise UserError(INCOMPLETE.format(error)) from error
        path = Path(instance.path)
        try:
            _prove(path, image, written, known, uids, self._detector)
        except BaseException:
            self._files.remove(instance)
            path.unlink(missing_ok=True)
            raise


def _describe(made: Dataset, written: WrittenPixels) -> None:
    """Write what the pixels are now."""
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    for keyword, value in written.attributes.items():
        setattr(made, keyword, value)
    if written.attributes["SamplesPerPixel"] == 1:
        made.pop("PlanarConfiguration", None)
    made.BurnedInAnnotation = "NO"
    if written.text_frames and "ImageType" in made:
        made.ImageType = ["DERIVED", *texts(made, "ImageType")[1:]]


def _prove(
    path: Path,
    image: ImageRef,
    written: WrittenPixels,
    known: tuple[str, ...],
    uids: frozenset[str],
    detector: TextDetector,
) -> None:
    """Read a written file: no identifier is in its header, no text in the frames that had some.

    Raises:
        UserError: there is.
    """
    with path.open("rb") as file:
        header = read_header(file)
        start = file.tell()
        if tag := left_in(header, known, uids):
            raise UserError(LEFT.format(tag))
        for index in written.text_frames:
            file.seek(start)
            array, photometric = read_stored(file, header, index)
            if text_in(as_pixels(array, photometric, header, FrameRef(image, index)), array, detector)[1]:
                raise UserError(TEXT_LEFT.format(index + 1))
