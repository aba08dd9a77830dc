"""Where and when the frames of a multi-frame image without functional groups lie. Opens no files.

The place of such frames is in other elements than that of single slices: the planes of an RT Dose grid (PS3.3
C.8.8.3.2) and the slices of a reconstructed SPECT (PS3.3 C.8.4.11, C.8.4.15).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.dicom.values import Header, item, number, numbers, raw, texts
from engine.geometry.planes import normal, valid_orientation
from engine.study import Orientation, Vector

_FRAME_TIME, _FRAME_TIME_VECTOR = 0x00181063, 0x00181065
_RATES = ("RecommendedDisplayFrameRateInFloat", "RecommendedDisplayFrameRate", "CineRate")
_RECONSTRUCTED = {"RECON TOMO", "RECON GATED TOMO"}
"""Image Type (0008,0008) value 3 of reconstructed slices."""


@dataclass(frozen=True, slots=True)
class FramePlaces:
    """The planes of a multi-frame image: parallel, along the normal of the first."""

    first: Vector | None
    """Image Position (Patient) of the plane from which offsets count; None when it is unknown."""
    orientation: Orientation | None
    offsets: tuple[float, ...]
    """Millimeters along the normal, one a frame; empty when they are unknown."""
    times: tuple[float, ...] = ()
    """Temporal position of each frame; empty for one time."""

    @property
    def complete(self) -> bool:
        """Every frame has a place of its own."""
        return self.first is not None and self.orientation is not None and len(self.offsets) > 1

    def position(self, index: int) -> Vector | None:
        """Image Position (Patient) of a frame; that of the first where its offset is unknown."""
        if self.first is None or self.orientation is None:
            return None
        step = self.offsets[index] if index < len(self.offsets) else 0.0
        (x, y, z), (a, b, c) = self.first, normal(self.orientation)
        return (x + step * a, y + step * b, z + step * c)


def frame_places(dataset: Header, frames: int) -> FramePlaces | None:
    """The planes of an RT Dose grid or of a reconstructed SPECT; None for other images."""
    if frames < 2 and "DetectorInformationSequence" not in dataset:
        return None
    kinds = texts(dataset, "ImageType")
    if len(kinds) > 2 and kinds[2].upper() in _RECONSTRUCTED:
        return _slices(dataset, frames, gated="GATED" in kinds[2].upper())
    offsets = numbers(dataset, "GridFrameOffsetVector")
    if len(offsets) != frames or frames < 2:
        return None
    return FramePlaces(*_plane(dataset, dataset), tuple(offset - offsets[0] for offset in offsets))


def _slices(dataset: Header, frames: int, gated: bool) -> FramePlaces:
    """The slices of a reconstructed SPECT, which Slice Vector numbers (PS3.3 C.8.4.8.1.1).

    They are Spacing Between Slices apart along the normal, behind the first one, or in front of it when that is
    negative. A vector that does not count the frames is ignored, and a gated image without one has no places.
    """
    first, orientation = _plane(item(dataset, "DetectorInformationSequence") or dataset, dataset)
    spacing = number(dataset, "SpacingBetweenSlices")
    slices = _vector(dataset, "SliceVector", frames)
    if not slices and not gated:
        slices = tuple(range(1, frames + 1))
    times = _times(dataset, frames) if gated else ()
    if not spacing or not slices or (gated and not times):
        return FramePlaces(first if frames == 1 else None, orientation, ())
    return FramePlaces(first, orientation, tuple((slice - 1) * spacing for slice in slices), times)


def _times(dataset: Header, frames: int) -> tuple[float, ...]:
    """The time slots of a gated image, those of a second R-R interval after those of the first."""
    slots, intervals = _vector(dataset, "TimeSlotVector", frames), _vector(dataset, "RRIntervalVector", frames)
    if not slots:
        return ()
    count = max(slots)
    return tuple(float(slot + count * (interval - 1)) for slot, interval in zip(slots, intervals or (1,) * frames))


def _vector(dataset: Header, keyword: str, frames: int) -> tuple[int, ...]:
    """A vector that counts from 1 and has one value a frame; empty when it does not."""
    found = numbers(dataset, keyword)
    return tuple(map(int, found)) if len(found) == frames and all(value >= 1 for value in found) else ()


def _plane(*headers: Header) -> tuple[Vector | None, Orientation | None]:
    """Position and orientation in the first of the headers that has an orientation."""
    for header in headers:
        orientation = valid_orientation(numbers(header, "ImageOrientationPatient"))
        if orientation is not None:
            place = numbers(header, "ImagePositionPatient")
            return ((place[0], place[1], place[2]) if len(place) == 3 else None), orientation
    return None, None


def frame_time(dataset: Header) -> float | None:
    """Milliseconds for which a frame of a loop is to be shown (PS3.3 C.7.6.5).

    Recommended Display Frame Rate and Cine Rate say how to play; Frame Time and Frame Time Vector how the frames were
    taken. Of these two, the one that Frame Increment Pointer names; of a vector the mean, without its first value 0.
    """
    if not any(keyword in dataset for keyword in (*_RATES, "FrameTime", "FrameTimeVector")):
        return None
    for keyword in _RATES:
        rate = number(dataset, keyword)
        if rate and rate > 0:
            return 1000 / rate
    steps = [step for step in numbers(dataset, "FrameTimeVector")[1:] if step > 0]
    times = [number(dataset, "FrameTime"), sum(steps) / len(steps) if steps else None]
    pointers = raw(dataset, "FrameIncrementPointer")
    named = {int(one) for one in (pointers if isinstance(pointers, Sequence) else [pointers]) if one is not None}
    if _FRAME_TIME_VECTOR in named and _FRAME_TIME not in named:
        times.reverse()
    return next((time for time in times if time and time > 0), None)
