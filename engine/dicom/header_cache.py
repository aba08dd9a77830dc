"""Caches the headers of the last multi-frame files, so that scrolling does not parse them again. Knows no pixels.

Parsing the functional groups of an enhanced image with hundreds of frames takes a quarter of a second.
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
"""Tags of elements that reading pixels needs and only pydicom can read."""

_lock = threading.Lock()
_headers: OrderedDict[tuple[Origin, int, int], tuple[FileDataset, int]] = OrderedDict()


def cached_header(file: BinaryIO, image: ImageRef) -> FileDataset | FastHeader:
    """The header of an open image, leaving `file` at the pixel data element.

    Plain headers are read by `fast_header`, the others by pydicom. Only those of multi-frame images in a plain file are
    cached; a file that changed on disk is parsed again.

    Raises:
        UserError: not DICOM, or damaged beyond parsing.
    """
    if image.frames < 2:
        return read_fast_header(file, PARSED) or read_header(file)
    try:
        status = os.fstat(file.fileno())
    except OSError:  # unpacked in memory, or a member of an archive
        return read_fast_header(file, PARSED) or read_header(file)
    key = (image.origin, status.st_mtime_ns, status.st_size)
    with _lock:
        cached = _headers.get(key)
        if cached is not None:
            _headers.move_to_end(key)
    if cached is not None:
        file.seek(cached[1])
        return cached[0]
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
