"""The text of exported reports, read back by other implementations; that of a PDF from its character maps."""

import re
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import hl7
from fhir.resources.R4B.bundle import Bundle
from highdicom.ko import KeyObjectSelectionDocument
from highdicom.sr import ContentSequence, TextContentItem
from lxml import html
from pydicom import Dataset, dcmread

OBJECT = re.compile(rb"(\d+) 0 obj\s(.*?)\sendobj", re.DOTALL)
STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)


def text_of_sr(document: Dataset) -> str:
    """All text items in reading order, as highdicom reads them."""
    found: list[str] = []
    for item in ContentSequence.from_sequence(document.ContentSequence):
        if isinstance(item, TextContentItem):
            found.append(item.value)
        found += [text_of_sr(item)] if "ContentSequence" in item else []
    return "\n".join(found).replace("\r\n", "\n")


def text_of_message(path: Path) -> str:
    """The text segments of an HL7 message."""
    message = hl7.parse(path.read_bytes().decode())  # segments end in a carriage return
    return "\n".join(message.unescape(str(row(5))) for row in message.segments("OBX") if str(row(2)) == "TX")


def text_of_pdf(path: Path) -> str:
    """The characters of a PDF that Qt wrote (ISO 32000-1, 9.10.3)."""
    objects = {int(number): body for number, body in OBJECT.findall(path.read_bytes())}
    streams = {number: _inflated(found[1]) for number, body in objects.items() if (found := STREAM.search(body))}
    fonts = {
        number: _characters(streams[int(found[1])])
        for number, body in objects.items()
        if (found := re.search(rb"/ToUnicode (\d+) 0 R", body))
    }
    text, font = "", next(iter(fonts), 0)
    for stream in streams.values():
        for name, glyphs in re.findall(rb"/F(\d+) [\d.]+ Tf|<([\dA-F]+)> Tj", stream):
            font = int(name) if name else font
            text += "".join(fonts[font].get(glyphs[at : at + 4], "") for at in range(0, len(glyphs), 4))
    return text


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return stream


def _characters(cmap: bytes) -> Mapping[bytes, str]:
    found: dict[bytes, str] = {}
    for first, codes in re.findall(rb"<([\dA-F]{4})> <[\dA-F]{4}> \[([^\]]*)\]", cmap):
        for step, code in enumerate(re.findall(rb"<([\dA-F]+)>", codes)):
            found[b"%04X" % (int(first, 16) + step)] = bytes.fromhex(code.decode()).decode("utf-16-be")
    return found


READ_BACK: Mapping[str, Callable[[Path], str]] = {
    "pdf": text_of_pdf,
    "pdf without images": text_of_pdf,
    "txt": lambda path: path.read_text(encoding="utf-8"),
    "html": lambda path: str(html.fromstring(path.read_bytes()).text_content()),
    "sr": lambda path: text_of_sr(dcmread(path)),
    "ko": lambda path: " ".join(
        item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        for item in KeyObjectSelectionDocument.from_dataset(dcmread(path)).content.get_references()
    ),
    "fhir": lambda path: str(Bundle.model_validate_json(path.read_text("utf-8")).entry[0].resource.conclusion),
    "hl7": text_of_message,
}
"""What a file says, by the name of its format; of a key object selection, which has no text, its SOP Instance UIDs."""
