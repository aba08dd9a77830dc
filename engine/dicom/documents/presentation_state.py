"""Reads a softcopy presentation state (PS3.3 A.33): window, shutter and annotations for images. Knows no screen.

Points are image coordinates (column, row), also of annotations placed relative to the displayed area. Rotation and
lookup tables are named and not applied.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from engine.dicom.key_objects import KeyImage
from engine.dicom.values import Header, items, number, numbers, raw, text
from engine.study import FrameRef, Point

MAX_ANNOTATIONS = 10_000
"""Texts and shapes; more are left out."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """A text or a shape on some of the images."""

    images: tuple[KeyImage, ...]
    """Empty: all images of the presentation state."""
    text: str = ""
    points: tuple[Point, ...] = ()
    """Of a shape in the order of drawing; of a text its anchor, or the top left corner of its box."""
    shape: str = ""
    """"POINT", "POLYLINE", "INTERPOLATED", "CIRCLE" (center, a point on it), "ELLIPSE" (ends of both axes); "" for a
    text (PS3.3 C.10.5)."""
    layer: str = ""


@dataclass(frozen=True, slots=True)
class ShownWindow:
    """A window for some of the images."""

    images: tuple[KeyImage, ...]
    center: float
    width: float


@dataclass(frozen=True, slots=True)
class PresentationState:
    """What one presentation state says."""

    label: str
    images: tuple[KeyImage, ...]
    windows: tuple[ShownWindow, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    shutter_shape: str = ""
    """Of the display shutter, which engine/image/shutters.py reads; "" for none."""
    not_applied: tuple[str, ...] = ()
    """What else it would change, in words."""

    def shows(self, frame: FrameRef) -> bool:
        """Whether it is for a frame."""
        return applies(self.images, frame)

    def window_of(self, frame: FrameRef) -> tuple[float, float] | None:
        """Center and width for a frame; None leaves it as it is."""
        found = (one for one in self.windows if applies(one.images or self.images, frame))
        return next(((one.center, one.width) for one in found), None)

    def annotations_of(self, frame: FrameRef) -> tuple[Annotation, ...]:
        """The texts and shapes on a frame."""
        return tuple(one for one in self.annotations if applies(one.images or self.images, frame))

    def lines(self) -> list[str]:
        """What it says, for people."""
        lines = [self.label or "Presentation state", f"Images: {len(self.images)}"]
        lines += [f"Window: center {one.center:g}, width {one.width:g}" for one in self.windows]
        lines += [f"Shutter: {self.shutter_shape.lower()}"] if self.shutter_shape else []
        lines += [f"Not applied: {one}" for one in self.not_applied]
        lines += [f"Text: {one.text}" for one in self.annotations if one.text]
        shapes = [one.shape.lower() for one in self.annotations if one.shape]
        return lines + [f"Shape: {shape} ({shapes.count(shape)})" for shape in dict.fromkeys(shapes)]


def applies(images: tuple[KeyImage, ...], frame: FrameRef) -> bool:
    """Whether a frame is among some images."""
    return any(one.sop_uid == frame.image.sop_uid and (not one.frames or frame.frame in one.frames) for one in images)


def presentation_state(header: Header) -> PresentationState:
    """Read the header of a presentation state; damaged parts are left out."""
    images = tuple(one for series in items(header, "ReferencedSeriesSequence") for one in _images(series))
    windows, tables = [], False
    for one in items(header, "SoftcopyVOILUTSequence"):
        center, width = number(one, "WindowCenter"), number(one, "WindowWidth")
        if center is not None and width is not None and width > 0:
            windows.append(ShownWindow(tuple(_images(one)), center, width))
        tables = tables or bool(items(one, "VOILUTSequence"))
    annotations: list[Annotation] = []
    for one in items(header, "GraphicAnnotationSequence"):
        annotations += list(_annotations(one, tuple(_images(one)), _areas(header)))[:MAX_ANNOTATIONS]
    turned = number(header, "ImageRotation")
    others = (
        "lookup table" if tables else "",
        f"rotation by {turned:g}°" if turned else "",
        "horizontal flip" if text(header, "ImageHorizontalFlip") == "Y" else "",
        "inverted gray levels" if text(header, "PresentationLUTShape") == "INVERSE" else "",
    )
    label = text(header, "ContentDescription") or text(header, "ContentLabel")
    shape = text(header, "ShutterShape")
    shown = tuple(annotations[:MAX_ANNOTATIONS])
    return PresentationState(label, images, tuple(windows), shown, shape, tuple(filter(None, others)))


def _images(parent: Header) -> Iterator[KeyImage]:
    for one in items(parent, "ReferencedImageSequence"):
        frames = frozenset(int(value) - 1 for value in numbers(one, "ReferencedFrameNumber") if value >= 1)
        uid = text(one, "ReferencedSOPInstanceUID")
        if uid and (frames or raw(one, "ReferencedFrameNumber") is None):
            yield KeyImage(uid, frames)


_Area = tuple[float, float, float, float]


def _areas(header: Header) -> list[_Area]:
    """Left, top, width and height of the displayed areas, in image coordinates."""
    found = []
    for one in items(header, "DisplayedAreaSelectionSequence"):
        first = numbers(one, "DisplayedAreaTopLeftHandCorner")
        last = numbers(one, "DisplayedAreaBottomRightHandCorner")
        if len(first) == len(last) == 2:
            found.append((first[0] - 1, first[1] - 1, last[0] - first[0] + 1, last[1] - first[1] + 1))
    return found


def _annotations(group: Header, images: tuple[KeyImage, ...], areas: list[_Area]) -> Iterator[Annotation]:
    layer = text(group, "GraphicLayer")
    for one in items(group, "TextObjectSequence"):
        words = "\n".join(text(one, "UnformattedTextValue").splitlines())
        points = _points(one, "AnchorPoint", "AnchorPointAnnotationUnits", areas) or _points(
            one, "BoundingBoxTopLeftHandCorner", "BoundingBoxAnnotationUnits", areas
        )
        if words:
            yield Annotation(images, words, points[:1], layer=layer)
    for one in items(group, "GraphicObjectSequence"):
        points = _points(one, "GraphicData", "GraphicAnnotationUnits", areas)
        shape = text(one, "GraphicType").upper()
        if points and shape:
            yield Annotation(images, points=points, shape=shape, layer=layer)


def _points(one: Header, keyword: str, units: str, areas: list[_Area]) -> tuple[Point, ...]:
    """Points in image coordinates; none where they are relative to an area that is not given."""
    values = numbers(one, keyword)
    pairs = list(zip(values[::2], values[1::2]))
    if text(one, units) != "DISPLAY":
        return tuple((x, y) for x, y in pairs)
    if not areas:
        return ()
    left, top, width, height = areas[0]
    return tuple((left + x * width, top + y * height) for x, y in pairs)
