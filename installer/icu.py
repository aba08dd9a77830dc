"""Rebuilds Qt's libicudata with the data that an English app uses: 32 MB become 3.

Qt takes from ICU the order of text and the names of encodings. The names of languages, regions, units and currencies,
the spelling of numbers, transliterations, dictionaries and converters of encodings are left out: Qt has tables of its
own for locales, and Python decodes what DICOM files contain. Where an order is missing, ICU falls back to Unicode's.

The format is that of ICU's common data files (icu4c/source/common/ucmndata.h): a header, the number of items, the
offsets of their names and data, both counted from that number on.
"""

import re
import struct
import subprocess
import tempfile
from pathlib import Path

KEPT = re.compile(
    r"^icudt\d+l/("
    r"[^/]*\.(icu|nrm|cfu|spp)|"
    r"(root|en|en_US|pool|res_index|supplementalData|likelySubtags|numberingSystems|keyTypeData|metadata|metaZones|"
    r"timezoneTypes|zoneinfo64|windowsZones|icustd|icuver|dayPeriods|genderList|plurals|pluralRanges|tzdbNames)\.res|"
    r"coll/(root|en|en_US|ucadata|res_index|pool)\.(res|icu)|"
    r"brkitr/(root|en|res_index|char|word|word_.*|line.*|sent|title)\.(res|brk)|"
    r"(curr|lang|region|unit|zone|rbnf)/(root|res_index|pool)\.res"
    r")$"
)
ALIGNMENT = 16
_NAME = re.compile(r"^libicudata\.so\.(\d+)")
_ASSEMBLY = """.section .rodata
.globl {symbol}
.type {symbol}, %object
.balign {alignment}
{symbol}: .incbin "{data}"
.size {symbol}, . - {symbol}
.section .note.GNU-stack,"",%progbits
"""


def reduce_library(library: Path) -> None:
    """Replace libicudata by one of the same name and symbol with less data.

    Raises:
        ValueError: it is no library of ICU data.
        subprocess.CalledProcessError: the assembler or the linker failed.
    """
    found = _NAME.match(library.name)
    if found is None:
        raise ValueError(f"{library} is no libicudata.")
    symbol = f"icudt{found[1]}_dat"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data, source, object_file = folder / "icu.dat", folder / "icu.s", folder / "icu.o"
        data.write_bytes(reduce_data(_data_of(library, symbol)))
        source.write_text(_ASSEMBLY.format(symbol=symbol, alignment=ALIGNMENT, data=data))
        subprocess.run(["as", "-o", str(object_file), str(source)], check=True)
        shared = ["-shared", "-z", "noexecstack", "--build-id=none", "-soname", f"libicudata.so.{found[1]}"]
        subprocess.run(["ld", *shared, "-o", str(library), str(object_file)], check=True)


def reduce_data(data: bytes) -> bytes:
    """A common data file with the items that are kept."""
    (header,) = struct.unpack_from("<H", data)
    items = {name: content for name, content in _items(data, header).items() if KEPT.match(name)}
    names = b"".join(name.encode() + b"\0" for name in items)
    start = 4 + 8 * len(items)
    at = _aligned(header + start + len(names)) - header
    table, blocks, name_at = [], [], start
    for name, content in items.items():
        table.append(struct.pack("<II", name_at, at))
        padded = content.ljust(_aligned(len(content)), b"\0")
        blocks.append(padded)
        name_at += len(name) + 1
        at += len(padded)
    toc = struct.pack("<I", len(items)) + b"".join(table) + names
    return data[:header] + toc.ljust(_aligned(header + len(toc)) - header, b"\0") + b"".join(blocks)


def _items(data: bytes, header: int) -> dict[str, bytes]:
    """The items by name, in the order of the file, which is that of their names."""
    (count,) = struct.unpack_from("<I", data, header)
    entries = [struct.unpack_from("<II", data, header + 4 + 8 * number) for number in range(count)]
    ends = [offset for _, offset in entries[1:]] + [len(data) - header]
    found = {}
    for (name_at, start), end in zip(entries, ends):
        name = data[header + name_at : data.index(b"\0", header + name_at)].decode()
        found[name] = data[header + start : header + end]
    return found


def _data_of(library: Path, symbol: str) -> bytes:
    """The bytes of a symbol of a shared library, in a section whose address is its offset in the file or beside it."""
    listed = subprocess.run(["objdump", "-T", str(library)], capture_output=True, text=True, check=True).stdout
    found = re.search(rf"^([0-9a-f]+) .* (\.\w+)\s+([0-9a-f]+) .*\b{symbol}$", listed, re.MULTILINE)
    sections = subprocess.run(["objdump", "-h", str(library)], capture_output=True, text=True, check=True).stdout
    if found is None:
        raise ValueError(f"{library} has no data called {symbol}.")
    section = re.search(rf"\s{re.escape(found[2])}\s+\w+\s+(\w+)\s+\w+\s+(\w+)", sections)
    if section is None:
        raise ValueError(f"{library} has no section {found[2]}.")
    offset = int(found[1], 16) - int(section[1], 16) + int(section[2], 16)
    return library.read_bytes()[offset : offset + int(found[3], 16)]


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
