"""Parses the header of one DICOM stream and finds its pixel data. Does not interpret the header."""

import io
import os
import struct
import zlib
from typing import Any, BinaryIO, cast

from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.pixels.utils import as_pixel_options
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pydicom.values import converters

from engine.dicom.codecs import why_not_decodable
from engine.dicom.fast_header import FastHeader
from engine.dicom.origins import refuse_bomb
from engine.dicom.parser_warnings import collect_warnings
from engine.dicom.sop_classes import sop_class_name
from engine.dicom.values import FileHeader, integer, raw, text
from engine.errors import UserError

NOT_DICOM = "This is not a DICOM file."
_RAW_GROUPS = (0x0002, 0x0008)


def looks_like_dicom(head: bytes) -> bool:
    """Whether the first 132 bytes begin a DICOM file (PS3.10 7.1), or a dataset without file meta information."""
    if head[128:132] == b"DICM":
        return True
    if len(head) < 8:
        return False
    for endian in "<>":
        group, element, vr = struct.unpack(f"{endian}HH2s", head[:6])
        if group not in _RAW_GROUPS or element > 0x0100:
            continue
        (length,) = struct.unpack(f"{endian}L", head[4:8])
        if vr.decode("latin-1") in converters or (endian == "<" and length <= 256):
            return True
    return False


def read_header(file: BinaryIO, tags: list[int | str] | None = None) -> FileDataset:
    """Parse everything before the pixel data, leaving `file` at the pixel data element.

    A missing transfer syntax is filled in with the encoding that the parser found. A deflated dataset (PS3.5 A.5) is
    one compressed stream and has to be inflated whole.

    Args:
        file: positioned anywhere; read from the start.
        tags: keywords or tags to keep; None keeps all.

    Raises:
        UserError: not DICOM, or damaged beyond parsing.
    """
    file.seek(0)
    head = file.read(1024)
    if not looks_like_dicom(head):
        raise UserError("The file is empty." if not head else NOT_DICOM)
    file.seek(0)
    try:
        with collect_warnings():
            _refuse_inflation_bomb(file, head)
            dataset = dcmread(file, stop_before_pixels=True, force=True, specific_tags=cast(Any, tags))
            _fill_in_transfer_syntax(dataset)
    except UserError:
        raise
    except Exception as error:  # pydicom documents no exception types for damaged input
        raise UserError("The DICOM header is damaged; export or copy the file again from its source.") from error
    return dataset


def _refuse_inflation_bomb(file: BinaryIO, head: bytes) -> None:
    """Inflate a deflated dataset in small steps first, since pydicom inflates it in one."""
    if DeflatedExplicitVRLittleEndian.encode() in head and head[128:132] == b"DICM":
        packed = file.seek(0, io.SEEK_END)
        (meta_length,) = struct.unpack("<L", head[140:144])
        file.seek(144 + meta_length)
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        unpacked = 0
        data = file.read(1 << 20)
        while data:
            unpacked += len(inflater.decompress(data, 16 << 20))
            refuse_bomb(unpacked, packed)
            data = inflater.unconsumed_tail or file.read(1 << 20)
    file.seek(0)


def _fill_in_transfer_syntax(dataset: FileDataset) -> None:
    """Where the transfer syntax is missing or invalid, use the encoding that the parser detected."""
    if not hasattr(dataset, "file_meta"):
        dataset.file_meta = FileMetaDataset()
    syntax = raw(dataset.file_meta, "TransferSyntaxUID")
    if isinstance(syntax, UID) and syntax.is_transfer_syntax:
        return
    implicit, little = dataset.original_encoding
    if implicit:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    else:
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def is_deflated(dataset: FileHeader) -> bool:
    """Whether the dataset is one deflated stream (PS3.5 A.5)."""
    return bool(dataset.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian)


_PIXEL_DATA = {
    (0x7FE0, 0x0008): "FloatPixelData",
    (0x7FE0, 0x0009): "DoubleFloatPixelData",
    (0x7FE0, 0x0010): "PixelData",
}
_PIXEL_VRS = {b"OB": "OB", b"OW": "OW", b"OF": "OF", b"OD": "OD", b"UN": "UN"}
MAX_FRAME_BYTES = 1 << 30
"""Larger frames are refused."""
_PIXEL_OPTIONS = {
    "samples_per_pixel": "SamplesPerPixel",
    "photometric_interpretation": "PhotometricInterpretation",
    "planar_configuration": "PlanarConfiguration",
    "rows": "Rows",
    "columns": "Columns",
    "bits_allocated": "BitsAllocated",
    "bits_stored": "BitsStored",
    "pixel_representation": "PixelRepresentation",
}


def _no_pixels(dataset: FileHeader) -> str:
    sop_class = text(dataset, "SOPClassUID")
    name = sop_class_name(sop_class)
    if sop_class and ("Rows" in dataset or "Image" in name):
        return f"This {name} has no pixel data; the file may be truncated. Send it again."
    return "This DICOM object has no image."


def _pixel_element(start: bytes, syntax: UID) -> tuple[str, str] | None:
    """Keyword and VR ("" if implicit) of the pixel data element that starts with 12 bytes; None for another element.

    The VR is taken from the bytes, since some files are implicit VR despite an explicit VR transfer syntax, or the
    reverse. A VR cannot be mistaken for a length: its letters would make an odd one, and DICOM lengths are even.
    """
    if len(start) < 12:
        return None
    keyword = _PIXEL_DATA.get(struct.unpack("<HH" if syntax.is_little_endian else ">HH", start[:4]))
    return None if keyword is None else (keyword, _PIXEL_VRS.get(start[4:6], ""))


def missing_pixels(file: BinaryIO, dataset: FileHeader) -> str:
    """Why the pixel data after a header that was just read cannot be shown; "" when nothing is wrong so far.

    Reads the header of the pixel data element only; compressed frames are checked when they are decoded.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    if is_deflated(dataset):
        return "" if "Rows" in dataset else _no_pixels(dataset)
    start = file.read(12)
    found = _pixel_element(start, syntax)
    if found is None:
        return _no_pixels(dataset)
    unreadable = why_not_decodable(syntax)
    if unreadable or syntax.is_compressed:
        return unreadable
    size = _size(file)
    header = 12 if found[1] else 8
    (length,) = struct.unpack("<L" if syntax.is_little_endian else ">L", start[header - 4 : header])
    start_of_value = file.tell() - len(start) + header
    if size is not None and length != 0xFFFFFFFF and start_of_value + length > size:
        percent = 100 * (size - start_of_value) // length
        return f"The file is truncated: only {percent} % of the pixel data are there. Copy or send it again."
    return ""


def pixel_source(file: BinaryIO, dataset: FileDataset | FastHeader) -> tuple[Dataset | BinaryIO, dict[str, Any]]:
    """What the decoders read from, and pydicom's decoding options.

    Args:
        file: at the pixel data element, as after `read_header`.
        dataset: its header with all tags.

    Raises:
        UserError: there are no pixel data, the header does not describe them, or a frame is too large.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    source: Dataset | BinaryIO = file
    extra: dict[str, Any] = {"transfer_syntax_uid": syntax}
    if is_deflated(dataset):
        file.seek(0)
        try:
            source = dcmread(file, force=True)
        except Exception as error:  # pydicom documents no exception types for damaged input
            raise UserError("The deflated file is damaged; copy or send it again.") from error
    else:
        start = file.read(12)
        found = _pixel_element(start, syntax)
        if found is None:
            raise UserError(_no_pixels(dataset))
        extra["pixel_keyword"], vr = found
        if vr:
            extra["pixel_vr"] = vr
        file.seek((12 if vr else 8) - len(start), os.SEEK_CUR)
    try:
        if isinstance(dataset, FastHeader):
            options = _fast_header_options(dataset) | extra
        else:
            options = as_pixel_options(dataset, **extra)
        size = options["rows"] * options["columns"] * options["samples_per_pixel"] * options["bits_allocated"] // 8
    except Exception as error:  # pydicom documents no exception types for damaged headers
        raise UserError(
            "The header does not describe the pixel data; export the file again from its source."
        ) from error
    if size > MAX_FRAME_BYTES:
        raise UserError("One frame would take more than 1 GB; check the file at its source.")
    return source, options


def _fast_header_options(header: FastHeader) -> dict[str, Any]:
    """The same as pydicom's `as_pixel_options`."""
    options = {name: header.get(keyword) for name, keyword in _PIXEL_OPTIONS.items() if keyword in header}
    options["number_of_frames"] = max(1, integer(header, "NumberOfFrames") or 1)
    if "ExtendedOffsetTable" in header:
        options["extended_offsets"] = (header.get("ExtendedOffsetTable"), header.get("ExtendedOffsetTableLengths"))
    return options


def _size(file: BinaryIO) -> int | None:
    """Length of the stream in bytes; None when only reading it would tell."""
    if isinstance(file, io.BytesIO):
        return file.getbuffer().nbytes
    try:
        return os.fstat(file.fileno()).st_size
    except io.UnsupportedOperation:
        return None
