"""RLE: the values of pydicom's own decoder for every kind of frame, and no pixels from a damaged one."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels import get_decoder, get_encoder
from pydicom.pixels.utils import as_pixel_options
from pydicom.uid import RLELossless

from engine.dicom.coding.codecs import decode
from engine.dicom.coding.codestreams import PixelFormat, decode_codestream
from engine.dicom.listing import open_path
from engine.errors import UserError
from engine.image.pixels import read_frame
from tests.engine.dicom_samples import dataset, derive, sample

REAL = [
    *("MR_small_RLE.dcm", "emri_small_RLE.dcm", "OBXXXX1A_rle.dcm", "OBXXXX1A_rle_2frame.dcm", "rtdose_rle.dcm"),
    *("SC_rgb_rle.dcm", "SC_rgb_rle_2frame.dcm"),
]
"""16 bit signed and unsigned, 8 bit, 32 bit and RGB, with one frame and with several."""


def stored(path: Path, frame: int) -> NDArray[np.generic]:
    series = [one for study in open_path(path).studies for one in study.series]
    return read_frame(series[0].frames[frame]).stored


@pytest.mark.parametrize("name", REAL)
def test_every_frame_of_a_real_file_is_what_pydicom_makes_of_it(name: str) -> None:
    whole = dataset(name)
    for frame in range(int(whole.get("NumberOfFrames") or 1)):
        decoder = get_decoder(RLELossless)
        wanted, _ = decoder.as_array(whole, index=frame, decoding_plugin="pydicom", **as_pixel_options(whole))
        found, _ = decode(whole, RLELossless, frame, as_pixel_options(whole))
        assert np.array_equal(found, wanted)
        assert found.dtype == wanted.dtype


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 3), (64, 129)])
@pytest.mark.parametrize(("kind", "bits"), [("<u1", 8), ("<i1", 8), ("<u2", 12), ("<i2", 12), ("<u2", 16), ("<i2", 16)])
def test_odd_sizes_and_signs_come_back_exactly(size: tuple[int, int], kind: str, bits: int) -> None:
    signed = np.dtype(kind).kind == "i"
    low = -(1 << bits - 1) if signed else 0
    wanted = np.random.default_rng(0).integers(low, low + (1 << bits), size).astype(kind)
    wanted[:, : size[1] // 2] = low  # runs beside noise
    options = {"rows": size[0], "columns": size[1], "samples_per_pixel": 1, "number_of_frames": 1}
    options |= {"bits_allocated": 8 * wanted.itemsize, "bits_stored": bits, "pixel_representation": int(signed)}
    data = get_encoder(RLELossless).encode(
        wanted.tobytes(), index=0, encoding_plugin="pydicom", photometric_interpretation="MONOCHROME2", **options
    )
    layout = PixelFormat(*size, 1, 8 * wanted.itemsize, bits, signed, "MONOCHROME2")
    found, _ = decode_codestream(data, RLELossless, layout)
    assert np.array_equal(found, wanted)
    assert found.dtype == wanted.dtype


def segments(frame: bytes) -> list[bytes]:
    """PS3.5 G.5: how many segments, then where each begins."""
    count, *offsets = struct.unpack("<16L", frame[:64])
    return [frame[begin:end] for begin, end in zip(offsets[:count], [*offsets[1:count], len(frame)])]


def frame_of(parts: list[bytes]) -> bytes:
    offsets = [64 + sum(map(len, parts[:index])) for index in range(len(parts))]
    return struct.pack("<16L", len(parts), *offsets, *[0] * (15 - len(parts))) + b"".join(parts)


def derived(folder: Path, change: Callable[[list[bytes]], list[bytes]]) -> Path:
    whole = dataset("MR_small_RLE.dcm")
    parts = segments(get_frame(whole.PixelData, 0, number_of_frames=1))
    return derive(folder / "derived.dcm", "MR_small_RLE.dcm", PixelData=encapsulate([frame_of(change(parts))]))


PADDING: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "zeros after the last segment": lambda parts: [parts[0], parts[1] + b"\0\0\0\0"],
    "zeros after each": lambda parts: [part + b"\0\0" for part in parts],
    "a run after the first": lambda parts: [parts[0] + b"\xff\0", parts[1]],
    "what means nothing": lambda parts: [part + b"\x80\x80" for part in parts],
}


@pytest.mark.parametrize("change", PADDING.values(), ids=list(PADDING))
def test_padding_after_a_complete_segment_is_tolerated(
    tmp_path: Path, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    assert np.array_equal(stored(derived(tmp_path, change), 0), stored(sample("MR_small_RLE.dcm"), 0))


DAMAGE: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "the last segment is cut short": lambda parts: [parts[0], parts[1][:-100]],
    "the first segment is cut short": lambda parts: [parts[0][:-20], parts[1]],
    "the last has what the first lacks": lambda _: [b"\x81\0" * 31, b"\x81\0" * 33],  # runs of 128 in 64 x 64
    "the first has what the last lacks": lambda _: [b"\x81\0" * 33, b"\x81\0" * 31],
    "a segment is empty": lambda parts: [b"", parts[1]],
    "a segment is missing": lambda parts: parts[:1],
    "a segment too many": lambda parts: [*parts, parts[0]],
    "no segment": lambda parts: [],
}


@pytest.mark.parametrize("change", DAMAGE.values(), ids=list(DAMAGE))
def test_a_damaged_frame_is_refused_and_not_completed(
    tmp_path: Path, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    with pytest.raises(UserError, match="cannot be decoded"):
        stored(derived(tmp_path, change), 0)
