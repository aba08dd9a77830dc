"""Finds the pixel data of a file and their true form. Decodes nothing.

A transfer syntax is a label. Pixel Data of undefined length are encapsulated, and only those (PS3.5 A.4); a codestream
says itself which codec wrote it. Where both contradict the label, they are right; where they do not settle the matter,
the file is refused. Coded bytes are never shown as pixels.
"""

import io
import os
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian

from engine.dicom.coding.codecs import is_native, syntax_name, why_not_decodable
from engine.dicom.coding.codestreams import PixelFormat
from engine.dicom.coding.form import codestream, same_decoder
from engine.dicom.coding.image_pixel import high_bit, pixel_options
from engine.dicom.fast_header import FastHeader
from engine.dicom.file import is_deflated
from engine.dicom.sop_classes import sop_class_name
from engine.dicom.values import FileHeader, text
from engine.errors import UserError

_PIXEL_DATA = {
    (0x7FE0, 0x0008): "FloatPixelData",
    (0x7FE0, 0x0009): "DoubleFloatPixelData",
    (0x7FE0, 0x0010): "PixelData",
}
_PIXEL_VRS = {b"OB": "OB", b"OW": "OW", b"OF": "OF", b"OD": "OD", b"UN": "UN"}
_UNDEFINED = 0xFFFFFFFF
_ITEM = b"\xfe\xff\x00\xe0"
_HEAD, _LONG_HEAD = 1 << 12, 1 << 20
"""Bytes of a codestream that are searched for its kind; the second when it begins with much metadata."""
MAX_FRAME_BYTES = 1 << 30
"""Larger frames are refused."""


@dataclass(frozen=True, slots=True)
class _Element:
    """The pixel data element: where its value begins, and what its first bytes say."""

    keyword: str
    vr: str
    """"" in implicit VR."""
    start: int
    length: int | None
    """None: undefined."""


def _no_pixels(dataset: FileHeader) -> str:
    sop_class = text(dataset, "SOPClassUID")
    name = sop_class_name(sop_class)
    if sop_class and ("Rows" in dataset or "Image" in name):
        return f"This {name} has no pixel data; the file may be truncated. Send it again."
    return "This DICOM object has no image."


def _element(file: BinaryIO, syntax: UID) -> _Element | None:
    """The pixel data element at the file's position, which moves to its value; None for another element.

    The VR is taken from the bytes, since some files are implicit VR despite an explicit VR transfer syntax, or the
    reverse. A VR cannot be mistaken for a length: its letters would make an odd one, and DICOM lengths are even.
    """
    start = file.read(12)
    if len(start) < 12:
        return None
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    keyword = _PIXEL_DATA.get(struct.unpack(f"{order}HH", start[:4]))
    if keyword is None:
        return None
    vr = _PIXEL_VRS.get(start[4:6], "")
    header = 12 if vr else 8
    (length,) = struct.unpack(f"{order}L", start[header - 4 : header])
    at = file.seek(header - len(start), os.SEEK_CUR)
    return _Element(keyword, vr, at, None if length == _UNDEFINED else length)


def true_syntax(file: BinaryIO, dataset: FileHeader) -> UID:
    """The transfer syntax of the pixel data after a header that was just read, by their form if it says otherwise.

    Reads the header of the pixel data element only, unless the form contradicts a native label; compressed frames are
    checked when they are decoded.

    Raises:
        UserError: there are no pixel data, they are truncated, or no decoder reads them.
    """
    syntax: UID = dataset.file_meta.TransferSyntaxUID
    unreadable = why_not_decodable(syntax)
    if is_deflated(dataset):
        if "Rows" not in dataset:
            raise UserError(_no_pixels(dataset))
        return syntax
    if unreadable:
        raise UserError(unreadable)
    element = _element(file, syntax)
    if element is None:
        raise UserError(_no_pixels(dataset))
    if not is_native(syntax):
        return syntax
    if element.length is None:
        return _codec_of(file, syntax, element)
    size = _size(file)
    if size is not None and element.start + element.length > size:
        percent = 100 * (size - element.start) // element.length
        raise UserError(f"The file is truncated: only {percent} % of the pixel data are there. Copy or send it again.")
    return syntax


def pixel_source(file: BinaryIO, dataset: FileDataset | FastHeader) -> tuple[Dataset | BinaryIO, dict[str, Any]]:
    """What the decoders read from, and the options of `decode`.

    Args:
        file: at the pixel data element, as after `read_header`.
        dataset: its header with all tags.

    Returns:
        the source, and pydicom's decoding options with the true transfer syntax, the valid High Bit as `high_bit`, and
        the bytes of native pixel data as `native_bytes`.

    Raises:
        UserError: there are no pixel data, the header does not describe them, or a frame is too large.
    """
    syntax: UID = dataset.file_meta.TransferSyntaxUID
    if unreadable := why_not_decodable(syntax):
        raise UserError(unreadable)
    source: Dataset | BinaryIO = file
    extra: dict[str, Any] = {"transfer_syntax_uid": syntax}
    element: _Element | None = None
    if is_deflated(dataset):
        file.seek(0)
        try:
            source = dcmread(file, force=True)
        except Exception as error:  # pydicom documents no exception types for damaged input
            raise UserError("The deflated file is damaged; copy or send it again.") from error
    else:
        element = _element(file, syntax)
        if element is None:
            raise UserError(_no_pixels(dataset))
        extra["pixel_keyword"] = element.keyword
        if element.vr:
            extra["pixel_vr"] = element.vr
    try:
        options = pixel_options(dataset, **extra)
        bits = PixelFormat.of(options).frame_bits
    except Exception as error:  # pydicom documents no exception types for damaged headers
        raise UserError(
            "The header does not describe the pixel data; export the file again from its source."
        ) from error
    if bits // 8 > MAX_FRAME_BYTES:
        raise UserError("One frame would take more than 1 GB; check the file at its source.")
    options["high_bit"] = high_bit(dataset)
    if element is not None:
        source = _by_form(file, element, options, -(-bits * options["number_of_frames"] // 8))
    return source, options


def _by_form(file: BinaryIO, element: _Element, options: dict[str, Any], native_size: int) -> BinaryIO:
    """The stream to decode from; writes the true transfer syntax into the options.

    Raises:
        UserError: the form contradicts the label, and does not say what the data are.
    """
    label: UID = options["transfer_syntax_uid"]
    length = element.length
    exact = length in (native_size, native_size + native_size % 2)
    if not (exact and is_native(label)) and (length is None or _peek(file, element, 0, len(_ITEM)) == _ITEM):
        found = _codec_of(file, label, element)
        if not is_native(found) and options.get("planar_configuration") is None and options["samples_per_pixel"] > 1:
            options["planar_configuration"] = 0
        options["transfer_syntax_uid"] = found
        return file
    if exact or (is_native(label) and length is not None and length >= native_size):
        options["transfer_syntax_uid"] = label if is_native(label) else ExplicitVRLittleEndian
        options["native_bytes"] = length
        return file
    bare = codestream(_peek(file, element, 0, _HEAD)) if options["number_of_frames"] == 1 else None
    if length is not None and bare is not None and bare.precision is not None and not why_not_decodable(bare.syntax):
        options["transfer_syntax_uid"] = label if same_decoder(label, bare.syntax) else bare.syntax
        return io.BytesIO(encapsulate([_peek(file, element, 0, length)]))
    if is_native(label):
        options["native_bytes"] = length
    return file


def _codec_of(file: BinaryIO, label: UID, element: _Element) -> UID:
    """The transfer syntax of encapsulated pixel data by their first codestream: the label unless that contradicts it.

    Raises:
        UserError: the label is a native one and the codec unknown, or no decoder reads it.
    """
    found = None
    for size in (_HEAD, _LONG_HEAD):
        data = _first_fragment(file, element, size)
        found = codestream(data)
        if found is not None or len(data) < size or not is_native(label):
            break
    if found is None:
        if is_native(label):
            raise UserError(
                f"The pixel data are compressed in an unknown way, although the file says {syntax_name(label)}; "
                "export it again from its source."
            )
        return label
    if same_decoder(label, found.syntax):
        return label
    if unreadable := why_not_decodable(found.syntax):
        raise UserError(unreadable)
    return found.syntax


def _first_fragment(file: BinaryIO, element: _Element, size: int) -> bytes:
    """The first bytes of the first fragment, which follows the item of the Basic Offset Table (PS3.5 A.4)."""
    table = _peek(file, element, 0, 8)
    if table[:4] != _ITEM or len(table) < 8:
        return b""
    (length,) = struct.unpack("<L", table[4:])
    item = _peek(file, element, 8 + length, 8)
    if item[:4] != _ITEM or len(item) < 8:
        return b""
    (first,) = struct.unpack("<L", item[4:])
    return _peek(file, element, 16 + length, min(first, size))


def _peek(file: BinaryIO, element: _Element, offset: int, size: int) -> bytes:
    """Bytes of the element's value; the file stays at its start."""
    file.seek(element.start + offset)
    data = file.read(size)
    file.seek(element.start)
    return data


def _size(file: BinaryIO) -> int | None:
    """Length of the stream in bytes; None when only reading it would tell."""
    if isinstance(file, io.BytesIO):
        return file.getbuffer().nbytes
    try:
        return os.fstat(file.fileno()).st_size
    except io.UnsupportedOperation:
        return None
