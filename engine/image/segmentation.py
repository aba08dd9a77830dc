"""Reads a segmentation (PS3.3 A.51): which pixels of which images its segments cover. Knows no colors and no screen.

A mask belongs to the image that the segmentation names as its source, else to the images of the same frame of reference
that lie in its plane. Where both have a geometry it is placed by that, so a mask may be cropped or coarser.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset

from engine.dicom.coding.pixel_data import true_syntax
from engine.dicom.documents.document import StudyDocument
from engine.dicom.file import read_header
from engine.dicom.header import instance
from engine.dicom.values import integer, items, number, text
from engine.errors import Cancelled, UserError
from engine.geometry.planes import normal, to_image, to_patient
from engine.image.display_header import frame_group
from engine.image.pixels import read_frame
from engine.progress import IsCancelled, Progress, ignore, never
from engine.study import FrameRef, Series, Study

MAX_PIXELS = 1 << 29
"""Of all masks together, cropped to what they cover; each takes a byte."""
PARALLEL = 0.999
"""Least cosine between the normals of a mask and its image."""
STEP = 1.0
"""Millimeters between images where a series has one only."""
Key = tuple[str, int]
"""SOP Instance UID and 0-based frame of an image."""
Affine = tuple[float, float, float, float, float, float]
"""(a, b, c, d, e, f): the mask point (x, y) is the image point (a x + c y + e, b x + d y + f)."""


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """The pixels of one segment on one image."""

    segment: int
    """Segment Number."""
    bits: NDArray[np.bool_]
    """bool [H, W], cropped to what it covers."""
    placement: Affine
    """From mask to image coordinates (column, row)."""


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """The masks of one segmentation by image."""

    segments: dict[int, str]
    """Label by Segment Number."""
    masks: dict[Key, tuple[Mask, ...]]
    """Of the images that were given."""

    def of(self, frame: FrameRef) -> tuple[Mask, ...]:
        """The masks on an image."""
        return self.masks.get((frame.image.sop_uid, frame.frame), ())


def read_segmentation(
    document: StudyDocument, studies: Iterable[Study], progress: Progress = ignore, cancelled: IsCancelled = never
) -> Segmentation:
    """Read all masks and place them on the images of open studies.

    Raises:
        UserError: it cannot be read, or is too large.
        Cancelled: `cancelled` returned True.
    """
    with document.origin.open() as file:
        header = read_header(file)
        header.file_meta.TransferSyntaxUID = true_syntax(file, header)
    frames = instance(header, document.origin).frames
    images = _Images(series for study in studies for series in study.series)
    masks: dict[Key, list[Mask]] = defaultdict(list)
    total = 0
    for index, ref in enumerate(frames):
        if cancelled():
            raise Cancelled
        progress(index, len(frames), "Reading the segmentation")
        for segment, covered in _covered(header, ref):
            cropped, left, top = _cropped(covered)
            total += cropped.size
            if total > MAX_PIXELS:
                raise UserError("The segmentation is too large to show.")
            for image in images.of(ref, _sources(header, index)):
                placement = _placement(ref, image, left, top)
                if placement is not None:
                    masks[image.image.sop_uid, image.frame].append(Mask(segment, cropped, placement))
    labels = {integer(one, "SegmentNumber") or 0: text(one, "SegmentLabel") for one in items(header, "SegmentSequence")}
    return Segmentation(labels, {key: tuple(found) for key, found in masks.items()})


def _covered(header: FileDataset, ref: FrameRef) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Segment numbers and non-empty masks [H, W] of one frame."""
    stored = read_frame(ref).stored
    if text(header, "SegmentationType") == "LABELMAP":
        for value in np.unique(stored[stored > 0]).tolist():
            yield int(value), stored == value
        return
    half = (number(header, "MaximumFractionalValue") or 1) / 2
    covered = stored >= half if text(header, "SegmentationType") == "FRACTIONAL" else stored > 0
    segment = integer(frame_group(header, ref.frame, "SegmentIdentificationSequence"), "ReferencedSegmentNumber")
    if covered.any():
        yield segment or 1, covered


def _cropped(covered: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], int, int]:
    """The part of a mask that is covered, and its left and top in pixels."""
    rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
    part = covered[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.ascontiguousarray(part), int(columns[0]), int(rows[0])


def _sources(header: FileDataset, index: int) -> set[Key]:
    """The images that a frame was made from."""
    own = items(header, "PerFrameFunctionalGroupsSequence")
    found = set()
    for derivation in items(own[index], "DerivationImageSequence") if index < len(own) else ():
        for source in items(derivation, "SourceImageSequence"):
            frame = integer(source, "ReferencedFrameNumber") or 1
            found.add((text(source, "ReferencedSOPInstanceUID"), frame - 1))
    return found


class _Images:
    """The frames of the open series by UID and by plane."""

    def __init__(self, series: Iterable[Series]) -> None:
        self._by_key: dict[Key, FrameRef] = {}
        self._stacks: list[_Stack] = []
        for one in series:
            self._by_key |= {(ref.image.sop_uid, ref.frame): ref for ref in one.frames}
            first = one.frames[0]
            if first.position is not None and first.orientation is not None and first.frame_of_reference:
                self._stacks.append(_Stack(one.frames))

    def of(self, mask: FrameRef, sources: set[Key]) -> list[FrameRef]:
        """The images that a mask lies on."""
        named = [self._by_key[key] for key in sorted(sources) if key in self._by_key]
        if named or mask.position is None or mask.orientation is None:
            return named
        return [image for stack in self._stacks for image in stack.at(mask)]


class _Stack:
    """The frames of one series along their normal."""

    def __init__(self, frames: Sequence[FrameRef]) -> None:
        self._frames = [one for one in frames if one.position is not None and one.orientation == frames[0].orientation]
        assert frames[0].orientation is not None
        self._normal = np.array(normal(frames[0].orientation))
        self._along = np.array([one.position for one in self._frames]) @ self._normal
        steps = np.diff(np.unique(self._along.round(3)))
        self._step = float(np.median(steps)) if len(steps) else STEP

    def at(self, mask: FrameRef) -> list[FrameRef]:
        """The frames in the plane of a mask: the nearest ones, within half the distance to the next."""
        assert mask.position is not None
        assert mask.orientation is not None
        if mask.frame_of_reference != self._frames[0].frame_of_reference:
            return []
        if abs(self._normal @ normal(mask.orientation)) < PARALLEL:
            return []
        away = np.abs(self._along - np.array(mask.position) @ self._normal)
        if away.min() > self._step / 2:
            return []
        return [self._frames[index] for index in np.flatnonzero(away <= away.min() + 1e-3)]


def _placement(mask: FrameRef, image: FrameRef, left: int, top: int) -> Affine | None:
    """From points of the cropped mask to points of the image; None where neither geometry nor size relate them."""
    ends = []
    for point in ((left, top), (left + 1, top), (left, top + 1)):
        position = to_patient(mask, point)
        projected = to_image(image, position) if position is not None else None
        if projected is None:
            same_size = (mask.image.rows, mask.image.columns) == (image.image.rows, image.image.columns)
            return (1.0, 0.0, 0.0, 1.0, float(left), float(top)) if same_size else None
        ends.append(projected[0])
    (x, y), (right_x, right_y), (down_x, down_y) = ends
    return (right_x - x, right_y - y, down_x - x, down_y - y, x, y)
