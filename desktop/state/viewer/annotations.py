"""The words in the corners of a viewport. Pure functions; knows no widgets and paints nothing."""

from dataclasses import dataclass

from desktop.state.formatting import format_date, format_time, format_window, patient_facts, readable_name, series_title
from desktop.state.viewer.geometry import edges_on_screen
from desktop.state.viewer.viewport import ViewportState
from engine.geometry.planes import edge_letters
from engine.image.marks import burned_in_mark, laterality_mark, lossy_mark
from engine.image.pixels import Pixels
from engine.measure.roi import value_at
from engine.study import FrameRef, Point, Study

TOP_LINES = 4
"""Of a corner at the top, at most; nothing else is written there, for in a narrow viewport they meet in the middle."""


@dataclass(frozen=True, slots=True)
class Annotations:
    """Lines of text for each corner, and the letters at the edges (left, top, right, bottom)."""

    top_left: tuple[str, ...] = ()
    top_right: tuple[str, ...] = ()
    bottom_left: tuple[str, ...] = ()
    bottom_right: tuple[str, ...] = ()
    edges: tuple[str, str, str, str] | None = None


def annotate(viewport: ViewportState, pointed: bool = True, identity: bool | None = None) -> Annotations:
    """What to write over the picture on screen: numbers belong to that picture, not to one still being made.

    pointed: with the value under the mouse. identity: with the patient; None: as the viewport shows it.
    """
    study, series, picture = viewport.study, viewport.series, viewport.picture
    if study is None or series is None:
        return Annotations()
    named = viewport.patient_data_visible if identity is None else identity
    left = patient_lines(study) if named else ("Identity hidden",)
    when = " ".join(part for part in (format_date(study.date), format_time(study.time)) if part)
    place = series.institution if named else ""
    right = tuple(line for line in (place, study.description, when, series_title(series)) if line)
    if picture is None:
        unread = (f"{viewport.index + 1} / {len(series.frames)}",) if viewport.failure else ()
        return Annotations(left, right, unread)
    where = ["Reading …" if series.growing else f"{picture.index + 1} / {len(series.frames)}"]
    height, width = picture.shape
    look = [f"{width} × {height}", f"zoom {100 * viewport.scale:.0f} %"]
    if picture.window is not None:
        look.insert(0, format_window(picture.window, picture.pixels.unit))
    if viewport.view.quarter_turns:
        look.insert(0, f"Turned {90 * viewport.view.quarter_turns}°")
    if viewport.view.flipped:
        look.insert(0, "Mirrored")
    if picture.inverted:
        look.insert(0, "Inverted")
    under = value_text(picture.pixels, viewport.mouse_point if pointed else None)
    if under:
        look.insert(0, under)
    image = picture.ref.image
    marks = (laterality_mark(image), lossy_mark(image), burned_in_mark(image, series.modality))
    where += [line for line in (slice_text(picture.ref), *marks, viewport.status) if line]
    stored = edge_letters(picture.ref)
    edges = edges_on_screen(viewport.view, stored) if stored else None
    return Annotations(left, right, tuple(reversed(where)), tuple(look), edges)


def slice_text(frame: FrameRef) -> str:
    """Where a slice lies and how thick it is, as far as the header says."""
    depth = slice_position(frame.position, frame.orientation)
    lies = f"{depth:.1f} mm" if depth is not None else ""
    thick = f"{frame.thickness:.4g} mm thick" if frame.thickness is not None else ""
    return " · ".join(part for part in (lies, thick) if part)


def value_text(pixels: Pixels, point: Point | None) -> str:
    """What the pixel under the mouse holds: its value with the unit, or its colour; "" outside and on padding."""
    value = value_at(pixels, point) if point is not None else None
    if value is None:
        return ""
    return "RGB {} {} {}".format(*value) if isinstance(value, tuple) else f"{value:,.6g} {pixels.unit}".rstrip()


def patient_lines(study: Study) -> tuple[str, ...]:
    patient = study.patient
    return tuple(line for line in (readable_name(patient.name), patient_facts(patient), patient.id) if line)


def slice_position(position: tuple[float, float, float] | None, orientation: tuple[float, ...] | None) -> float | None:
    """Millimetres along the patient axis closest to the slice's normal (PS3.3 C.7.6.2.1.1)."""
    if position is None or orientation is None:
        return None
    a, b, c, d, e, f = orientation
    normal = (b * f - c * e, c * d - a * f, a * e - b * d)
    axis = max(range(3), key=lambda index: abs(normal[index]))
    return position[axis]
