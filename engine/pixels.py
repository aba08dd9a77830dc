"""Reads one frame as modality values with what its header says about display. Knows no window and no screen."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset

from engine.dicom_bytes import open_bytes
from engine.dicom_codecs import decode
from engine.dicom_file import pixel_source
from engine.dicom_notes import notes_of_pydicom
from engine.dicom_values import integer, text
from engine.display_header import Rescale, is_inverted, padding_range, rescale, voi_luts, windows
from engine.errors import UserError
from engine.header_cache import header
from engine.overlays import Overlay, overlays, stored_words
from engine.palette import apply_palette, supplemental_colors
from engine.shutters import Shutter, shutter
from engine.study import FrameRef
from engine.voi import VoiLut, Window


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """One frame, ready for a window."""

    values: NDArray[Any]
    """float32 [H, W] modality values, all finite; or uint8 [H, W, 3] RGB."""
    windows: tuple[Window, ...] = ()
    """As the file gives them, in its order."""
    voi_luts: tuple[VoiLut, ...] = ()
    unit: str = ""
    """"HU", "Gy", ... or "" when the file does not say."""
    inverted: bool = False
    """Low values are bright: MONOCHROME1, or Presentation LUT Shape INVERSE."""
    padding: NDArray[np.bool_] | None = None
    """bool [H, W]: not part of the image (Pixel Padding Value, or not a number); drawn black."""
    modality: str = ""
    painted: tuple[NDArray[np.bool_], NDArray[np.uint8]] | None = None
    """Supplemental colours over gray values: bool [H, W] where, uint8 [H, W, 3] which."""
    overlays: tuple[Overlay, ...] = ()
    """Graphics to paint over the image."""
    shutter: Shutter | None = None
    """What of the image is meant to be seen."""

    @property
    def is_color(self) -> bool:
        """The values are colours already: windows do not apply."""
        return self.values.ndim == 3


def read_frame(ref: FrameRef) -> Pixels:
    """Decode one frame of a file, and no other, into modality values or RGB.

    Stored values -> modality LUT or rescale (PS3.3 C.11.1). Palette and YBR colours become RGB (C.7.6.3.1.2).

    Raises:
        UserError: the file is gone, damaged or of a kind that cannot be decoded; a sentence that says what to do.
    """
    with notes_of_pydicom():
        return _read(ref)


def _read(ref: FrameRef) -> Pixels:
    with open_bytes(ref.image.path, ref.image.member) as file:
        dataset = header(file, ref.image)
        start = file.tell()
        stored, photometric = _stored(file, dataset, ref.frame)
        planes = overlays(dataset, ref.frame, partial(stored_words, file, start, dataset, ref.frame))
    found = _pixels(stored, photometric, dataset, ref)
    return replace(found, overlays=planes, shutter=shutter(dataset))


def _pixels(stored: NDArray[Any], photometric: str, dataset: FileDataset, ref: FrameRef) -> Pixels:
    modality = text(dataset, "Modality").upper()
    if stored.ndim == 3:
        return Pixels(_color(stored, photometric, dataset), modality=modality)
    if photometric == "PALETTE COLOR":
        return Pixels(apply_palette(stored, dataset), modality=modality)
    if photometric not in ("MONOCHROME1", "MONOCHROME2", ""):
        raise UserError(f"One sample a pixel cannot be {photometric}; export the image again from its source.")
    transform = rescale(dataset, ref.frame)
    values = _modality_values(stored, transform)
    padding = _padding(stored, values, dataset)
    if values.dtype != np.float32:
        values = values.astype(np.float32)
    return Pixels(
        values=values,
        windows=windows(dataset, ref.frame),
        voi_luts=voi_luts(dataset, ref.frame),
        unit=transform.unit,
        inverted=is_inverted(dataset),
        padding=padding,
        modality=modality,
        painted=supplemental_colors(stored, dataset, ref.frame),
    )


def _stored(file: BinaryIO, dataset: FileDataset, frame: int) -> tuple[NDArray[Any], str]:
    """Stored values [H, W] or [H, W, 3], and the photometric interpretation that they now have."""
    frames = integer(dataset, "NumberOfFrames") or 1
    if not 0 <= frame < max(1, frames):
        raise UserError(f"There is no frame {frame + 1}: the image has {max(1, frames)}.")
    source, options = pixel_source(file, dataset)
    array, photometric = decode(source, dataset.file_meta.TransferSyntaxUID, frame, options)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        raise UserError(f"Pixels of {array.shape[-1]} samples cannot be shown; export the image again as RGB.")
    return array.astype(array.dtype.newbyteorder("="), copy=False), photometric


def _modality_values(stored: NDArray[Any], transform: Rescale) -> NDArray[Any]:
    """Exact for integers below 2**24; others round to float32."""
    if transform.table is not None:
        table = transform.table
        index = np.clip(stored.astype(np.int64) - table.first, 0, len(table.entries) - 1)
        return table.entries.astype(np.float32)[index]
    slope, intercept = transform.slope, transform.intercept
    whole = float(slope).is_integer() and float(intercept).is_integer()
    if whole and stored.dtype.itemsize <= 2 and abs(slope) * 65536 + abs(intercept) < 1 << 24:
        values = stored.astype(np.float32)
        if slope != 1:
            values *= np.float32(slope)
        if intercept != 0:
            values += np.float32(intercept)
        return values
    with np.errstate(over="ignore", invalid="ignore"):
        return (stored.astype(np.float64) * slope + intercept).astype(np.float32)


def _padding(stored: NDArray[Any], values: NDArray[Any], dataset: FileDataset) -> NDArray[np.bool_] | None:
    """The mask of what is no image; values that are no finite number are set to 0 in place and belong to it."""
    mask: NDArray[np.bool_] | None = None
    limits = padding_range(dataset) if stored.dtype.kind in "iu" else None
    if limits is not None:
        mask = (stored >= limits[0]) & (stored <= limits[1])
    if not np.isfinite(values.sum(dtype=np.float64)):
        wrong = ~np.isfinite(values)
        values[wrong] = 0
        mask = wrong if mask is None else mask | wrong
    return mask if mask is not None and mask.any() else None


def _color(stored: NDArray[Any], photometric: str, dataset: FileDataset) -> NDArray[np.uint8]:
    if photometric != "RGB":
        raise UserError(f"Colours stored as {photometric} cannot be shown; export the image again as RGB.")
    if stored.dtype.kind not in "iu":
        raise UserError("Colours stored as decimal numbers cannot be shown; export the image again as RGB.")
    bits = min(integer(dataset, "BitsStored") or 8, 8 * stored.dtype.itemsize)
    shifted = stored >> (bits - 8) if bits > 8 else stored
    return np.ascontiguousarray(shifted.astype(np.uint8))
