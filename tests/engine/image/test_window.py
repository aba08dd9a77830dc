"""Choosing windows and rendering, on real files and against pydicom."""

import numpy as np
import pytest
from pydicom.pixels import apply_modality_lut, apply_voi_lut

from engine.dicom.listing import open_path
from engine.image.pixels import Pixels, read_frame
from engine.image.voi import Window, apply_window
from engine.image.window import auto_window, default_window, import_window, presets, render
from tests.engine.dicom_samples import dataset, sample


def pixels_of(name: str, frame: int = 0) -> Pixels:
    frames = list(open_path(sample(name)).studies[0].frames())
    return read_frame(frames[frame])


@pytest.mark.parametrize("name", ["MR2_UNCI.dcm", "693_UNCI.dcm", "MR-SIEMENS-DICOM-WithOverlays.dcm"])
def test_the_files_own_window_gives_the_gray_levels_of_pydicom(name: str) -> None:
    whole = dataset(name)
    stored = whole.pixel_array
    reference = apply_voi_lut(apply_modality_lut(stored, whole), whole, prefer_lut=False)
    # pydicom scales to the stored range, here to eight bits
    bits, signed = whole.BitsStored, whole.PixelRepresentation
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    slope, intercept = float(whole.get("RescaleSlope", 1)), float(whole.get("RescaleIntercept", 0))
    low, high = low * slope + intercept, high * slope + intercept
    expected = (reference - low) / (high - low) * 255
    pixels = pixels_of(name)
    shown = render(pixels).astype(float)
    if pixels.padding is not None:
        shown[pixels.padding] = expected[pixels.padding]
    assert np.abs(shown - expected).max() <= 0.51


def test_a_voi_lut_is_used_when_there_is_no_window() -> None:
    whole = dataset("vlut_04.dcm")
    pixels = pixels_of("vlut_04.dcm")
    assert pixels.windows == ()
    (lut,) = pixels.voi_luts
    reference = apply_voi_lut(whole.pixel_array, whole).astype(float)
    expected = np.floor(reference / (2**lut.bits - 1) * 255 + 0.5)
    assert np.abs(render(pixels) - expected).max() <= 1
    window = default_window(pixels)
    assert window.center - window.width / 2 == lut.first
    assert window.center + window.width / 2 == lut.first + len(lut.entries)


def test_monochrome1_is_shown_inverted() -> None:
    radiograph = pixels_of("RG1_UNCI.dcm")
    assert radiograph.inverted
    shown = render(radiograph).astype(int)
    window = radiograph.windows[0]
    plain = render(Pixels(radiograph.values, radiograph.windows))
    assert np.array_equal(shown, 255 - plain.astype(int))
    assert (window.center, window.width) == (15000, 30000)
    assert shown[100:400, 900].mean() > shown[600:900, 500].mean()  # spine brighter than lung


def test_padding_is_black_whether_inverted_or_not() -> None:
    values = np.array([[0, 100], [200, 300]], np.float32)
    padding = np.array([[True, False], [False, True]])
    for inverted in (False, True):
        shown = render(Pixels(values, inverted=inverted, masked=padding), Window(150, 300))
        assert shown[padding].tolist() == [0, 0]


def test_the_automatic_window_leaves_padding_out() -> None:
    values = np.full((100, 100), -2000, np.float32)
    values[50:] = np.linspace(0, 1000, 5000).reshape(50, 100)
    window = auto_window(Pixels(values, masked=values == -2000))
    assert window.center == pytest.approx(500, abs=5)
    assert window.width == pytest.approx(990, abs=10)
    assert auto_window(Pixels(values)).width > 2500


def test_the_automatic_window_of_a_flat_or_empty_image_can_be_rendered() -> None:
    flat = Pixels(np.full((4, 4), 7, np.float32))
    assert render(flat, auto_window(flat)).shape == (4, 4)
    padded = Pixels(np.zeros((4, 4), np.float32), masked=np.ones((4, 4), bool))
    assert render(padded).max() == 0


def test_colour_ignores_windows() -> None:
    colour = pixels_of("SC_rgb.dcm")
    assert np.array_equal(render(colour, Window(1, 1)), colour.values)


def test_supplemental_colours_are_painted_over_the_gray() -> None:
    pixels = pixels_of("eCT_Supplemental.dcm")
    whole = dataset("eCT_Supplemental.dcm")
    stored = whole.pixel_array[0]
    shown = render(pixels)
    red, green, blue = (
        np.frombuffer(whole[f"{name}PaletteColorLookupTableData"].value, "<u2") for name in ("Red", "Green", "Blue")
    )
    for y, x in zip(*np.where(stored >= 1024), strict=True):
        entry = min(int(stored[y, x]) - 1024, 99)
        assert shown[y, x].tolist() == [red[entry] >> 8, green[entry] >> 8, blue[entry] >> 8]
    gray = shown[stored < 1024]
    assert np.array_equal(gray[:, 0], gray[:, 1])


def test_presets_exist_for_ct_and_are_what_radiologists_expect() -> None:
    by_name = {window.name: (window.center, window.width) for window in presets("ct")}
    assert by_name["Brain"] == (40, 80)
    assert by_name["Lung"] == (-600, 1500)
    assert by_name["Bone"] == (400, 1800)
    assert {"Subdural", "Stroke", "Abdomen", "Liver", "Mediastinum"} <= set(by_name)
    assert presets("XX") == ()


def test_the_archive_takes_the_preset_of_the_body_part_for_ct_in_hounsfield_units_only() -> None:
    ct = pixels_of("CT_small.dcm")
    assert ct.unit == "HU"
    assert import_window(ct, "Head").name == "Brain"
    assert import_window(ct, "CHEST").name == "Mediastinum"
    assert import_window(ct, "").name == "Auto"
    assert import_window(pixels_of("MR2_UNCI.dcm"), "HEAD") == pixels_of("MR2_UNCI.dcm").windows[0]


def test_several_windows_keep_their_order_and_names() -> None:
    assert [(window.center, window.width, window.name) for window in pixels_of("bad_sequence.dcm").windows] == [
        (40, 350, "WINDOW1"),
        (450, 1500, "WINDOW2"),
    ]


@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "MR_small.dcm", "RG3_UNCR.dcm", "693_UNCR.dcm", "vlut_04.dcm", "mlut_18.dcm"]
)
@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_the_lookup_table_gives_what_the_window_gives_for_every_value(name: str, function: str) -> None:
    """The quick way through integers against the window applied to float32 modality values, pixel by pixel."""
    pixels = pixels_of(name)
    own = default_window(pixels)
    for window in (Window(own.center, own.width, function), Window(own.center + 7.3, 0.4 * own.width + 1, function)):
        plain = apply_window(pixels.values, window)
        if pixels.inverted:
            plain = 255 - plain
        if pixels.padding is not None:
            plain[pixels.padding] = 0
        assert np.array_equal(render(pixels, window), plain)
