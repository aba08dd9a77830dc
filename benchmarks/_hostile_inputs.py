"""Files that took too long or too much memory once, made from real ones. Knows nothing of what reads them."""

import gzip
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pydicom.data
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import HTJ2KLossless, ImplicitVRLittleEndian, JPEG2000Lossless, generate_uid

SAMPLES = Path(pydicom.data.__file__).parent / "test_files"
ZEROS = 8 << 30
"""Bytes of the gzip file of zeros."""


def derived(name: str) -> FileDataset:
    """A real file under new UIDs."""
    found = dcmread(SAMPLES / name)
    found.SOPInstanceUID = found.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    found.SeriesInstanceUID, found.SeriesDescription = generate_uid(), "derived for tests"
    return found


def _codestream() -> tuple[FileDataset, bytes]:
    found = derived("MR_small_jp2klossless.dcm")
    return found, get_frame(found.PixelData, 0, number_of_frames=1)


def box_of_no_length(path: Path) -> None:
    """JPEG 2000 in boxes (ISO 15444-1 annex I), one of which has the length 0 and is not the last."""
    found, frame = _codestream()
    boxes = (
        struct.pack(">L4sL", 12, b"jP  ", 0x0D0A870A)
        + struct.pack(">L4s4sL4s", 20, b"ftyp", b"jp2 ", 0, b"jp2 ")
        + struct.pack(">L4s8x", 0, b"free")
        + struct.pack(">L4s", 8 + len(frame), b"jp2c")
        + frame
    )
    found.PixelData = encapsulate([boxes])
    found.save_as(path)


def huge_claim(path: Path) -> None:
    """High-Throughput JPEG 2000 whose codestream claims 60000 x 60000 pixels, unlike the header."""
    found, frame = _codestream()
    data = bytearray(frame)
    size = data.index(b"\xff\x51")
    data[size + 6 : size + 14] = data[size + 22 : size + 30] = struct.pack(">LL", 60000, 60000)
    found.PixelData = encapsulate([bytes(data)])
    found.file_meta.TransferSyntaxUID = HTJ2KLossless
    found.save_as(path)


def flat_claim(path: Path) -> None:
    """JPEG 2000 of 15 kB for 22000 x 22000 pixels, which its header and codestream agree on."""
    found, frame = _codestream()
    data = bytearray(frame)
    size = data.index(b"\xff\x51")
    data[size + 6 : size + 14] = data[size + 22 : size + 30] = struct.pack(">LL", 22000, 22000)
    found.Rows = found.Columns = 22000
    found.PixelData = encapsulate([bytes(data)])
    found.file_meta.TransferSyntaxUID = JPEG2000Lossless
    found.save_as(path)


def _with_element(path: Path, element: bytes) -> None:
    """An implicit VR file with an element before its pixel data."""
    found = derived("MR_small.dcm")
    found.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    found.save_as(path, implicit_vr=True, little_endian=True)
    data = path.read_bytes()
    at = data.rindex(b"\xe0\x7f\x10\x00")
    path.write_bytes(data[:at] + element + data[at:])


def many_items(path: Path, count: int = 3_000_000) -> None:
    """A sequence of empty items."""
    items = struct.pack("<HHL", 0xFFFE, 0xE000, 0) * count
    head = struct.pack("<HHL", 0x5200, 0x9230, 0xFFFFFFFF)
    _with_element(path, head + items + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0))


def many_values(path: Path, count: int = 12_000_000) -> None:
    """A decimal string of very many values, where the file has the window."""
    found = derived("MR_small.dcm")
    found.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    found.save_as(path, implicit_vr=True, little_endian=True)
    data = path.read_bytes()
    value = b"1\\" * (count - 1) + b"1 "
    at = data.index(struct.pack("<HH", 0x0028, 0x1050))
    (length,) = struct.unpack("<L", data[at + 4 : at + 8])
    element = struct.pack("<HHL", 0x0028, 0x1050, len(value)) + value
    path.write_bytes(data[:at] + element + data[at + 8 + length :])


def zip_with_bad_lzma(path: Path) -> None:
    """A ZIP file with a sound member and one whose LZMA data are damaged."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.write(SAMPLES / "CT_small.dcm", "a_sound.dcm")
        archive.write(SAMPLES / "MR_small.dcm", "b_damaged.dcm")
        info = archive.getinfo("b_damaged.dcm")
        at = info.header_offset + 30 + len(info.filename)
    data = bytearray(path.read_bytes())
    data[at + 9 : at + 400] = b"\xff" * 391
    path.write_bytes(data)


def gzip_of_zeros(path: Path, size: int = ZEROS) -> None:
    """A gzip file of zeros alone, written as many members: a gzip file may be several in a row (RFC 1952 2.2)."""
    part = gzip.compress(bytes(64 << 20), 1)
    with path.open("wb") as file:
        for _ in range(size >> 26):
            file.write(part)


def huge_picture(path: Path) -> None:
    """A PNG file of half a megabyte for 160 million pixels."""
    Image.new("RGBA", (12_500, 12_800)).save(path)


def open_quotes(path: Path) -> None:
    """A CSV file with a sound row and 300,000 quotation marks that are never closed."""
    path.write_text("id,text\n1,Fracture of the distal femur.\n" + '2,"open\n' * 300_000)


def almost_addresses(path: Path) -> None:
    """A CSV file with a sound row and one of 40 kB that is almost an e-mail address everywhere."""
    path.write_text("id,text\n1,Fracture of the distal femur.\n2," + "a." * 20_000 + "\n")


HOSTILE: dict[str, Callable[[Path], None]] = {
    "JPEG 2000 with a box of length 0": box_of_no_length,
    "HTJ2K that claims 60000 x 60000": huge_claim,
    "JPEG 2000 of 15 kB for 22000 x 22000": flat_claim,
    "3 million empty items": many_items,
    "decimal string of 12 million values": many_values,
    "ZIP member with damaged LZMA": zip_with_bad_lzma,
    "gzip of 8 GB of zeros": gzip_of_zeros,
    "PNG of 160 million pixels": huge_picture,
    "CSV of open quotation marks": open_quotes,
    "report of 40 kB, almost an e-mail address": almost_addresses,
}
NAMES = {"ZIP": "hostile.zip", "PNG": "hostile.png", "CSV": "captions.csv", "report": "captions.csv"}
"""File names that tell how to read them, by the first word."""
READ = frozenset(("report of 40 kB, almost an e-mail address",))
"""What is no fault of its file: it is read within the budget."""
PIXELS = {"JPEG 2000 of 15 kB for 22000 x 22000": 22000 * 22000 * 2}
"""Bytes of the pixels that a file has by its header and its codestream."""
