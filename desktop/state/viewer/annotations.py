"""Overlay text: the lines in the corners of a viewport. Pure functions; knows no widgets and paints nothing."""

from dataclasses import dataclass, replace

from desktop.state.formatting import format_date, format_time, format_window, patient_facts, readable_name, series_title
from desktop.state.viewer.geometry import Edges, edges_on_screen
from desktop.state.viewer.viewport import ViewportState
from engine.geometry.planes import edge_letters
from engine.image.archived import WHOLE_RANGE, archived_origin, is_archived
from engine.image.marks import burned_in_mark, laterality_mark, lossy_mark
from engine.image.mpr import is_plane
from engine.image.oblique import is_oblique
from engine.image.pixels import Pixels
from engine.measure.roi import value_at
from engine.study import FrameRef, Point, Series, Study

TOP_LINES = 4
"""Lines of a top corner at most. Nothing else is written there: in a narrow viewport the corners meet in the middle."""


@dataclass(frozen=True, slots=True)
class Annotations:
    """Lines of text for each corner, and the orientation letters."""

    top_left: tuple[str, ...] = ()
    top_right: tuple[str, ...] = ()
    bottom_left: tuple[str, ...] = ()
    bottom_right: tuple[str, ...] = ()
    edges: Edges | None = None
    """None without a known orientation."""


def annotate(viewport: ViewportState, mouse: bool = True, patient_data: bool | None = None) -> Annotations:
    """Overlay text of the picture on screen: its numbers belong to that picture, not to one still being made.

    Args:
        viewport: whose picture.
        mouse: with the value under the mouse.
        patient_data: with the patient and the institution; None: as the viewport shows them.
    """
    study, series, picture = viewport.study, viewport.series, viewport.picture
    if study is None or series is None:
        return Annotations()
    if is_archived(series):
        return _of_archived(viewport, study, series, mouse)
    named = viewport.patient_data_visible if patient_data is None else patient_data
    left = patient_lines(study) if named else ("Patient data hidden",)
    date_time = " ".join(part for part in (format_date(study.date), format_time(study.time)) if part)
    institution = series.institution if named else ""
    title = series_title(replace(series, part="") if is_plane(series.frames[0]) else series)
    right = tuple(line for line in (institution, study.description, date_time, title) if line)
    if picture is None:
        number = (f"{viewport.index + 1} / {len(series.frames)}",) if viewport.failure else ()
        return Annotations(left, right, number)
    bottom_left = ["Reading…" if series.growing else f"{picture.index + 1} / {len(series.frames)}"]
    height, width = picture.shape
    rendering = [f"{width} × {height}", f"Zoom {100 * viewport.scale:.0f}%"]
    if picture.window is not None:
        rendering.insert(0, format_window(picture.window, picture.pixels.unit))
    if viewport.view.quarter_turns:
        rendering.insert(0, f"Rotated {90 * viewport.view.quarter_turns}°")
    if viewport.view.flipped:
        rendering.insert(0, "Flipped")
    if picture.inverted:
        rendering.insert(0, "Inverted")
    under = value_text(picture.pixels, viewport.mouse_point if mouse else None)
    if under:
        rendering.insert(0, under)
    image = picture.ref.image
    marks = (laterality_mark(image), lossy_mark(image), burned_in_mark(image, series.modality))
    plane = plane_text(picture.series, picture.ref)
    bottom_left += [line for line in (plane, slice_text(picture.ref), *marks, viewport.status) if line]
    stored = edge_letters(picture.ref)
    edges = edges_on_screen(viewport.view, stored) if stored else None
    return Annotations(left, right, tuple(reversed(bottom_left)), tuple(rendering), edges)


def _of_archived(viewport: ViewportState, study: Study, series: Series, mouse: bool) -> Annotations:
    """Overlay text of an archived case: what it is, and that nothing can be measured on it."""
    picture = viewport.picture
    origin = archived_origin(series.frames[viewport.index] if picture is None else picture.ref)
    left = (f"Archived case {origin.case_id}" if origin else "", patient_facts(study.patient))
    right = (series.modality, series.body_part.lower())
    window = origin.stored.window if origin else None
    bottom_left = [f"{(viewport.index if picture is None else picture.index) + 1} / {len(series.frames)}"]
    bottom_left += [f"Archived at W {window[1]:.0f} L {window[0]:.0f}"] if window else []
    bottom_left += ["De-identified, 8 bits, reduced size", "Not for measurement"]
    rendering: list[str] = []
    if picture is not None:
        height, width = picture.shape
        rendering = [f"{width} × {height}", f"Zoom {100 * viewport.scale:.0f}%"]
        if picture.window is not None and picture.window != WHOLE_RANGE:
            rendering.insert(0, format_window(picture.window))
        rendering = ["Inverted", *rendering] if picture.inverted else rendering
        under = value_text(picture.pixels, viewport.mouse_point if mouse else None)
        rendering = [f"Gray level {under}", *rendering] if under else rendering
    top_left, top_right = (tuple(line for line in lines if line) for lines in (left, right))
    return Annotations(top_left, top_right, tuple(reversed(bottom_left)), tuple(rendering))


def plane_text(series: Series, frame: FrameRef) -> str:
    """Which plane of MPR a frame is and, of a slab, its projection and thickness; "" for a frame of a file.

    A line of its own, since at the end of the title of the series it would be cut off first.
    """
    if not is_plane(frame):
        return ""
    return series.part if frame.thickness is None else f"{series.part} {frame.thickness:.4g} mm"


def slice_text(frame: FrameRef) -> str:
    """Position and thickness of a slice, as far as the header gives them; an oblique plane has no one position."""
    position = None if is_oblique(frame) else slice_position(frame.position, frame.orientation)
    location = f"{position:.1f} mm" if position is not None else ""
    has_thickness = frame.thickness is not None and not is_plane(frame)
    thickness = f"{frame.thickness:.4g} mm thick" if has_thickness else ""
    return " · ".join(part for part in (location, thickness) if part)


def value_text(pixels: Pixels, image_point: Point | None) -> str:
    """Value of the pixel under the mouse with its unit, or its color; "" outside the image and on padding."""
    value = value_at(pixels, image_point) if image_point is not None else None
    if value is None:
        return ""
    return "RGB {} {} {}".format(*value) if isinstance(value, tuple) else f"{value:,.6g} {pixels.unit}".rstrip()


def patient_lines(study: Study) -> tuple[str, ...]:
    """Name, sex and age, and id of the patient, as far as they are known, and a warning of another patient's images."""
    patient = study.patient
    lines = (readable_name(patient.name), patient_facts(patient), patient.id, study.warning)
    return tuple(line for line in lines if line)


def slice_position(position: tuple[float, float, float] | None, orientation: tuple[float, ...] | None) -> float | None:
    """Millimeters along the patient axis closest to the slice's normal (PS3.3 C.7.6.2.1.1)."""
    if position is None or orientation is None:
        return None
    a, b, c, d, e, f = orientation
    normal = (b * f - c * e, c * d - a * f, a * e - b * d)
    axis = max(range(3), key=lambda index: abs(normal[index]))
    return position[axis]
