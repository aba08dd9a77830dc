"""Parses the header of one DICOM stream. Does not interpret it and knows no pixel data."""

import io
import struct
import zlib
from typing import Any, BinaryIO, cast

from pydicom import dcmread
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pydicom.values import converters

from engine.dicom.coding.codecs import why_not_decodable
from engine.dicom.fast_header import meta_uid
from engine.dicom.origins import refuse_bomb
from engine.dicom.parser_warnings import collect_warnings
from engine.dicom.values import FileHeader, raw
from engine.errors import UserError

NOT_DICOM = "This is not a DICOM file."
DAMAGED = "The DICOM header is damaged; export or copy the file again from its source."
_SYNTAX = 0x00020010
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
        syntax = meta_uid(head, _SYNTAX)
        raise UserError((why_not_decodable(syntax) if syntax else "") or DAMAGED) from error
    return dataset


def _may_be_syntax(uid: UID) -> bool:
    """Whether this is a transfer syntax (PS3.6 table A-1), or a UID that pydicom's dictionary does not have."""
    return uid.type == "Transfer Syntax" or bool(uid.is_valid and "." in uid and not uid.type)


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
    """Where the transfer syntax is missing or no UID of one, use the encoding that the parser detected.

    A UID that nobody knows stays: it may be a transfer syntax, and then the encoding of the pixel data is unknown.
    """
    if not hasattr(dataset, "file_meta"):
        dataset.file_meta = FileMetaDataset()
    syntax = raw(dataset.file_meta, "TransferSyntaxUID")
    if isinstance(syntax, UID) and _may_be_syntax(syntax):
        return
    implicit, little = dataset.original_encoding
    if implicit:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    else:
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def is_deflated(dataset: FileHeader) -> bool:
    """Whether the dataset is one deflated stream (PS3.5 A.5)."""
    return bool(dataset.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian)
