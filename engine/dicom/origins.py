"""Opens local files, gzip files and members of ZIP files as streams of bytes, and refuses decompression bombs.

Knows nothing of DICOM. Another source of images (a PACS cache, DICOMweb) is one more class with what `Origin` asks for.
"""

import errno
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from typing_extensions import override

from engine.errors import UserError
from engine.study import Origin

MAX_UNPACKED = 4 << 30
"""Bytes that one compressed file or member may unpack to."""
MAX_RATIO = 400
"""Highest ratio of unpacked to packed size for large data; a scan that is half empty stays far below."""
MAX_DIRECTORY = 32 << 20
"""Bytes of the directory of a ZIP file, some 300 000 names; Python takes thirty times that for it."""
_RATIO_COUNTS_FROM = 256 << 20
"""Bytes from which the ratio is checked."""
_BLANK = 1 << 16
"""Bytes of zeros with which neither a DICOM nor a ZIP file begins."""
_GZIP = b"\x1f\x8b"
PART_OF_ZIP = "This is one part of a ZIP file in several parts; unpack it first and open the folder."
DAMAGED_ZIP = "The ZIP file is damaged; copy or download it again."

_OF_WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class FileOrigin:
    """A file on disk; a gzip file gives its unpacked bytes."""

    path: Path

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def file(self) -> Path:
        """The path."""
        return self.path

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the file as a seekable stream.

        Raises:
            UserError: missing, not readable, damaged, or a decompression bomb.
        """
        path = self.path
        try:
            with path.open("rb") as file:
                packed = _begins(file, (_GZIP,))
                yield _gunzip(file) if packed else file
        except (zlib.error, gzip.BadGzipFile, EOFError) as error:
            raise UserError("The gzip file is damaged; copy or download it again.") from error
        except FileNotFoundError as error:
            raise UserError(f"{path} no longer exists; check the folder or the drive.", path) from error
        except PermissionError as error:
            raise UserError(f"{path} cannot be read (Permission denied); check its permissions.", path) from error
        except OSError as error:
            if error.errno in _OF_WRITING:  # of who reads it, and writes elsewhere
                raise
            raise UserError(f"{path} cannot be read ({error.strerror or error}); check the drive.", path) from error


@dataclass(frozen=True, slots=True)
class ZipMember:
    """One member of a ZIP file, wherever the file comes from."""

    archive: Origin
    member: str
    """Name inside the ZIP file."""

    @property
    def name(self) -> str:
        """The ZIP file, then the member."""
        return member_name(self.archive, self.member)

    @property
    def file(self) -> Path | None:
        """The ZIP file."""
        return self.archive.file

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the member as a seekable stream that unpacks no further than it is read.

        Raises:
            UserError: the ZIP file cannot be opened or has no such member, or see `open_member`.
        """
        with self.archive.open() as file, open_archive(file) as archive:
            info = archive.NameToInfo.get(self.member)
            if info is None:
                raise UserError(
                    f"{self.member} is no longer in {self.archive.name}; open the ZIP file again.", self.name
                )
            with open_member(archive, info) as stream:
                yield stream


def member_name(archive: Origin, member: str) -> str:
    """How messages and lists name a member of a ZIP file."""
    return f"{archive.name} > {member}"


def open_archive(file: BinaryIO) -> zipfile.ZipFile:
    """Open a ZIP file by its directory.

    Raises:
        UserError: the directory is damaged or huge, or the file is one part of several.
    """
    if _directory_size(file) > MAX_DIRECTORY:
        raise UserError("The ZIP file lists too many files; unpack it first and open the folder.")
    try:
        return zipfile.ZipFile(file)
    except Exception as error:  # damaged directories raise more than BadZipFile
        raise UserError(PART_OF_ZIP if "multiple disks" in str(error) else DAMAGED_ZIP) from error


def _directory_size(file: BinaryIO) -> int:
    """Bytes of the directory of a ZIP file as its end says (APPNOTE 4.3.14 to 4.3.16); 0 where there is no such end."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - (1 << 16) - 100))
    tail = file.read()
    file.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 16:
        return 0
    stated = int.from_bytes(tail[at + 12 : at + 16], "little")
    large = tail.rfind(b"PK\x06\x06", 0, at)
    return int.from_bytes(tail[large + 40 : large + 48], "little") if large >= 0 else stated


_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"PK00")
"""A member, the end of an empty ZIP file, and the markers of split ones (APPNOTE 8.5.3, 8.5.4)."""


def begins_as_zip(file: BinaryIO) -> bool:
    """Whether the first bytes are those of a ZIP file; the stream is then at its start."""
    return _begins(file, _ZIP_STARTS)


def _begins(file: BinaryIO, starts: tuple[bytes, ...]) -> bool:
    """Whether a file begins so, and not as DICOM behind a preamble that may be anything (PS3.10 7.1)."""
    file.seek(0)
    head = file.read(132)
    file.seek(0)
    return head.startswith(starts) and head[128:] != b"DICM"


def is_zip(file: BinaryIO) -> bool:
    """Whether the file has the directory of a ZIP file at its end, whatever it begins with (APPNOTE 4.1.9)."""
    try:
        return zipfile.is_zipfile(file)
    except Exception:  # damaged directories raise anything
        return False


_CONTAINERS = (
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "RAR"),
    (0, b"BZh", "bzip2"),
    (0, b"\xfd7zXZ\0", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "Zstandard"),
    (257, b"ustar", "tar"),
    (0x8001, b"CD001", "ISO 9660"),
)
"""Other containers: offset and bytes that identify them, and their name."""


def other_container(file: BinaryIO) -> str:
    """The name of a container that is not opened, for its reason; "" for anything else."""
    for offset, magic, name in _CONTAINERS:
        file.seek(offset)
        if file.read(len(magic)) == magic:
            return name
    return ""


@contextmanager
def open_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[BinaryIO]:
    """Open a member as a seekable stream that unpacks no further than it is read.

    Raises:
        UserError: encrypted, damaged, compressed in a way Python cannot read, or a decompression bomb.
    """
    if info.flag_bits & 0x1:
        raise UserError("The ZIP file is password-protected; unpack it first and open the folder.")
    refuse_bomb(info.file_size, info.compress_size)
    try:
        opened = archive.open(info)
    except NotImplementedError as error:
        raise UserError("The ZIP file uses an unsupported compression method; unpack it first.") from error
    except Exception as error:  # damaged members raise more than BadZipFile
        raise UserError(DAMAGED_ZIP) from error
    with opened as stream:
        yield cast(BinaryIO, io.BufferedReader(_Unpacked(cast(io.RawIOBase, stream)), 1 << 16))


class _Unpacked(io.RawIOBase):
    """A stream of a ZIP member that raises UserError for whatever is wrong with its bytes."""

    def __init__(self, stream: io.RawIOBase) -> None:
        self._stream = stream

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return self._stream.seekable()

    @override
    def tell(self) -> int:
        return self._stream.tell()

    @override
    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with _told():
            return self._stream.seek(offset, whence)

    @override
    def readinto(self, buffer: Any) -> int:
        with _told():
            data = self._stream.read(len(buffer)) or b""
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def _told() -> Iterator[None]:
    """Turn what decompressors raise (documented for none of them) into a reason."""
    try:
        yield
    except (ValueError, MemoryError):  # a closed file, a seek before the start
        raise
    except Exception as error:
        raise UserError(DAMAGED_ZIP) from error


def refuse_bomb(unpacked: int, packed: int) -> None:
    """Stop before memory runs full.

    Args:
        unpacked: bytes so far, or as a ZIP file states them.
        packed: bytes that they come from.

    Raises:
        UserError: more than an image can take.
    """
    if unpacked > MAX_UNPACKED or (unpacked > _RATIO_COUNTS_FROM and unpacked > MAX_RATIO * max(1, packed)):
        raise UserError(
            f"Possible decompression bomb: it unpacks to {unpacked >> 20} MB or more; "
            "if you trust the source, unpack it yourself first."
        )


def _gunzip(file: BinaryIO) -> io.BytesIO:
    packed_size = file.seek(0, io.SEEK_END)
    file.seek(0)
    data = io.BytesIO()
    with gzip.GzipFile(fileobj=file) as packed:
        head = packed.read(_BLANK)
        if len(head) == _BLANK and not any(head):
            raise UserError("The gzip file begins with zeros alone; it contains neither an image nor a ZIP file.")
        data.write(head)
        while chunk := packed.read(1 << 20):
            data.write(chunk)
            refuse_bomb(data.tell(), packed_size)
    data.seek(0)
    return data
