"""Exact pixel values of real files, against values recorded by hand and plain implementations."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels import apply_modality_lut

from engine.dicom.listing import open_path
from engine.errors import UserError
from engine.image.pixels import Pixels, read_frame
from engine.study import FrameRef
from tests.engine.dicom_samples import dataset, derive, sample


def frames_of(path: Path) -> list[FrameRef]:
    return list(open_path(path).studies[0].frames())


def read(name: str, frame: int = 0) -> Pixels:
    return read_frame(next(ref for ref in frames_of(sample(name)) if ref.frame == frame))


def native(name: str) -> NDArray[np.int64]:
    """Stored values of an uncompressed little endian file of one gray frame, straight from its bytes."""
    whole = dataset(name)
    kind = "<i2" if whole.PixelRepresentation else "<u2"
    return (
        np.frombuffer(whole.PixelData, kind)[: whole.Rows * whole.Columns]
        .reshape(whole.Rows, whole.Columns)
        .astype(int)
    )


def test_a_ct_is_in_hounsfield_units_voxel_by_voxel() -> None:
    ct = read("CT_small.dcm")
    assert ct.unit == "HU"
    assert np.array_equal(ct.values, native("CT_small.dcm") - 1024)
    assert ct.values[0, :4].tolist() == [-849, -844, -858, -881]
    assert (ct.values.min(), ct.values.max()) == (-896, 1167)
    assert ct.values.dtype == np.float32


@pytest.mark.parametrize(
    "name",
    [
        "MR_small_RLE.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_expb.dcm",
        "MR_small_implicit.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "MR_small_padded.dcm",
        "zipMR.gz",
    ],
)
def test_every_lossless_transfer_syntax_gives_the_same_mr(name: str) -> None:
    mr = read(name)
    assert np.array_equal(mr.values, native("MR_small.dcm"))
    assert mr.values[0, :3].tolist() == [905, 1019, 1227]
    assert mr.unit == ""


@pytest.mark.parametrize(
    ("lossless", "uncompressed"),
    [("693_J2KR.dcm", "693_UNCR.dcm"), ("MR2_J2KR.dcm", "MR2_UNCR.dcm"), ("RG3_J2KR.dcm", "RG3_UNCR.dcm")],
)
def test_reversible_jpeg_2000_equals_the_uncompressed_original(lossless: str, uncompressed: str) -> None:
    assert np.array_equal(read(lossless).values, read(uncompressed).values)


def test_jpeg_lossless_and_twelve_bit_jpeg_show_the_same_scan() -> None:
    exact, lossy = read("JPEG-LL.dcm").values, read("JPGExtended.dcm").values
    assert np.corrcoef(exact.ravel(), lossy.ravel())[0, 1] > 0.98
    assert np.abs(exact - lossy).mean() < 3


@pytest.mark.parametrize(
    "name",
    [
        "SC_rgb.dcm",
        "SC_rgb_expb.dcm",
        "SC_rgb_16bit.dcm",
        "SC_rgb_expb_16bit.dcm",
        "SC_rgb_32bit.dcm",
        "SC_rgb_rle.dcm",
        "SC_rgb_rle_16bit.dcm",
        "SC_rgb_rle_32bit.dcm",
        "SC_rgb_gdcm2k_uncompressed.dcm",
        "SC_rgb_jpeg_gdcm.dcm",
        "SC_ybr_full_uncompressed.dcm",
        "SC_ybr_full_422_uncompressed.dcm",
        "SC_rgb_dcmtk_+eb+cr.dcm",
        "SC_rgb_dcmtk_+eb+cy+n1.dcm",
        "SC_rgb_dcmtk_+eb+cy+s4.dcm",
        "SC_rgb_jls_lossy_line.dcm",
        "SC_rgb_jls_lossy_sample.dcm",
    ],
)
def test_colours_are_the_ten_stripes_of_the_phantom_in_every_coding(name: str) -> None:
    stripes = [
        (255, 0, 0),
        (255, 128, 128),
        (0, 255, 0),
        (128, 255, 128),
        (0, 0, 255),
        (128, 128, 255),
        (0, 0, 0),
        (64, 64, 64),
        (192, 192, 192),
        (255, 255, 255),
    ]
    colour = read(name)
    assert colour.is_color
    assert colour.values.shape == (100, 100, 3)
    for index, expected in enumerate(stripes):
        assert (
            np.abs(colour.values[index * 10 + 5, 50].astype(int) - expected).max() <= 5
        )  # lossy and YBR codings round


def test_planar_configurations_of_the_same_image_agree() -> None:
    assert np.array_equal(read("color-pl.dcm").values, read("color-px.dcm").values)


def test_ybr_becomes_rgb_by_the_standards_equations() -> None:
    whole = dataset("SC_ybr_full_uncompressed.dcm")
    luma, blue, red = np.moveaxis(
        np.frombuffer(whole.PixelData, np.uint8).reshape(100, 100, 3).astype(float) - [0, 128, 128], -1, 0
    )
    expected = np.stack([luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue], axis=-1)
    assert np.abs(read("SC_ybr_full_uncompressed.dcm").values - expected.clip(0, 255)).max() <= 1


@pytest.mark.parametrize("name", ["OT-PAL-8-face.dcm", "OBXXXX1A.dcm"])
def test_palette_indices_become_the_colours_of_the_tables(name: str) -> None:
    whole = dataset(name)
    indices = np.frombuffer(whole.PixelData, np.uint8)[: whole.Rows * whole.Columns].reshape(whole.Rows, whole.Columns)
    expected = []
    for colour in ("Red", "Green", "Blue"):
        count, first, bits = whole[f"{colour}PaletteColorLookupTableDescriptor"].value
        entries = np.frombuffer(whole[f"{colour}PaletteColorLookupTableData"].value, "<u2" if bits == 16 else "u1")
        expected.append(entries[np.clip(indices.astype(int) - first, 0, (count or 65536) - 1)] >> (bits - 8))
    assert np.array_equal(read(name).values, np.stack(expected, axis=-1))


def test_a_palette_in_big_endian_gives_the_same_colours() -> None:
    assert np.array_equal(read("gdcm-US-ALOKA-16.dcm").values, read("gdcm-US-ALOKA-16_big.dcm").values)


def test_a_modality_table_is_looked_up_entry_by_entry() -> None:
    whole = dataset("mlut_18.dcm")
    expected = apply_modality_lut(whole.pixel_array, whole)
    assert np.array_equal(read("mlut_18.dcm").values, expected)


def test_overlay_bits_above_the_stored_bits_are_not_gray_levels() -> None:
    values = read("MR-SIEMENS-DICOM-WithOverlays.dcm").values
    assert values.max() < 4096
    assert np.array_equal(values, native("MR-SIEMENS-DICOM-WithOverlays.dcm") & 0xFFF)


@pytest.mark.parametrize(
    "name", ["emri_small.dcm", "emri_small_RLE.dcm", "emri_small_big_endian.dcm", "emri_small_jpeg_ls_lossless.dcm"]
)
@pytest.mark.parametrize("frame", [0, 4, 9])
def test_one_frame_is_read_from_the_middle_of_many(name: str, frame: int) -> None:
    expected = np.frombuffer(dataset("emri_small.dcm").PixelData, "<u2").reshape(10, 64, 64)[frame]
    assert np.array_equal(read(name, frame).values, expected)


def test_reading_one_frame_decodes_no_other(tmp_path: Path) -> None:
    derived = dataset("emri_small_jpeg_ls_lossless.dcm")
    frames = [get_frame(derived.PixelData, index, number_of_frames=10) for index in range(10)]
    frames[3] = b"no codestream at all"
    derived.PixelData = encapsulate(frames)
    derived.save_as(tmp_path / "x")
    refs = {ref.frame: ref for ref in frames_of(tmp_path / "x")}
    expected = np.frombuffer(dataset("emri_small.dcm").PixelData, "<u2").reshape(10, 64, 64)
    assert np.array_equal(read_frame(refs[7]).values, expected[7])
    with pytest.raises(UserError, match=r"Frame 4 cannot be decoded as JPEG-LS"):
        read_frame(refs[3])


def test_enhanced_frames_take_rescale_and_window_from_the_functional_groups() -> None:
    perfusion = read("eCT_Supplemental.dcm", 1)
    stored = dataset("eCT_Supplemental.dcm").pixel_array[1]
    assert np.array_equal(perfusion.values, stored.astype(int) - 1024)
    assert [(window.center, window.width) for window in perfusion.windows] == [(49, 102)]
    assert perfusion.unit == ""  # the rescale type says unspecified


def test_radiotherapy_dose_is_scaled_and_in_gray_when_it_says_so(tmp_path: Path) -> None:
    whole = dataset("rtdose.dcm")
    dose = read("rtdose.dcm", 3)
    stored = np.frombuffer(whole.PixelData, "<u4").reshape(15, 10, 10)[3]
    assert dose.unit == ""
    assert read_frame(frames_of(derive(tmp_path / "x", "rtdose.dcm", DoseUnits="GY"))[0]).unit == "Gy"
    assert np.allclose(dose.values, stored * float(whole.DoseGridScaling), rtol=1e-6)


def test_padding_has_a_range_and_the_sign_of_the_pixels(tmp_path: Path) -> None:
    stored = native("CT_small.dcm")
    one = read_frame(frames_of(derive(tmp_path / "a", "CT_small.dcm", PixelPaddingValue=175))[0])
    assert one.padding is not None
    assert np.array_equal(one.padding, stored == 175)
    limited = dcmread(derive(tmp_path / "b", "CT_small.dcm", PixelPaddingValue=300))
    limited.add_new("PixelPaddingRangeLimit", "SS", 175)
    limited.save_as(tmp_path / "b")
    several = read_frame(frames_of(tmp_path / "b")[0])
    assert several.padding is not None
    assert np.array_equal(several.padding, (stored >= 175) & (stored <= 300))


def float_map(path: Path, values: NDArray[np.floating], **padding: float) -> Pixels:
    """A 128 x 128 image of decimal numbers, written and read again."""
    whole = dataset("CT_small.dcm")
    del whole.PixelData, whole.PixelRepresentation, whole.RescaleSlope, whole.RescaleIntercept
    keyword = "FloatPixelData" if values.itemsize == 4 else "DoubleFloatPixelData"
    setattr(whole, keyword, values.tobytes())
    whole.BitsAllocated = 8 * values.itemsize
    for name, value in padding.items():
        setattr(whole, name, value)
    whole.SOPInstanceUID = whole.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    whole.save_as(path)
    return read_frame(frames_of(path)[0])


@pytest.mark.parametrize(("kind", "prefix"), [("<f4", "Float"), ("<f8", "DoubleFloat")])
def test_floating_point_pixels_have_padding_values_of_their_own(tmp_path: Path, kind: str, prefix: str) -> None:
    values = np.linspace(-1, 1, 128 * 128, dtype=kind)
    values[:3] = [-9999.1, -9998, -9997]
    value, limit = f"{prefix}PixelPaddingValue", f"{prefix}PixelPaddingRangeLimit"
    for changes, count in (({value: -9999.1}, 1), ({value: -9999.1, limit: -9998.0}, 2), ({}, 0)):
        padding = float_map(tmp_path / "map", values, **changes).padding
        assert (0 if padding is None else padding.sum()) == count
        assert padding is None or padding.ravel()[:count].all()


def test_nan_and_infinity_are_padding(tmp_path: Path) -> None:
    values = np.linspace(-1, 1, 128 * 128, dtype="<f4")
    values[:3] = [np.nan, np.inf, -np.inf]
    pixels = float_map(tmp_path / "map", values)
    assert np.array_equal(pixels.values.ravel()[3:], values[3:])
    assert pixels.padding is not None
    assert pixels.padding.ravel()[:4].tolist() == [True, True, True, False]
    assert np.isfinite(pixels.values).all()


@pytest.mark.parametrize(
    ("changes", "unit"),
    [
        ({}, "HU"),
        ({"RescaleType": "US"}, ""),
        ({"RescaleType": "OD"}, "OD"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, ""),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "RescaleType": "HU"}, "HU"),
    ],
)
def test_hounsfield_units_need_a_rescale_type_or_a_ct_image(tmp_path: Path, changes: dict[str, str], unit: str) -> None:
    assert read_frame(frames_of(derive(tmp_path / "x", "CT_small.dcm", **changes))[0]).unit == unit


@pytest.mark.parametrize(
    ("photometric", "shape", "inverted"),
    [
        ("MONOCHROME2", None, False),
        ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME2", "INVERSE", True),
        ("MONOCHROME1", None, True),
        ("MONOCHROME1", "INVERSE", True),
    ],
)
def test_an_image_is_inverted_once(tmp_path: Path, photometric: str, shape: str | None, inverted: bool) -> None:
    path = derive(tmp_path / "x", PhotometricInterpretation=photometric, PresentationLUTShape=shape)
    assert read_frame(frames_of(path)[0]).inverted is inverted


def test_deflated_and_mislabelled_files_are_read() -> None:
    assert read("image_dfl.dcm").values.shape == (512, 512)
    assert read("SC_rgb_jpeg.dcm").values.shape == (256, 256, 3)


def test_a_missing_frame_is_a_user_error() -> None:
    (ref,) = frames_of(sample("CT_small.dcm"))
    with pytest.raises(UserError, match="There is no frame 6"):
        read_frame(FrameRef(ref.image, 5))


def test_a_missing_file_is_a_user_error(tmp_path: Path) -> None:
    path = derive(tmp_path / "x")
    (ref,) = frames_of(path)
    path.unlink()
    with pytest.raises(UserError, match="no longer exists"):
        read_frame(ref)
