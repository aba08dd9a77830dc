"""Overlay planes and shutters: real files against pydicom, and planes made by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from engine.dicom.listing import open_path
from engine.image.overlays import overlays
from engine.image.pixels import read_frame
from engine.image.shutters import Shutter, shutter
from tests.engine.dicom_samples import dataset, derive, sample


def nothing() -> None:
    """The words of a frame that holds none."""


def plane(bits: np.ndarray, **changes: Any) -> Dataset:
    """A header with one plane of group 6000, bits [frame, row, column] packed by hand."""
    made = Dataset()
    flat = bits.ravel()
    data = bytearray((len(flat) + 15) // 16 * 2)
    for index, bit in enumerate(flat):
        data[index // 8] |= int(bit) << (index % 8)
    made.add_new(0x60000010, "US", bits.shape[1])
    made.add_new(0x60000011, "US", bits.shape[2])
    made.add_new(0x60000040, "CS", changes.get("kind", "G"))
    made.add_new(0x60000050, "SS", changes.get("origin", [1, 1]))
    if "frames" in changes:
        made.add_new(0x60000015, "IS", changes["frames"])
    if "first" in changes:
        made.add_new(0x60000051, "US", changes["first"])
    if "subtype" in changes:
        made.add_new(0x60000045, "LO", changes["subtype"])
    made.add_new(0x60003000, "OW", bytes(data))
    made.set_original_encoding(False, True, None)
    return made


BITS = np.random.default_rng(4).random((3, 5, 7)) > 0.5


@pytest.mark.parametrize("name", ["MR-SIEMENS-DICOM-WithOverlays.dcm", "examples_overlay.dcm"])
def test_a_real_plane_equals_what_pydicom_reads(name: str) -> None:
    source = dataset(name)
    (found,) = overlays(source, 0, nothing)
    assert np.array_equal(found.bits, source.overlay_array(0x6000) == 1)
    assert (found.left, found.top, found.label) == (0, 0, "Siemens MedCom Object Graphics")


def test_the_origin_counts_rows_and_columns_from_one() -> None:
    (found,) = overlays(plane(BITS[:1], origin=[3, -2]), 0, nothing)
    assert (found.top, found.left) == (2, -3)


def test_a_plane_without_frames_applies_to_every_frame() -> None:
    made = plane(BITS[:1])
    for frame in (0, 7):
        assert np.array_equal(overlays(made, frame, nothing)[0].bits, BITS[0])


def test_planes_of_several_frames_begin_at_their_frame_of_origin() -> None:
    made = plane(BITS, frames=3, first=2)
    assert overlays(made, 0, nothing) == ()
    for frame in (1, 2, 3):
        assert np.array_equal(overlays(made, frame, nothing)[0].bits, BITS[frame - 1])
    assert overlays(made, 4, nothing) == ()


def test_bits_in_unused_bits_of_the_pixels_are_found() -> None:
    made = plane(BITS[:1])
    del made[0x60003000]
    made.add_new(0x60000102, "US", 12)
    words = (np.arange(35).reshape(5, 7) + (BITS[0].astype(int) << 12)).astype(np.uint16)
    (found,) = overlays(made, 0, lambda: words)
    assert np.array_equal(found.bits, BITS[0])
    assert overlays(made, 0, nothing) == ()


def test_the_bytes_of_a_big_endian_file_are_put_in_order() -> None:
    made = plane(BITS[:1])
    made[0x60003000].value = np.frombuffer(made[0x60003000].value, "<u2").astype(">u2").tobytes()
    made.set_original_encoding(False, False, None)
    assert np.array_equal(overlays(made, 0, nothing)[0].bits, BITS[0])


def test_damaged_planes_and_active_areas_of_ultrasound_are_left_out() -> None:
    assert overlays(plane(BITS[:1], subtype="ACTIVE 2D/BMODE IMAGE AREA"), 0, nothing) == ()
    short = plane(BITS[:1])
    short[0x60003000].value = b"\x01"
    assert overlays(short, 0, nothing) == ()
    sizeless = plane(BITS[:1])
    sizeless[0x60000010].value = None
    assert overlays(sizeless, 0, nothing) == ()


def test_shutters_count_columns_and_rows_from_one() -> None:
    made = Dataset()
    made.ShutterShape = ["RECTANGULAR", "CIRCULAR", "POLYGONAL"]
    made.ShutterLeftVerticalEdge, made.ShutterRightVerticalEdge = 11, 90
    made.ShutterUpperHorizontalEdge, made.ShutterLowerHorizontalEdge = 21, 80
    made.CenterOfCircularShutter, made.RadiusOfCircularShutter = [50, 40], 30
    made.VerticesOfThePolygonalShutter = [1, 2, 1, 60, 70, 60]
    assert shutter(made) == Shutter((10, 20, 90, 80), (39.5, 49.5, 30), ((1.5, 0.5), (59.5, 0.5), (59.5, 69.5)))
    made.ShutterLeftVerticalEdge = 95
    made.RadiusOfCircularShutter = 0
    made.VerticesOfThePolygonalShutter = [1, 2]
    assert shutter(made) is None
    assert shutter(Dataset()) is None


def test_a_plane_of_a_real_file_arrives_with_its_pixels() -> None:
    frame = next(open_path(sample("examples_overlay.dcm")).studies[0].frames())
    (found,) = read_frame(frame).overlays
    assert int(found.bits.sum()) == int(dataset("examples_overlay.dcm").overlay_array(0x6000).sum())


@pytest.mark.parametrize("name", ["MR_small.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm"])
def test_a_plane_in_unused_bits_of_a_file_arrives_and_leaves_the_values_alone(tmp_path: Path, name: str) -> None:
    path = derive(tmp_path / "x.dcm", name)
    plain = read_frame(next(open_path(path).studies[0].frames())).values
    source = dcmread(path)
    order = "<u2" if source.file_meta.TransferSyntaxUID.is_little_endian else ">u2"
    words = np.frombuffer(source.PixelData, order).reshape(64, 64)
    bits = np.random.default_rng(5).random((64, 64)) > 0.7
    source.BitsStored, source.HighBit = 15, 14
    source.PixelData = ((words & 0x7FFF) | (bits.astype(np.uint16) << 15)).astype(order).tobytes()
    for element, vr, value in ((0x10, "US", 64), (0x11, "US", 64), (0x40, "CS", "G"), (0x100, "US", 16)):
        source.add_new(0x60000000 + element, vr, value)
    source.add_new(0x60000050, "SS", [1, 1])
    source.add_new(0x60000102, "US", 15)
    source.save_as(path)
    pixels = read_frame(next(open_path(path).studies[0].frames()))
    assert np.array_equal(pixels.overlays[0].bits, bits)
    assert np.array_equal(pixels.values, plain)
