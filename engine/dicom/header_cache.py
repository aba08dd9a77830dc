"""Keeps the last headers of multi-frame files, so that scrolling does not parse them again. Knows nothing of pixels.

The functional groups of an enhanced image with hundreds of frames take a quarter of a second to parse.
"""

import os
import threading
from collections import OrderedDict
from typing import BinaryIO

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import FileDataset

from engine.dicom.fast_header import FastHeader, read_fast_header
from engine.dicom.file import is_deflated, read_header
from engine.study import ImageRef, Origin

MAX_HEADERS = 4
PARSED = frozenset(
    map(
        tag_for_keyword,
        (
            *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "ModalityLUTSequence"),
            *("VOILUTSequence", "RedPaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData"),
        ),
    )
)
"""Tags of what pixels need from a header and only pydicom reads."""

_lock = threading.Lock()
_headers: OrderedDict[tuple[Origin, int, int], tuple[FileDataset, int]] = OrderedDict()


def cached_header(file: BinaryIO, image: ImageRef) -> FileDataset | FastHeader:
    """The header of an open image, with `file` left at the pixel data element as `read_header` leaves it.

    Plain headers are read by `fast_header`, the others by pydicom.

    A file that changed on disk is parsed again. Only multi-frame images with a file of their own are kept.

    Raises:
        UserError: not DICOM, or damaged beyond parsing.
    """
    if image.frames < 2:
        return read_fast_header(file, PARSED) or read_header(file)
    try:
        status = os.fstat(file.fileno())
    except OSError:  # bytes in memory, or a member of an archive: no file of their own
        return read_fast_header(file, PARSED) or read_header(file)
    key = (image.origin, status.st_mtime_ns, status.st_size)
    with _lock:
        kept = _headers.get(key)
        if kept is not None:
            _headers.move_to_end(key)
    if kept is not None:
        file.seek(kept[1])
        return kept[0]
    fast = read_fast_header(file, PARSED)
    if fast is not None:
        return fast
    dataset = read_header(file)
    if not is_deflated(dataset):
        with _lock:
            _headers[key] = (dataset, file.tell())
            while len(_headers) > MAX_HEADERS:
                _headers.popitem(last=False)
    return dataset
