"""Reads one frame with what its header says about its values and their display. Knows no window and no screen."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset

from engine.dicom.codecs import decode
from engine.dicom.fast_header import FastHeader
from engine.dicom.file import pixel_source
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
"""What numpy takes as an index of the two image axes: slices, a mask, a pair of integers."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Pixels:
    """One frame, ready for a window. It is kept as it was stored: modality values are made when they are asked for."""

    stored: NDArray[Any]
    """Stored values [H, W], integers of 8, 16 or 32 bits, or finite float32; or uint8 [H, W, 3] RGB."""
    windows: tuple[Window, ...] = ()
    """As the file gives them, in its order."""
    voi_luts: tuple[VoiLut, ...] = ()
    unit: str = ""
    """"HU", "Gy", ... or "" when the file does not say."""
    inverted: bool = False
    """Low values are bright: MONOCHROME1, or Presentation LUT Shape INVERSE."""
    masked: NDArray[np.bool_] | None = None
    """bool [H, W]: not part of the image, beside `padding_values`, for example what is not a number."""
    modality: str = ""
    supplemental_colors: tuple[NDArray[np.bool_], NDArray[np.uint8]] | None = None
    """Supplemental colours over gray values: bool [H, W] where, uint8 [H, W, 3] which."""
    overlays: tuple[Overlay, ...] = ()
    """Graphics to paint over the image."""
    shutter: Shutter | None = None
    """What of the image is meant to be seen."""
    rescale: Rescale = AS_STORED
    """From stored to modality values."""
    padding_values: tuple[int, int] | None = None
    """Lowest and highest stored value that is no part of the image (Pixel Padding Value)."""

    @property
    def is_color(self) -> bool:
        """The values are colours already: windows do not apply."""
        return self.stored.ndim == 3

    @property
    def values(self) -> NDArray[Any]:
        """float32 [H, W] modality values, all finite; or uint8 [H, W, 3] RGB. Made anew each time: see `values_at`."""
        return self.values_at(...)

    @property
    def padding(self) -> NDArray[np.bool_] | None:
        """bool [H, W]: not part of the image, drawn black; None when every pixel is. Made anew each time."""
        mask = self.padding_at(...)
        return mask if mask is not None and mask.any() else None

    def values_at(self, where: ArrayIndex) -> NDArray[Any]:
        """The `values` of a part of the image, without making those of the rest."""
        part = self.stored[where]
        return part if self.is_color else modality_values(np.asarray(part), self.rescale)

    def padding_at(self, where: ArrayIndex) -> NDArray[np.bool_] | None:
        """The `padding` of a part of the image; None when the image has none."""
        mask: NDArray[np.bool_] | None = None if self.masked is None else self.masked[where]
        if self.padding_values is not None:
            low, high = self.padding_values
            part = self.stored[where]
            padded = part == low if low == high else (part >= low) & (part <= high)
            mask = padded if mask is None else mask | padded
        return mask

    def region(self, where: tuple[slice, slice]) -> "Pixels":
        """A rectangle of the image as pixels of its own, without supplemental colours, overlays and shutter."""
        masked = None if self.masked is None else self.masked[where]
        return replace(
            self, stored=self.stored[where], masked=masked, supplemental_colors=None, overlays=(), shutter=None
        )

    def with_values(self, values: NDArray[Any], masked: NDArray[np.bool_] | None) -> "Pixels":
        """Other modality values [H, W] with the same look; `masked` is what of them is no part of the image."""
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
        """What the frame takes in memory."""
        colors = (
            0
            if self.supplemental_colors is None
            else self.supplemental_colors[0].nbytes + self.supplemental_colors[1].nbytes
        )
        masked = 0 if self.masked is None else self.masked.nbytes
        return int(self.stored.nbytes + masked + colors + sum(plane.bits.nbytes for plane in self.overlays))


def read_frame(ref: FrameRef) -> Pixels:
    """Decode one frame of a file, and no other.

    Stored values -> modality LUT or rescale (PS3.3 C.11.1). Palette and YBR colours become RGB (C.7.6.3.1.2).

    Raises:
        UserError: the file is gone, damaged or of a kind that cannot be decoded; a sentence that says what to do.
    """
    with collect_warnings():
        return _read(ref)


def _read(ref: FrameRef) -> Pixels:
    planes: tuple[Overlay, ...] = ()
    with ref.image.origin.open() as file:
        dataset = cached_header(file, ref.image)
        start = file.tell()
        stored, photometric = _stored(file, dataset, ref.frame)
        if isinstance(dataset, FileDataset):
            planes = overlays(dataset, ref.frame, partial(pixel_cells, file, start, dataset, ref.frame))
    found = _pixels(stored, photometric, dataset, ref)
    covered = shutter(dataset)
    return replace(found, overlays=planes, shutter=covered) if planes or covered else found


def _pixels(stored: NDArray[Any], photometric: str, dataset: FileDataset | FastHeader, ref: FrameRef) -> Pixels:
    modality = text(dataset, "Modality").upper()
    if stored.ndim == 3:
        return Pixels(_color(stored, photometric, dataset), modality=modality)
    if photometric == "PALETTE COLOR" and isinstance(dataset, Dataset):
        return Pixels(apply_palette(stored, dataset), modality=modality)
    if photometric not in ("MONOCHROME1", "MONOCHROME2", ""):
        raise UserError(f"One sample a pixel cannot be {photometric}; export the image again from its source.")
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


def _stored(file: BinaryIO, dataset: FileDataset | FastHeader, frame: int) -> tuple[NDArray[Any], str]:
    """Stored values [H, W] or [H, W, 3], and the photometric interpretation that they now have."""
    frames = integer(dataset, "NumberOfFrames") or 1
    if not 0 <= frame < max(1, frames):
        raise UserError(f"There is no frame {frame + 1}: the image has {max(1, frames)}.")
    source, options = pixel_source(file, dataset)
    array, photometric = decode(source, dataset.file_meta.TransferSyntaxUID, frame, options)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        raise UserError(f"Pixels of {array.shape[-1]} samples cannot be shown; export the image again as RGB.")
    return array.astype(array.dtype.newbyteorder("="), copy=False), photometric


def modality_values(stored: NDArray[Any], transform: Rescale) -> NDArray[np.float32]:
    """float32 modality values of stored ones; exact for integers below 2**24, others round to float32."""
    if transform is AS_STORED:
        return stored.astype(np.float32, copy=False)
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


def _stays_finite(stored: NDArray[Any], transform: Rescale) -> bool:
    """Whether every value of this type has a finite modality value."""
    highest = 2.0 ** (8 * stored.dtype.itemsize)
    return transform.table is not None or abs(transform.slope) * highest + abs(transform.intercept) < 3e38


def _finite(
    values: NDArray[np.float32], mask: NDArray[np.bool_] | None
) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None]:
    """Values with 0 where there is no finite number, and the mask of what is no image with those places added."""
    if np.isfinite(values.sum(dtype=np.float64)):
        return values, mask
    wrong = ~np.isfinite(values)
    return np.where(wrong, np.float32(0), values), wrong if mask is None else mask | wrong


def _color(stored: NDArray[Any], photometric: str, dataset: Header) -> NDArray[np.uint8]:
    if photometric != "RGB":
        raise UserError(f"Colours stored as {photometric} cannot be shown; export the image again as RGB.")
    if stored.dtype.kind not in "iu":
        raise UserError("Colours stored as decimal numbers cannot be shown; export the image again as RGB.")
    bits = min(integer(dataset, "BitsStored") or 8, 8 * stored.dtype.itemsize)
    shifted = stored >> (bits - 8) if bits > 8 else stored
    return np.ascontiguousarray(shifted.astype(np.uint8))
