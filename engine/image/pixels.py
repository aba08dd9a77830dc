"""Reads one frame with the attributes that describe its values and their display. Knows no window and no screen."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset

from engine.dicom.coding.codecs import decode
from engine.dicom.coding.pixel_data import pixel_source
from engine.dicom.fast_header import FastHeader
from engine.dicom.header_cache import cached_header
from engine.dicom.parser_warnings import collect_warnings
from engine.dicom.values import Header, integer, text
from engine.errors import UserError
from engine.image.display_header import (
    AS_STORED,
    Rescale,
    float_padding_range,
    is_inverted,
    padding_range,
    rescale,
    voi_luts,
    windows,
)
from engine.image.overlays import Overlay, overlays, pixel_cells
from engine.image.palette import apply_palette, read_supplemental_colors
from engine.image.shutters import Shutter, shutter
from engine.image.voi import VoiLut, Window
from engine.study import FrameRef

ArrayIndex = Any
"""A NumPy index of the two image axes: slices, a mask or a pair of integers."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Pixels:
    """One decoded frame. Kept as stored values; modality values are computed on demand."""

    stored: NDArray[Any]
    """Stored values [H, W] (integers of 8, 16 or 32 bits, or finite float32), or RGB uint8 [H, W, 3]."""
    windows: tuple[Window, ...] = ()
    """Windows in the file, in its order."""
    voi_luts: tuple[VoiLut, ...] = ()
    """VOI LUTs in the file, in its order."""
    unit: str = ""
    """Unit of the modality values, such as "HU" or "Gy"; "" when unknown."""
    inverted: bool = False
    """Low values are bright (MONOCHROME1, or Presentation LUT Shape INVERSE)."""
    masked: NDArray[np.bool_] | None = None
    """bool [H, W]: padding besides `padding_values`, for example NaN; None for no such pixel."""
    modality: str = ""
    """Modality (0008,0060)."""
    supplemental_colors: tuple[NDArray[np.bool_], NDArray[np.uint8]] | None = None
    """Colored pixels of a gray image: bool [H, W] and their RGB, uint8 [H, W, 3]."""
    overlays: tuple[Overlay, ...] = ()
    """Overlay planes to paint over the image."""
    shutter: Shutter | None = None
    """The part of the image to show; None for all of it."""
    rescale: Rescale = AS_STORED
    """From stored to modality values."""
    padding_values: tuple[int, int] | None = None
    """Lowest and highest stored value that is padding (Pixel Padding Value, 0028,0120)."""

    @property
    def is_color(self) -> bool:
        """The values are RGB, so windows do not apply."""
        return self.stored.ndim == 3

    @property
    def values(self) -> NDArray[Any]:
        """Finite modality values, float32 [H, W], or RGB uint8 [H, W, 3]. Computed on each access: see `values_at`."""
        return self.values_at(...)

    @property
    def padding(self) -> NDArray[np.bool_] | None:
        """Boolean mask [H, W] of padding pixels, shown black; None without any. Computed on each access."""
        mask = self.padding_at(...)
        return mask if mask is not None and mask.any() else None

    def values_at(self, where: ArrayIndex) -> NDArray[Any]:
        """The `values` of a part of the image, without computing the others."""
        part = self.stored[where]
        return part if self.is_color else modality_values(np.asarray(part), self.rescale)

    def padding_at(self, where: ArrayIndex) -> NDArray[np.bool_] | None:
        """The `padding` of a part of the image; None when the image can have none."""
        mask: NDArray[np.bool_] | None = None if self.masked is None else self.masked[where]
        if self.padding_values is not None:
            low, high = self.padding_values
            part = self.stored[where]
            padded = part == low if low == high else (part >= low) & (part <= high)
            mask = padded if mask is None else mask | padded
        return mask

    def region(self, where: tuple[slice, slice]) -> "Pixels":
        """A rectangle of the image, without supplemental colors, overlays and shutter."""
        masked = None if self.masked is None else self.masked[where]
        return replace(
            self, stored=self.stored[where], masked=masked, supplemental_colors=None, overlays=(), shutter=None
        )

    def with_values(self, values: NDArray[Any], masked: NDArray[np.bool_] | None) -> "Pixels":
        """Other modality values [H, W] with the same display attributes, and the mask of their padding."""
        return replace(
            self,
            stored=values,
            rescale=AS_STORED,
            padding_values=None,
            masked=masked,
            supplemental_colors=None,
            overlays=(),
            shutter=None,
        )

    @property
    def nbytes(self) -> int:
        """Memory of the frame in bytes."""
        arrays = [self.stored, self.masked, *(self.supplemental_colors or ()), *(plane.bits for plane in self.overlays)]
        return sum(array.nbytes for array in arrays if array is not None)


def read_frame(ref: FrameRef) -> Pixels:
    """Decode one frame of a file, and no other.

    Palette and YBR colors are converted to RGB (PS3.3 C.7.6.3.1.2).

    Raises:
        UserError: the file is missing, damaged or not supported.
    """
    with collect_warnings():
        return _read(ref)


def _read(ref: FrameRef) -> Pixels:
    planes: tuple[Overlay, ...] = ()
    with ref.image.origin.open() as file:
        dataset = cached_header(file, ref.image)
        start = file.tell()
        stored, photometric = read_stored(file, dataset, ref.frame)
        if isinstance(dataset, FileDataset):
            planes = overlays(dataset, ref.frame, partial(pixel_cells, file, start, dataset, ref.frame))
    pixels = as_pixels(stored, photometric, dataset, ref)
    visible = shutter(dataset)
    return replace(pixels, overlays=planes, shutter=visible) if planes or visible else pixels


def as_pixels(stored: NDArray[Any], photometric: str, dataset: FileDataset | FastHeader, ref: FrameRef) -> Pixels:
    """A decoded frame with the attributes of its header, without overlays and shutter.

    Raises:
        UserError: the photometric interpretation does not fit the stored values.
    """
    modality = text(dataset, "Modality").upper()
    if stored.ndim == 3:
        return Pixels(_rgb(stored, photometric, dataset), modality=modality)
    if photometric == "PALETTE COLOR" and isinstance(dataset, Dataset):
        return Pixels(apply_palette(stored, dataset), modality=modality)
    if photometric not in ("MONOCHROME1", "MONOCHROME2", ""):
        raise UserError(
            f"{photometric} with one sample per pixel is not valid; export the image again from its source."
        )
    colors = read_supplemental_colors(stored, dataset, ref.frame) if isinstance(dataset, Dataset) else None
    transform = rescale(dataset, ref.frame)
    unit = transform.unit
    padding = padding_range(dataset) if stored.dtype.kind in "iu" else None
    masked: NDArray[np.bool_] | None = None
    if stored.dtype.kind == "f" or not _stays_finite(stored, transform):
        ends = float_padding_range(dataset, stored.dtype) if stored.dtype.kind == "f" else padding
        if ends is not None:
            masked = (stored >= ends[0]) & (stored <= ends[1])
        stored, masked = _finite(modality_values(stored, transform), masked)
        transform, padding = AS_STORED, None
    return Pixels(
        stored=stored,
        windows=windows(dataset, ref.frame),
        voi_luts=voi_luts(dataset, ref.frame),
        unit=unit,
        inverted=is_inverted(dataset),
        masked=masked,
        modality=modality,
        supplemental_colors=colors,
        rescale=transform,
        padding_values=padding,
    )


def read_stored(file: BinaryIO, dataset: FileDataset | FastHeader, frame: int) -> tuple[NDArray[Any], str]:
    """Stored values [H, W] or [H, W, 3], and their photometric interpretation after decoding.

    Args:
        file: at the pixel data element, as after `read_header`.
        dataset: the header.
        frame: 0-based.

    Raises:
        UserError: there is no such frame, or it cannot be decoded.
    """
    frames = integer(dataset, "NumberOfFrames") or 1
    if not 0 <= frame < max(1, frames):
        raise UserError(f"There is no frame {frame + 1}; the image has {max(1, frames)}.")
    source, options = pixel_source(file, dataset)
    array, photometric = decode(source, options["transfer_syntax_uid"], frame, options)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        raise UserError(f"{array.shape[-1]} samples per pixel are not supported; export the image again as RGB.")
    return array.astype(array.dtype.newbyteorder("="), copy=False), photometric


def modality_values(stored: NDArray[Any], transform: Rescale) -> NDArray[np.float32]:
    """Modality values of stored ones, float32 in the same shape; integers below 2**24 are exact."""
    if transform is AS_STORED:
        return stored.astype(np.float32, copy=False)
    if transform.table is not None:
        table = transform.table
        index = np.clip(stored.astype(np.int64) - table.first, 0, len(table.entries) - 1)
        return table.entries.astype(np.float32)[index]
    slope, intercept = transform.slope, transform.intercept
    integers = float(slope).is_integer() and float(intercept).is_integer()
    if integers and stored.dtype.itemsize <= 2 and abs(slope) * 65536 + abs(intercept) < 1 << 24:
        values = stored.astype(np.float32)
        if slope != 1:
            values *= np.float32(slope)
        if intercept != 0:
            values += np.float32(intercept)
        return values
    with np.errstate(over="ignore", invalid="ignore"):
        return (stored.astype(np.float64) * slope + intercept).astype(np.float32)


def _stays_finite(stored: NDArray[Any], transform: Rescale) -> bool:
    """Whether every value of this type has a finite modality value in float32."""
    highest = 2.0 ** (8 * stored.dtype.itemsize)
    return transform.table is not None or abs(transform.slope) * highest + abs(transform.intercept) < 3e38


def _finite(
    values: NDArray[np.float32], mask: NDArray[np.bool_] | None
) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None]:
    """The values with 0 for NaN and infinity, and the padding mask with those pixels added."""
    if np.isfinite(values.sum(dtype=np.float64)):
        return values, mask
    invalid = ~np.isfinite(values)
    return np.where(invalid, np.float32(0), values), invalid if mask is None else mask | invalid


def _rgb(stored: NDArray[Any], photometric: str, dataset: Header) -> NDArray[np.uint8]:
    if photometric != "RGB":
        raise UserError(f"Color images in {photometric} are not supported; export the image again as RGB.")
    if stored.dtype.kind not in "iu":
        raise UserError("Floating point color images are not supported; export the image again as RGB.")
    bits = min(integer(dataset, "BitsStored") or 8, 8 * stored.dtype.itemsize)
    shifted = stored >> (bits - 8) if bits > 8 else stored
    return np.ascontiguousarray(shifted.astype(np.uint8))
