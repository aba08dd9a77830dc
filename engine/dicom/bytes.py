"""Opens a file, a zip member or a gzip file as a stream of bytes, and refuses archives made to fill the memory.

Knows nothing of DICOM.
"""

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from engine.errors import UserError

MAX_UNPACKED = 4 << 30
"""Bytes that one compressed file or member may unpack to."""
MAX_RATIO = 400
"""How many times its packed size something large may unpack to; the empty half of a scan stays far below."""
_RATIO_COUNTS_FROM = 256 << 20


def refuse_bomb(unpacked: int, packed: int) -> None:
    """Stop before memory runs full.

    Raises:
        UserError: `packed` bytes unpack to more than an image can.
    """
    if unpacked > MAX_UNPACKED or (unpacked > _RATIO_COUNTS_FROM and unpacked > MAX_RATIO * max(1, packed)):
        raise UserError(
            f"It would unpack to {unpacked >> 20} MB or more, which looks like an attack on the memory; "
            "unpack it by hand if you trust it."
        )


@contextmanager
def open_bytes(path: Path, member: str | None = None) -> Iterator[BinaryIO]:
    """Open a file, a member of a zip archive or a gzip file as a seekable stream of the DICOM bytes.

    Raises:
        UserError: missing, unreadable, encrypted or damaged, with a sentence that says what to do.
    """
    try:
        if member is not None:
            with zipfile.ZipFile(path) as archive:
                info = archive.NameToInfo.get(member)
                if info is None:
                    raise UserError(f"{member} is no longer in {path}; open the archive again.", f"{path} > {member}")
                with open_member(archive, info) as stream:
                    yield stream
            return
        with path.open("rb") as file:
            if file.read(2) == b"\x1f\x8b":
                file.seek(0)
                yield io.BytesIO(_gunzip(file))
            else:
                file.seek(0)
                yield file
    except (zipfile.BadZipFile, zlib.error, gzip.BadGzipFile, EOFError) as error:
        raise UserError("The archive is damaged; copy or download it again.") from error
    except FileNotFoundError as error:
        raise UserError(f"{path} is not there any more; check the folder or the drive.", path) from error
    except PermissionError as error:
        raise UserError(f"You may not read {path}; ask for permission to the folder.", path) from error
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror or error}); check the drive.", path) from error


@contextmanager
def open_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[BinaryIO]:
    """Open a member as a seekable stream that unpacks no further than it is read.

    Raises:
        UserError: encrypted, damaged, packed in a way Python cannot read, or a zip bomb.
    """
    if info.flag_bits & 0x1:
        raise UserError("The archive is protected by a password; unpack it first and open the folder.")
    refuse_bomb(info.file_size, info.compress_size)
    try:
        with archive.open(info) as stream:
            yield cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, stream), 1 << 16))
    except NotImplementedError as error:
        raise UserError("The archive uses a compression that Kindred cannot read; unpack it first.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise UserError("The archive is damaged; copy or download it again.") from error


def _gunzip(file: BinaryIO) -> bytes:
    packed_size = file.seek(0, io.SEEK_END)
    file.seek(0)
    data = bytearray()
    with gzip.GzipFile(fileobj=file) as packed:
        while chunk := packed.read(16 << 20):
            data += chunk
            refuse_bomb(len(data), packed_size)
    return bytes(data)
