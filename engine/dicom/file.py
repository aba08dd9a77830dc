"""Parses the header of one DICOM stream. Does not interpret it and knows no pixel data."""

import struct
import zlib
from io import SEEK_END, BytesIO
from typing import Any, BinaryIO, cast

from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
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
from engine.store.safety.trial import try_out

NOT_DICOM = "This is not a DICOM file."
DAMAGED = "The DICOM header is damaged; export or copy the file again from its source."
PLAIN_BYTES = 1 << 19
"""Bytes of a plain header. A larger one is tried out first: a million elements take a minute and 1 GB."""
MAX_BYTES = 64 << 20
"""Bytes of a file in which its header must end."""
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
    try:
        with collect_warnings():
            if _inflated_size(file, head) > PLAIN_BYTES:
                _try_out(file)
            metered = _Metered(file)
            try:
                dataset = _parsed(metered, tags)
            except Exception:  # pydicom turns what the stream raises into exceptions of its own
                if not metered.over:
                    raise
            if metered.over:
                head_of_file = BytesIO(_try_out(file))  # which gives no more than it has, whatever a length claims
                dataset = _parsed(head_of_file, tags)
                file.seek(head_of_file.tell())
            _fill_in_transfer_syntax(dataset)
    except (UserError, MemoryError):
        raise
    except Exception as error:  # pydicom documents no exception types for damaged input
        syntax = meta_uid(head, _SYNTAX)
        raise UserError((why_not_decodable(syntax) if syntax else "") or DAMAGED) from error
    return dataset


class _Metered:
    """A stream that can be read for `PLAIN_BYTES` in all: each element takes 8 bytes, so this bounds the work too."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._left = file, PLAIN_BYTES
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        """Like that of the file.

        Raises:
            OSError: all has been read.
        """
        data = self._file.read(size if 0 <= size <= self._left else self._left + 1)
        self._left -= len(data)
        if self.over:
            raise OSError("The header is not plain")
        return data

    @property
    def over(self) -> bool:
        """Whether more was wanted."""
        return self._left < 0


def _parsed(file: BinaryIO | _Metered, tags: list[int | str] | None) -> FileDataset:
    file.seek(0)
    source = cast(BinaryIO, file)
    return dcmread(source, stop_before_pixels=True, force=True, specific_tags=cast(Any, tags))


def _try_out(file: BinaryIO) -> bytes:
    """The bytes in which a header must end, once the helper has parsed them.

    Raises:
        UserError: it is too large, or takes too long or too much memory.
    """
    file.seek(0)
    data = file.read(MAX_BYTES)
    try_out(convert_all, data)
    return data


def convert_all(data: bytes) -> None:
    """Parse the header that begins these bytes and convert every value in it."""
    with collect_warnings():
        _convert(_parsed(BytesIO(data), None))


def _convert(dataset: Dataset) -> None:
    for tag in dataset.keys():  # noqa: SIM118 - iterating over a dataset converts, and stops at damaged values
        try:
            element = dataset[tag]
        except MemoryError:
            raise
        except Exception:  # converters of damaged values raise anything
            continue
        for item in element.value if element.VR == "SQ" else ():
            _convert(item)


def _may_be_syntax(uid: UID) -> bool:
    """Whether this is a transfer syntax (PS3.6 table A-1), or a UID that pydicom's dictionary does not have."""
    return uid.type == "Transfer Syntax" or bool(uid.is_valid and "." in uid and not uid.type)


def _inflated_size(file: BinaryIO, head: bytes) -> int:
    """Bytes of a deflated dataset, inflated in small steps since pydicom does so in one; 0 for others.

    Raises:
        UserError: a decompression bomb.
    """
    unpacked = 0
    if DeflatedExplicitVRLittleEndian.encode() in head and head[128:132] == b"DICM":
        packed = file.seek(0, SEEK_END)
        (meta_length,) = struct.unpack("<L", head[140:144])
        file.seek(144 + meta_length)
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        data = file.read(1 << 20)
        while data:
            unpacked += len(inflater.decompress(data, 16 << 20))
            refuse_bomb(unpacked, packed)
            data = inflater.unconsumed_tail or file.read(1 << 20)
    return unpacked


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
