"""The 8-bit pictures that models and the archive use."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.dicom.listing import open_path
from engine.dicom.origins import FileOrigin, ZipMember
from engine.errors import UserError
from engine.image.picture import SERIES_FRAMES, key_frames, load_picture, load_series, picture_of, to_gray
from engine.image.pixels import read_frame
from engine.image.voi import Window
from engine.image.window import default_window, render
from tests.engine.dicom_samples import derive, derive_stack, sample


def test_a_dicom_picture_is_the_frame_at_the_files_own_window() -> None:
    picture = load_picture(sample("MR2_UNCI.dcm"))
    pixels = read_frame(next(open_path(sample("MR2_UNCI.dcm")).studies[0].frames()))
    assert np.array_equal(picture.gray, render(pixels))
    assert picture.window == (default_window(pixels).center, default_window(pixels).width)
    assert (picture.modality, picture.sex, picture.age, picture.frame) == ("MR", "M", 54, 0)
    assert picture.gray.dtype == np.uint8


def test_a_given_window_is_used_and_recorded() -> None:
    picture = load_picture(sample("CT_small.dcm"), window=(40, 400))
    pixels = read_frame(next(open_path(sample("CT_small.dcm")).studies[0].frames()))
    assert np.array_equal(picture.gray, render(pixels, Window(40, 400)))
    assert picture.window == (40, 400)
    assert picture.study_uid == "1.3.6.1.4.1.5962.1.2.1.20040119072730.12322"
    assert picture.patient_key == "1CT1"


def test_the_frame_asked_for_is_the_frame_shown() -> None:
    assert not np.array_equal(
        load_picture(sample("emri_small.dcm"), 0).gray, load_picture(sample("emri_small.dcm"), 9).gray
    )
    with pytest.raises(UserError, match=r"There is no frame 11; emri_small\.dcm has 10 frames"):
        load_picture(sample("emri_small.dcm"), 10)


def test_colour_becomes_gray_by_the_luma_of_bt601() -> None:
    picture = load_picture(sample("SC_rgb.dcm"))
    assert picture.window is None
    levels = [int(level) for level in picture.gray[5::10, 50]]
    assert levels == [76, 166, 150, 203, 29, 142, 0, 64, 192, 255]


def test_gray_that_is_stored_as_colour_keeps_its_levels() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(to_gray(np.stack([levels] * 3, axis=-1)), levels)
    assert to_gray(levels) is levels


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_plain_pictures_are_loaded_with_nothing_but_their_levels(tmp_path: Path, suffix: str) -> None:
    levels = np.add.outer(np.arange(40), np.arange(60)).astype(np.uint8)
    Image.fromarray(levels).save(tmp_path / f"a.{suffix}")
    picture = load_picture(tmp_path / f"a.{suffix}")
    assert np.abs(picture.gray.astype(int) - levels).max() <= 2
    assert (picture.window, picture.study_uid, picture.modality, picture.patient_key) == (None, None, "", "")
    with pytest.raises(UserError, match="one frame only"):
        load_picture(tmp_path / f"a.{suffix}", frame=1)


def test_a_photo_is_turned_upright_by_its_exif_orientation(tmp_path: Path) -> None:
    levels = np.zeros((20, 40), np.uint8)
    levels[:, 30:] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned a quarter clockwise
    Image.fromarray(levels).save(tmp_path / "a.jpg", exif=exif, quality=95)
    gray = load_picture(tmp_path / "a.jpg").gray
    assert gray.shape == (40, 20)
    assert gray[35, 10] > 200
    assert gray[5, 10] < 50


def test_a_sixteen_bit_png_keeps_its_upper_bits(tmp_path: Path) -> None:
    levels = np.linspace(0, 65535, 100).astype(np.uint16).reshape(10, 10)
    Image.fromarray(levels).save(tmp_path / "a.png")
    assert np.array_equal(load_picture(tmp_path / "a.png").gray, levels >> 8)


@pytest.mark.parametrize(("brightest", "shift"), [(200, 0), (1023, 2), (4095, 4), (4096, 5)])
def test_a_sixteen_bit_png_of_fewer_bits_is_not_black(tmp_path: Path, brightest: int, shift: int) -> None:
    levels = np.linspace(0, brightest, 100).astype(np.uint16).reshape(10, 10)
    Image.fromarray(levels).save(tmp_path / "a.png")
    gray = load_picture(tmp_path / "a.png").gray
    assert np.array_equal(gray, levels >> shift)
    assert gray.max() >= 127


def test_transparent_pixels_are_black(tmp_path: Path) -> None:
    rgba = np.full((4, 4, 4), 255, np.uint8)
    rgba[:2, :, 3] = 0
    Image.fromarray(rgba).save(tmp_path / "a.png")
    assert load_picture(tmp_path / "a.png").gray[:, 0].tolist() == [0, 0, 255, 255]


@pytest.mark.parametrize("limit", ["engine.image.picture.MAX_PICTURE_PIXELS", "PIL.Image.MAX_IMAGE_PIXELS"])
def test_a_huge_picture_is_refused_as_too_large(limit: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Image.new("RGB", (30, 40)).save(tmp_path / "huge.png")
    monkeypatch.setattr(limit, 500)
    with pytest.raises(UserError, match="too large"):
        load_picture(tmp_path / "huge.png")


@pytest.mark.parametrize("keep", [12, 60, 200])
def test_a_damaged_png_is_a_user_error(tmp_path: Path, keep: int) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (50, 50), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:keep])
    with pytest.raises(UserError, match=r"a\.png: The image is damaged, or not a PNG or JPEG file"):
        load_picture(tmp_path / "a.png")


def test_a_file_without_a_picture_says_why() -> None:
    with pytest.raises(UserError, match=r"rtplan\.dcm: This is a radiotherapy plan"):
        load_picture(sample("rtplan.dcm"))


def test_a_picture_can_come_out_of_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(sample("CT_small.dcm"), "deep/inside")
    picture = load_picture(tmp_path / "a.zip")
    assert picture.origin == ZipMember(FileOrigin(tmp_path / "a.zip"), "deep/inside")
    assert np.array_equal(picture.gray, load_picture(sample("CT_small.dcm")).gray)


def test_five_evenly_spaced_frames_at_the_preset_represent_a_stack(tmp_path: Path) -> None:
    derive_stack(tmp_path, [float(z) for z in range(23)], BodyPartExamined="HEAD")
    (study,) = open_path(tmp_path).studies
    (series,) = study.series
    keys = key_frames(series)
    depths = [frame.position[2] for frame in keys if frame.position is not None]
    assert len(keys) == 5
    assert set(np.diff(depths).round()) <= {3, 4}
    assert min(depths) > 0
    assert max(depths) < 22
    assert {picture_of(study, series, ref, for_archive=True).window for ref in keys} == {(40.0, 80.0)}


def test_every_radiograph_is_a_key_frame_and_a_localizer_is_not(tmp_path: Path) -> None:
    derive_stack(tmp_path / "dx", [0] * 7, Modality="DX")
    derive(tmp_path / "scout" / "a", "CT_small.dcm", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    assert len(key_frames(open_path(tmp_path / "dx").studies[0].series[0])) == 7
    assert key_frames(open_path(tmp_path / "scout").studies[0].series[0]) == ()


def test_the_facts_of_a_frame_that_is_printed_and_of_its_picture_are_the_same() -> None:
    study = open_path(sample("MR2_UNCR.dcm")).studies[0]
    picture = picture_of(study, study.series[0], study.series[0].frames[0])
    assert {kind: fact.value for kind, fact in picture.facts.items()} == {
        "modality": "MR",
        "region": "limb",
        "view": "sagittal",
    }


def test_evenly_spaced_frames_of_a_multi_frame_file_stand_for_its_series() -> None:
    pictures = load_series(sample("emri_small.dcm"))
    assert [picture.frame for picture in pictures] == [2, 3, 4, 6, 8]
    assert np.array_equal(pictures[0].gray, load_picture(sample("emri_small.dcm"), 2).gray)


def test_the_longest_series_of_a_folder_is_taken_at_the_window_asked_for() -> None:
    folder = sample("dicomdirtests/98892001/CT5N/2062").parent.parent
    pictures = load_series(folder, window=(40, 400))
    assert len(pictures) == 5
    assert {picture.origin.name.split("/")[-2] for picture in pictures} == {"CT5N"}
    assert {picture.window for picture in pictures} == {(40, 400)}


def test_a_series_of_radiographs_or_localizers_alone_has_frames_too(tmp_path: Path) -> None:
    derive_stack(tmp_path / "dx", [0] * 12, Modality="DX")
    derive(tmp_path / "scout" / "a", "CT_small.dcm", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    assert len(load_series(tmp_path / "dx")) == SERIES_FRAMES
    assert len(load_series(tmp_path / "scout")) == 1


def test_a_file_without_a_series_is_its_only_picture_or_refused(tmp_path: Path) -> None:
    Image.new("L", (8, 9), 7).save(tmp_path / "a.png")
    assert [picture.gray.shape for picture in load_series(tmp_path / "a.png")] == [(9, 8)]
    (tmp_path / "note.txt").write_text("no image")
    with pytest.raises(UserError, match=r"note\.txt"):
        load_series(tmp_path / "note.txt")
