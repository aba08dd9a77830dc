"""Makes the 8-bit pictures that models and the archive use, from DICOM, PNG or JPEG. Knows no models, no archive."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from engine.dicom.file import NOT_DICOM
from engine.dicom.key_objects import KeyImage, frames_of
from engine.dicom.listing import open_path
from engine.dicom.origins import FileOrigin
from engine.errors import UserError, exists
from engine.facts.fact import Facts
from engine.facts.from_header import facts_of_frame
from engine.image.pixels import Pixels, read_frame
from engine.image.voi import Window
from engine.image.window import default_window, import_window, render
from engine.preprocess import high_bits_to_gray
from engine.study import PROJECTIONS, FrameRef, Origin, Series, Study
from engine.text.words import counted

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")
DAMAGED_IMAGE = "The image is damaged, or not a PNG or JPEG file; export it again."
MAX_PICTURE_PIXELS = 80_000_000
"""Larger PNG and JPEG files are refused: they take 4 bytes a pixel and 5 seconds."""
STRIP = 256
"""Rows that are converted at once."""
KEY_FRAMES = 5
"""Frames of a stack that represent it in the archive."""
SERIES_FRAMES = 9
"""The most frames that stand for a series in a search, since each is embedded and compared."""


@dataclass(frozen=True, slots=True, eq=False)
class GrayPicture:
    """One frame as 8-bit gray at a window, with the attributes that are used with it."""

    gray: NDArray[np.uint8]
    """uint8 [H, W]."""
    origin: Origin
    frame: int = 0
    """0-based within the image."""
    window: tuple[float, float] | None = None
    """Center and width in modality values; None where no window applies (color, PNG, JPEG)."""
    modality: str = ""
    body_part: str = ""
    description: str = ""
    facts: Facts = field(default_factory=dict)
    """What the header says of this frame."""
    sex: str = ""
    age: int | None = None
    """Full years."""
    study_uid: str | None = None
    patient_key: str = ""
    """Patient ID (0010,0020), to recognize earlier cases: to be hashed, never shown; "" when unknown."""
    pixels: Pixels | None = None
    """The frame that was rendered; None for PNG and JPEG."""


def load_picture(path: Path, frame: int = 0, window: tuple[float, float] | None = None) -> GrayPicture:
    """The picture of one frame of a DICOM, PNG or JPEG file.

    Args:
        path: a file, or a folder or ZIP archive of DICOM files.
        frame: 0-based, counting all frames below `path`.
        window: center and width; None takes the default from the file.

    Raises:
        UserError: no image, no such frame, or a window whose width is not positive.
    """
    path = Path(path)
    if exists(path) and path.is_file() and _is_png_or_jpeg(path):
        if frame != 0:
            raise UserError(f"{path.name} has one frame only; omit --frame.")
        return GrayPicture(_read_png_or_jpeg(path), FileOrigin(path))
    listing = open_path(path)
    frames = [(study, series, ref) for study in listing.studies for series in study.series for ref in series.frames]
    if not frames:
        reason = listing.rejected[0].reason if listing.rejected else "No image was found."
        if reason == NOT_DICOM and path.suffix.lower() in IMAGE_SUFFIXES:
            reason = DAMAGED_IMAGE
        raise UserError(f"{path.name}: {reason}")
    if not 0 <= frame < len(frames):
        raise UserError(
            f"There is no frame {frame + 1}; {path.name} has {counted(len(frames), 'frame')}, and --frame counts them "
            "from 0."
        )
    chosen = None if window is None else Window(*window)
    return picture_of(*frames[frame], chosen)


def load_series(path: Path, window: tuple[float, float] | None = None) -> tuple[GrayPicture, ...]:
    """The pictures that stand for a series as a whole: its key images if it has any, else those of `key_frames`.

    Of several series below `path`, the one with the most frames. A PNG or JPEG file is its only picture.

    Args:
        path: a file, or a folder or ZIP archive of DICOM files.
        window: center and width; None takes the default from the file.

    Raises:
        UserError: no image, or a window whose width is not positive.
    """
    path = Path(path)
    if exists(path) and path.is_file() and _is_png_or_jpeg(path):
        return (load_picture(path),)
    listing = open_path(path)
    stacks = [(study, series) for study in listing.studies for series in study.series]
    if not stacks:
        return (load_picture(path, window=window),)  # which says why there is none
    study, series = max(stacks, key=lambda stack: len(stack[1].frames))
    marked = [key for one in listing.key_objects if not one.is_rejection_note for key in one.key_images]
    frames = series_frames(series, marked)
    chosen = None if window is None else Window(*window)
    return tuple(picture_of(study, series, ref, chosen) for ref in frames)


def picture_of(
    study: Study, series: Series, ref: FrameRef, window: Window | None = None, for_archive: bool = False
) -> GrayPicture:
    """The picture of a listed frame at a window; None takes the file's default, or `import_window` if `for_archive`."""
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
        facts=facts_of_frame(study, series, ref),
        sex=study.patient.sex,
        age=study.patient.age,
        study_uid=study.uid,
        patient_key=study.patient.id,
        pixels=pixels,
    )


def key_frames(series: Series) -> tuple[FrameRef, ...]:
    """The frames that represent a series in the archive: all of a projection modality, else five evenly spaced ones.

    Localizers are left out. Key Object Selections are not considered.
    """
    frames = [frame for frame in series.frames if not frame.localizer]
    if series.modality in PROJECTIONS or len(frames) <= KEY_FRAMES:
        return tuple(frames)
    chosen = np.linspace(0, len(frames) - 1, KEY_FRAMES + 2)[1:-1].round().astype(int)
    return tuple(frames[index] for index in chosen)


def series_frames(series: Series, marked: Iterable[KeyImage] = ()) -> tuple[FrameRef, ...]:
    """The frames that a search for a series as a whole compares: the marked ones, else those of `key_frames`."""
    frames = frames_of(series, marked) or key_frames(series) or series.frames
    return frames[:SERIES_FRAMES]


def to_gray(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Gray uint8 [H, W] from gray [H, W] (unchanged) or RGB uint8 [H, W, 3] (ITU-R BT.601 luma)."""
    if image.ndim == 2:
        return image
    weights = np.array([19595, 38470, 7471], np.uint32)
    luma: NDArray[np.uint8] = ((image[..., :3].astype(np.uint32) @ weights + 0x8000) >> 16).astype(np.uint8)
    return luma


def _is_png_or_jpeg(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror or error}); check the drive.", path) from error
    return head == b"\x89PNG\r\n\x1a\n" or head[:3] == b"\xff\xd8\xff"


def _gray_by_strips(image: Image.Image) -> NDArray[np.uint8]:
    """Gray uint8 [H, W] of a color image on black; a whole one would take 20 bytes a pixel."""
    gray = np.empty((image.height, image.width), np.uint8)
    for top in range(0, image.height, STRIP):
        strip = image.crop((0, top, image.width, min(image.height, top + STRIP)))
        rgba = np.asarray(strip.convert("RGBA"), np.uint16)
        gray[top : top + STRIP] = to_gray((rgba[..., :3] * rgba[..., 3:] // 255).astype(np.uint8))
    return gray


def _read_png_or_jpeg(path: Path) -> NDArray[np.uint8]:
    """A PNG or JPEG as gray uint8 [H, W]: EXIF orientation applied, 16-bit gray reduced, transparency black."""
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as opened:
            if opened.width * opened.height > MAX_PICTURE_PIXELS:
                size = f"{opened.width} x {opened.height} pixels"
                raise UserError(f"{path.name}: The image is too large ({size}); scale it down first.")
            ImageOps.exif_transpose(opened, in_place=True)
            if opened.mode in ("I", "I;16", "I;16B", "I;16L"):
                values = np.asarray(opened)
                return high_bits_to_gray(values.view(np.uint32) if opened.mode == "I" else values)
            if opened.mode in ("1", "L"):
                return np.array(opened.convert("L"))
            return _gray_by_strips(opened)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:  # Pillow's own limits are higher
        raise UserError(f"{path.name}: The image is too large; scale it down first.") from error
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        raise UserError(f"{path.name}: {DAMAGED_IMAGE}") from error
