"""Decodes text with ISO 2022 code extensions (PS3.5 6.1.2.5, PS3.3 C.12.1.1.2). Knows no elements.

pydicom 3.0 takes each escape sequence by itself: it leaves that of GB 2312 in the text, and any that Specific Character
Set does not declare, and forgets the set of the upper half when the lower one changes. This decoder keeps both halves;
`install` puts it in pydicom's place, so that names, descriptions and the items of sequences are all read by it.
"""

import codecs
import re
from collections.abc import Sequence
from typing import Any

import pydicom.charset
import pydicom.values

_ESCAPE = re.compile(rb"\x1b([\x20-\x2f]*[\x30-\x7e])")
"""An escape sequence: intermediate bytes and a final one (ISO/IEC 2022 13.1)."""
_ASCII, _ROMAN, _KANJI, _SUPPLEMENT = "ascii", "shift_jis", "jis_x_0208", "jis_x_0212"
_LOWER = {b"(B": _ASCII, b"(J": _ROMAN, b"$B": _KANJI, b"$@": _KANJI, b"$(B": _KANJI, b"$(D": _SUPPLEMENT}
"""Sets of the lower half (G0), by escape sequence (PS3.3 tables C.12-3, C.12-4)."""
_UPPER = {
    b"-A": "latin_1",
    b"-B": "iso8859_2",
    b"-C": "iso8859_3",
    b"-D": "iso8859_4",
    b"-F": "iso8859_7",
    b"-G": "iso8859_6",
    b"-H": "iso8859_8",
    b"-L": "iso8859_5",
    b"-M": "iso8859_9",
    b"-T": "iso8859_11",
    b"-b": "iso8859_15",
    b")I": "shift_jis",
    b"$)C": "euc_kr",
    b"$)A": "gb2312",
}
"""Sets of the upper half (G1)."""
_STANDALONE = {"utf-8", "gb18030", "gbk"}
"""Codecs of the sets that know no code extensions (PS3.5 6.1.2.5.4)."""
_RESETS = re.compile(rb"[\t\n\f\r^=\\]")
"""Delimiters after which the first character set is valid again (PS3.5 6.1.2.5.3)."""
_RUN = re.compile(rb"[\x80-\xff]+|[\x21-\x7e]{2}|[\x00-\x7f]")
_MORE_SETS = {
    "ISO_IR 203": "iso8859_15",
    "ISO 2022 IR 203": "iso8859_15",
    "ISO_IR 58": "gb2312",
    "ISO_IR 87": "iso2022_jp",
    "ISO_IR 149": "euc_kr",
    "ISO_IR 159": "iso2022_jp_2",
}
"""Specific Character Sets that pydicom's table lacks: Latin 9, and multi-byte ones without "2022"."""


def decode_text(value: bytes, encodings: Sequence[str], delimiters: Any = None) -> str:
    """Text in the given Python codecs, of which the first is valid at the start and after each delimiter.

    An escape sequence names its set whether it was declared or not; an unknown one is dropped. Bytes that mean nothing
    become the replacement character.

    Args:
        value: the bytes of an element, of any number of values.
        encodings: of Specific Character Set, as `pydicom.charset.convert_encodings` gives them; not empty.
        delimiters: ignored; all of them are known here.
    """
    if b"\x1b" not in value:
        return _pydicoms(value, encodings, delimiters)
    if codecs.lookup(encodings[0]).name in _STANDALONE:
        return _ESCAPE.sub(b"", value).decode(encodings[0], "replace")
    wide = any(codecs.lookup(one).name == "gbk" for one in encodings)
    state = _State(encodings[0], wide)
    parts = _ESCAPE.split(value)
    text = [state.decode(parts[0])]
    for escape, run in zip(parts[1::2], parts[2::2]):
        state.switch(escape)
        text.append(state.decode(run))
    return "".join(text).replace("\x1b", "")


class _State:
    """The character sets of the lower and the upper half of the code table."""

    def __init__(self, first: str, wide: bool) -> None:
        japanese = first in ("iso2022_jp", "iso2022_jp_2", "shift_jis")
        self._first = (_ROMAN if japanese else _ASCII, "shift_jis" if japanese else first)
        self._lower, self._upper = self._first
        self._wide = wide
        """The upper half is GBK where it is GB 2312: its second bytes lie in the lower half too."""

    def switch(self, escape: bytes) -> None:
        """Follow an escape sequence, given without its first byte."""
        self._lower = _LOWER.get(escape, self._lower)
        self._upper = _UPPER.get(escape, self._upper)

    def decode(self, run: bytes) -> str:
        """Text without escape sequences."""
        if self._wide and self._upper == "gb2312":
            return run.decode("gbk", "replace")
        return "".join(self._decoded(found.group()) for found in _RUN.finditer(run))

    def _decoded(self, piece: bytes) -> str:
        if piece[0] >= 0x80:
            return piece.decode(self._upper, "replace")
        if len(piece) == 2 and self._lower in (_KANJI, _SUPPLEMENT):
            eight = bytes(byte | 0x80 for byte in piece)
            return (eight if self._lower == _KANJI else b"\x8f" + eight).decode("euc_jp", "replace")
        if self._lower not in (_KANJI, _SUPPLEMENT) and _RESETS.search(piece):
            self._reset()
        return piece.decode("ascii")

    def _reset(self) -> None:
        """The first set is valid again; an upper half without one keeps its last, since nothing else can be meant."""
        self._lower = self._first[0]
        if self._first[1] != pydicom.charset.default_encoding:
            self._upper = self._first[1]


_pydicoms = pydicom.charset.decode_bytes


def install() -> None:
    """Let pydicom decode text by `decode_text`, and know the character sets that its table lacks."""
    pydicom.charset.python_encoding.update(_MORE_SETS)
    pydicom.charset.decode_bytes = decode_text
    pydicom.values.decode_bytes = decode_text  # type: ignore[attr-defined]
