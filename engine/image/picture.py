"""Makes the 8-bit picture that models and the archive see, from DICOM, PNG or JPEG. Knows no models and no archive."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from engine.dicom.listing import open_path
from engine.dicom.origins import FileOrigin
from engine.errors import UserError, exists
from engine.image.pixels import read_frame
from engine.image.voi import Window
from engine.image.window import default_window, import_window, render
from engine.preprocess import high_bits_to_gray
from engine.study import PROJECTIONS, FrameRef, Origin, Series, Study

MAX_PICTURE_PIXELS = 200_000_000
KEY_FRAMES = 5


@dataclass(frozen=True, slots=True, eq=False)
class GrayPicture:
    """One displayed frame as 8-bit gray, with what may accompany it."""

    gray: NDArray[np.uint8]
    """uint8 [H, W]."""
    origin: Origin
    frame: int = 0
    window: tuple[float, float] | None = None
    """Centre and width in modality values; None where no window applies (colour, PNG, JPEG)."""
    modality: str = ""
    body_part: str = ""
    description: str = ""
    sex: str = ""
    age: int | None = None
    study_uid: str | None = None
    patient_key: str = ""
    """Key material to recognise the patient by (hash it, never show it); "" when unknown."""


def load_picture(path: Path, frame: int = 0, window: tuple[float, float] | None = None) -> GrayPicture:
    """The picture of a DICOM, PNG or JPEG file at a window.

    Args:
        frame: 0-based; counts the frames of a multi-frame file, or of all the images of a folder or zip.
        window: centre and width; None takes the file's own.

    Raises:
        UserError: no picture in it, no such frame, or a window without positive width.
    """
    path = Path(path)
    if exists(path) and path.is_file() and _is_plain_picture(path):
        if frame != 0:
            raise UserError(f"{path.name} has one frame only; leave --frame out.")
        return GrayPicture(_plain_gray(path), FileOrigin(path))
    listing = open_path(path)
    frames = [(study, series, ref) for study in listing.studies for series in study.series for ref in series.frames]
    if not frames:
        reason = listing.rejected[0].reason if listing.rejected else "There is no image in it."
        raise UserError(f"{path.name}: {reason}")
    if not 0 <= frame < len(frames):
        raise UserError(f"There is no frame {frame}: {path.name} has frames 0 to {len(frames) - 1}.")
    chosen = None if window is None else Window(*window)
    return picture_of(*frames[frame], chosen)


def picture_of(
    study: Study, series: Series, ref: FrameRef, window: Window | None = None, for_archive: bool = False
) -> GrayPicture:
    """The picture of a listed frame at a window; None takes the file's own, or the preset `for_archive`."""
    pixels = read_frame(ref)
    if window is None and for_archive:
        window = import_window(pixels, series.body_part)
    shown = None if pixels.is_color else window or default_window(pixels)
    return GrayPicture(
        gray=to_gray(render(pixels, window)),
        origin=ref.image.origin,
        frame=ref.frame,
        window=None if shown is None else (shown.center, shown.width),
        modality=series.modality,
        body_part=series.body_part,
        description=series.description or study.description,
        sex=study.patient.sex,
        age=study.patient.age,
        study_uid=study.uid,
        patient_key=study.patient.id,
    )


def key_frames(series: Series) -> tuple[FrameRef, ...]:
    """The frames that stand for a series in the archive: every radiograph, else up to five evenly spaced frames.

    Localizers stand for nothing. Key images marked by a Key Object Selection are not looked up.
    """
    frames = [frame for frame in series.frames if not frame.localizer]
    if series.modality in PROJECTIONS or len(frames) <= KEY_FRAMES:
        return tuple(frames)
    chosen = np.linspace(0, len(frames) - 1, KEY_FRAMES + 2)[1:-1].round().astype(int)
    return tuple(frames[index] for index in chosen)


def to_gray(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 [H, W] from [H, W] (unchanged) or RGB [H, W, 3] by the luma of ITU-R BT.601."""
    if image.ndim == 2:
        return image
    weights = np.array([19595, 38470, 7471], np.uint32)
    luma: NDArray[np.uint8] = ((image[..., :3].astype(np.uint32) @ weights + 0x8000) >> 16).astype(np.uint8)
    return luma


def _is_plain_picture(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror or error}); check the drive.", path) from error
    return head == b"\x89PNG\r\n\x1a\n" or head[:3] == b"\xff\xd8\xff"


def _plain_gray(path: Path) -> NDArray[np.uint8]:
    """A PNG or JPEG, turned upright by its EXIF orientation, of deep gray the upper 8 bits in use; clear is black."""
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as opened:
            if opened.width * opened.height > MAX_PICTURE_PIXELS:
                raise UserError(f"{path.name} is too large ({opened.width} x {opened.height}); scale it down first.")
            image = ImageOps.exif_transpose(opened)
            if image.mode in ("I", "I;16", "I;16B", "I;16L"):
                return high_bits_to_gray(np.asarray(image).astype(np.uint32))
            if image.mode in ("1", "L"):
                return np.array(image.convert("L"))
            rgba = np.asarray(image.convert("RGBA"), np.uint16)
            rgb = (rgba[..., :3] * rgba[..., 3:] // 255).astype(np.uint8)
            return to_gray(rgb)
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{path.name} is damaged or no PNG or JPEG; export it again.") from error
