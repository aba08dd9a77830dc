"""Damaged and hostile files: each gives a listing, an image or one sentence, never anything else."""

import random
import struct
from contextlib import suppress
from pathlib import Path

import pytest
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.utils import as_pixel_options

from engine.dicom.coding.codecs import decode
from engine.dicom.coding.jpeg_check import jpeg_fault, jpeg_ls_fault
from engine.dicom.listing import open_path
from engine.errors import UserError
from engine.image.pixels import read_frame
from engine.image.window import default_window, render
from tests.engine.dicom_samples import PYDICOM_DATA, PYDICOM_FILES, dataset, sample

ROUNDS = 12
SOURCES = [
    *("MR_small.dcm", "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm"),
    *("MR_small_bigendian.dcm", "image_dfl.dcm", "SC_rgb_jpeg_dcmtk.dcm", "JPEG-LL.dcm", "SC_rgb_jls_lossy_line.dcm"),
    *("JPGExtended.dcm", "SC_rgb_small_odd_jpeg.dcm", "rtdose_rle.dcm", "emri_small_RLE.dcm", "examples_palette.dcm"),
    *("mlut_18.dcm", "vlut_04.dcm", "eCT_Supplemental.dcm", "zipMR.gz", "GDCMJ2K_TextGBR.dcm"),
]


def damaged(data: bytes, seed: int) -> bytes:
    """Bytes of a real file with random damage: cut, flipped anywhere or in the header, or overwritten."""
    dice = random.Random(seed)
    changed = bytearray(data)
    kind = dice.randrange(4)
    if kind == 0:
        return data[: dice.randrange(len(data))]
    if kind == 3:
        start = dice.randrange(len(data))
        changed[start : start + 40] = dice.randbytes(40)
        return bytes(changed)
    reach = len(data) if kind == 1 else min(len(data), 4000)
    for _ in range(dice.randint(1, 12)):
        changed[dice.randrange(reach)] = dice.randrange(256)
    return bytes(changed)


@pytest.mark.parametrize("name", SOURCES)
def test_random_damage_gives_a_picture_or_a_reason(name: str, tmp_path: Path) -> None:
    whole = sample(name).read_bytes()
    for seed in range(ROUNDS):
        path = tmp_path / f"{seed}"
        path.write_bytes(damaged(whole, seed))
        listing = open_path(path)
        frames = [frame for study in listing.studies for frame in study.frames()]
        assert len({frame.image.name for frame in frames}) + len(listing.rejected) == 1
        for ref in {frame.frame: frame for frame in (*frames[:1], *frames[-1:])}.values():
            with suppress(UserError):
                pixels = read_frame(ref)
                default_window(pixels)
                render(pixels)


@pytest.mark.parametrize(
    "name",
    [
        *("MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "US1_J2KI.dcm"),
        *("SC_rgb_jpeg_dcmtk.dcm", "JPGLosslessP14SV1_1s_1f_8b.dcm", "JPGExtended.dcm"),
    ],
)
@pytest.mark.parametrize("kept", [0.99, 0.7, 0.1])
def test_a_truncated_frame_is_refused_and_never_shown_in_part(name: str, kept: float) -> None:
    whole = dataset(name)
    frame = get_frame(whole.PixelData, 0, number_of_frames=1)
    whole.PixelData = encapsulate([frame[: int(len(frame) * kept)]])
    with pytest.raises(UserError, match="damaged or truncated"):
        decode(whole, whole.file_meta.TransferSyntaxUID, 0, as_pixel_options(whole))


def test_every_image_of_the_collections_renders_or_is_rejected_with_a_reason() -> None:
    """Each file is opened by itself, since many share one SOP Instance UID; first and last frame."""
    reasons = {}
    shown = 0
    for folder in (PYDICOM_FILES, PYDICOM_DATA):
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or path.name.startswith("DICOMDIR"):
                continue
            for study in open_path(path).studies:
                frames = list(study.frames())
                for ref in {frame.frame: frame for frame in (frames[0], frames[-1])}.values():
                    try:
                        render(read_frame(ref))
                        shown += 1
                    except UserError as error:
                        reasons[path.name] = str(error)
    assert shown > 150
    assert reasons == {
        "JPEG2000-embedded-sequence-delimiter.dcm": "Frame 1 cannot be decoded as JPEG 2000 Image Compression: "
        "the file is damaged or truncated. Copy or send it again.",
    }


def test_absurd_sizes_are_refused_before_memory_is_taken(tmp_path: Path) -> None:
    whole = dataset("MR_small_jpeg_ls_lossless.dcm")
    whole.Rows = whole.Columns = 65535
    whole.save_as(tmp_path / "huge")
    (ref,) = open_path(tmp_path).studies[0].frames()
    with pytest.raises(UserError, match="more than 1 GB"):
        read_frame(ref)


def test_an_absurd_number_of_frames_is_refused(tmp_path: Path) -> None:
    whole = dataset("MR_small_RLE.dcm")
    whole.NumberOfFrames = 2_000_000_000
    whole.save_as(tmp_path / "many")
    (rejected,) = open_path(tmp_path).rejected
    assert "claims 2,000,000,000 frames" in rejected.reason


def jpeg(name: str) -> tuple[bytes, int, int, int]:
    whole = dataset(name)
    frames = int(whole.get("NumberOfFrames", 1))
    return get_frame(whole.PixelData, 0, number_of_frames=frames), whole.Rows, whole.Columns, whole.SamplesPerPixel


@pytest.mark.parametrize(
    "name", ["JPEG-LL.dcm", "JPGExtended.dcm", "bad_sequence.dcm", "SC_rgb_jpeg_gdcm.dcm", "SC_rgb_jpeg_dcmtk.dcm"]
)
def test_sound_jpeg_frames_pass_the_check(name: str) -> None:
    assert jpeg_fault(*jpeg(name)) == ""


def test_jpeg_frames_that_do_not_fit_together_are_named() -> None:
    data, rows, columns, samples = jpeg("JPEG-LL.dcm")
    size = data.index(struct.pack(">HH", rows, columns))
    other = data[:size] + struct.pack(">HH", rows + 1, columns) + data[size + 4 :]
    table = data.index(b"\xff\xc4") + 5
    full = data[:table] + b"\x03" + data[table + 1 :]
    assert jpeg_fault(other, rows, columns, samples) == "its size differs from the header's"
    assert jpeg_fault(full, rows, columns, samples) == "a Huffman table is damaged"
    assert jpeg_fault(data[:-10], rows, columns, samples) == "no end of image"
    assert jpeg_fault(data[:100], rows, columns, samples) != ""
    assert jpeg_fault(b"", rows, columns, samples) == "no start of image"


def test_a_jpeg_ls_frame_needs_its_size_and_its_end() -> None:
    data, rows, columns, samples = jpeg("MR_small_jpeg_ls_lossless.dcm")
    assert jpeg_ls_fault(data, rows, columns, samples) == ""
    assert jpeg_ls_fault(data, rows, columns + 1, samples) == "its size differs from the header's"
    assert jpeg_ls_fault(data[:3000], rows, columns, samples) == "no end of image"
