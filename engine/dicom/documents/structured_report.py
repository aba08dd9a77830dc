"""Turns the content of a structured report (PS3.3 C.17.3) into text that people read. Knows no file and no screen.

Any SR class: Basic Text, Enhanced, Comprehensive and templates on them. Headings are the names of containers, a
measurement is its name, number and unit. References to images become one short line; UIDs are left out.
"""

from collections.abc import Iterator

from engine.dicom.values import Header, item, items, numbers, raw, text, texts

MAX_DEPTH, MAX_LINES = 32, 20_000
"""Deeper or longer content is cut off, with a line that says so."""
CUT_OFF = "(The rest of this report is not shown.)"
INDENT = "  "
_CONTEXT = frozenset(("HAS OBS CONTEXT", "HAS ACQ CONTEXT"))
_IMAGE_LIBRARY = "111028"
"""Code of the container that lists what is known of the images (TID 1600)."""
_UNITS = {"[hnsf'U]": "HU"}
_REFERENCES = {"IMAGE": "image", "COMPOSITE": "object", "WAVEFORM": "waveform"}
_NO_UNIT = frozenset(("1", "ratio", "NONE", "no units"))
_VALUES = {"TEXT": "TextValue", "PNAME": "PersonName", "DATE": "Date", "TIME": "Time", "DATETIME": "DateTime"}


def report_lines(document: Header) -> list[str]:
    """Title, state and content, one line each, indented by level."""
    title = _meaning(item(document, "ConceptNameCodeSequence")) or "Structured report"
    return [title, *filter(None, [_state(document)]), "", *_limited(_content(document, title, 0, with_context=True))]


def report_text(document: Header) -> str:
    """The content alone, without title, observers and acquisition context, as an archive takes it."""
    title = _meaning(item(document, "ConceptNameCodeSequence"))
    lines = _limited(_content(document, title, 0, with_context=False))
    return "\n".join(line.strip() for line in lines).strip()


def _state(document: Header) -> str:
    verified = text(document, "VerificationFlag").capitalize()
    who = [_name(text(one, "VerifyingObserverName")) for one in items(document, "VerifyingObserverSequence")]
    complete = text(document, "CompletionFlag").capitalize()
    return ", ".join(filter(None, (complete, " by ".join(filter(None, (verified, "; ".join(filter(None, who))))))))


def _limited(lines: Iterator[str]) -> list[str]:
    found: list[str] = []
    for line in lines:
        if found and line == found[-1] and line.endswith(")"):  # one of many references
            continue
        found.append(line)
        if len(found) >= MAX_LINES:
            return [*found, CUT_OFF]
    return found


def _content(parent: Header, heading: str, level: int, *, with_context: bool) -> Iterator[str]:
    """The lines of the content items of a parent."""
    if level > MAX_DEPTH:
        yield INDENT * level + CUT_OFF
        return
    for one in items(parent, "ContentSequence"):
        code = item(one, "ConceptNameCodeSequence")
        background = text(one, "RelationshipType") in _CONTEXT or (code and text(code, "CodeValue") == _IMAGE_LIBRARY)
        if background and not with_context:
            continue
        name, kind = _meaning(item(one, "ConceptNameCodeSequence")), text(one, "ValueType")
        line = _line(one, kind, name, heading)
        yield from ((INDENT * level + part).rstrip() for part in line.splitlines())
        deeper = level + bool(line)
        yield from _content(one, name or heading, deeper, with_context=with_context)


def _line(content: Header, kind: str, name: str, heading: str) -> str:
    """What one item says, without its children; "" for what says nothing to a reader."""
    if kind == "CONTAINER":
        return name
    value = _value(content, kind)
    if not value:
        return ""
    told = heading.casefold().startswith(name.casefold())  # "Finding" below "Findings"
    return value if kind == "TEXT" and told else ": ".join(filter(None, (name, value)))


def _value(content: Header, kind: str) -> str:
    if kind == "NUM":
        return _measurement(content)
    if kind == "CODE":
        return _meaning(item(content, "ConceptCodeSequence"))
    if kind in _REFERENCES:
        return _reference(content, kind)
    if kind in ("SCOORD", "SCOORD3D"):
        shape = text(content, "GraphicType").lower()
        points = len(numbers(content, "GraphicData")) // (2 if kind == "SCOORD" else 3)
        return f"({shape or 'coordinates'}, {points} {'point' if points == 1 else 'points'})"
    value = text(content, _VALUES[kind]) if kind in _VALUES else ""
    return _name(value) if kind == "PNAME" else "\n".join(value.replace("\r\n", "\n").replace("\r", "\n").splitlines())


def _measurement(content: Header) -> str:
    measured = item(content, "MeasuredValueSequence")
    if measured is None:
        return _meaning(item(content, "NumericValueQualifierCodeSequence"))
    number = " ".join(texts(measured, "NumericValue")[:1])
    unit = item(measured, "MeasurementUnitsCodeSequence")
    short = text(unit, "CodeValue") if unit is not None and text(unit, "CodingSchemeDesignator") == "UCUM" else ""
    shown = _UNITS.get(short, short.strip("{}")) or _meaning(unit)
    return f"{number} {shown}".strip() if shown not in _NO_UNIT else number


def _reference(content: Header, kind: str) -> str:
    reference = item(content, "ReferencedSOPSequence")
    if reference is None:
        return ""
    frames = texts(reference, "ReferencedFrameNumber") if raw(reference, "ReferencedFrameNumber") is not None else []
    what = f"see {_REFERENCES[kind]}"
    return f"({what}, frame {', '.join(frames)})" if frames else f"({what})"


def _meaning(code: Header | None) -> str:
    return " ".join(text(code, "CodeMeaning").split()) if code is not None else ""


def _name(value: str) -> str:
    """A person name in reading order of its components, given name first."""
    family, *given = (part.strip() for part in value.split("=")[0].split("^"))
    return " ".join(filter(None, (*given[:2], family)))
