"""Takes a multipart/related answer apart while it arrives (RFC 2387), one part in memory at a time. Knows no DICOM."""

from collections.abc import Iterable, Iterator
from email.message import Message

HEAD_END = b"\r\n\r\n"
MAX_HEAD = 1 << 16
"""Bytes of the header of one part."""


class BrokenMultipartError(ValueError):
    """The answer is no multipart message."""


class CutOffError(BrokenMultipartError):
    """The answer ends within a part."""


def media_type(content_type: str) -> tuple[str, str]:
    """The media type in lower case, and its parameter `boundary`, "" without one."""
    message = Message()
    message["Content-Type"] = content_type
    boundary = message.get_param("boundary", "")
    return message.get_content_type(), boundary if isinstance(boundary, str) else ""


def parts(chunks: Iterable[bytes], boundary: str, largest: int) -> Iterator[bytes | None]:
    """The body of each part; None for one that has more than `largest` bytes, which are passed over.

    Raises:
        CutOffError: the message ends before its last boundary.
        BrokenMultipartError: it is none.
    """
    delimiter = b"\r\n--" + boundary.encode("latin-1")
    buffer = bytearray(b"\r\n")  # so that the first boundary begins like all others
    searched, passed_over, before_first = 0, False, True
    for chunk in chunks:
        buffer += chunk
        while (at := buffer.find(delimiter, searched)) >= 0:
            if not before_first:
                yield None if passed_over else _body(buffer, at, largest)
            before_first, passed_over, searched = False, False, 0
            del buffer[: at + len(delimiter)]
        if buffer.startswith(b"--") and not before_first:
            return
        searched = max(0, len(buffer) - len(delimiter))
        if len(buffer) > largest + MAX_HEAD + (1 << 20):
            passed_over = True
            del buffer[:searched]
            searched = 0
    if not (buffer.startswith(b"--") and not before_first):
        raise CutOffError("it ends before its last boundary")


def _body(buffer: bytearray, end: int, largest: int) -> bytes | None:
    """The body of the part whose header begins behind its boundary."""
    head = buffer.find(HEAD_END, 0, min(end, MAX_HEAD) + len(HEAD_END))
    if head < 0 or head > end:
        raise BrokenMultipartError("a part has no header")
    start = head + len(HEAD_END)
    return bytes(memoryview(buffer)[start:end]) if end - start <= largest else None
