"""Reads reports from HL7 v2 files of ORU^R01 messages. Knows no archive.

One report an order (OBR) with the lines of its observations (OBX of types that are text). What is not final is
rejected, since a later message replaces it. HL7 v2.5.1, chapters 2 and 7.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from engine.errors import Rejected, UserError
from engine.importing.found_report import FoundReport, report_case
from engine.importing.source import FoundCase

MAX_BYTES, MAX_MESSAGES = 16 << 20, 100_000
FINAL = frozenset(("", "F", "C", "A"))
"""Result Status (OBR-25, table 0123) of reports that are final or corrected; "" says nothing."""
_TEXT = frozenset(("TX", "FT", "ST", "CE", "CWE", "NM", "SN"))
_STUDY = frozenset(("113014", "110180"))
"""Codes of observations whose value is a Study Instance UID."""
_PEOPLE = {"PID": (5, 6, 9), "NK1": (2, 30), "ORC": (10, 11, 12, 19)}
"""Fields that name somebody: the patient, also before marriage and otherwise, mother, relatives, who ordered."""
_UID = re.compile(r"[0-9]+(\.[0-9]+){3,}")
_ESCAPE = re.compile(r"\\([^\\]*)\\")


def looks_like_hl7(head: bytes) -> bool:
    """Whether a file begins as HL7 v2: a message, a batch or a file of batches."""
    return head.lstrip(b"\xef\xbb\xbf\x0b \r\n")[:4] in (b"MSH|", b"FHS|", b"BHS|")


def read_hl7(path: Path) -> Iterator[FoundCase | Rejected]:
    """Every report of a file, and each message or order that holds none with its reason.

    Raises:
        UserError: the file cannot be read, or is too large.
    """
    for number, segments in enumerate(_messages(_text(path)), 1):
        if number > MAX_MESSAGES:
            raise UserError(f"{path} has more than {MAX_MESSAGES:,} messages; split it.", path)
        name = f"{path} message {number}"
        message = _Message(segments)
        if not message.value("MSH", 9).startswith("ORU"):
            yield Rejected(name, "This HL7 message is not a report (ORU).")
            continue
        yield from (report_case(one) if isinstance(one, FoundReport) else one for one in _reports(message, name))


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path} is larger than {MAX_BYTES >> 20} MB; split it.", path)
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.", path) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _messages(text: str) -> Iterator[list[str]]:
    """The segments of each message, whatever ends a line."""
    segments: list[str] = []
    for line in re.split(r"[\r\n]+", text):
        segment = line.strip("\x0b\x1c \t")
        if segment.startswith("MSH"):
            if segments:
                yield segments
            segments = [segment]
        elif segments and segment and segment[:3] not in ("BTS", "FTS", "BHS"):
            segments.append(segment)
    if segments:
        yield segments


class _Message:
    """The fields of a message, by segment; field 1 of MSH is the separator itself."""

    def __init__(self, segments: list[str]) -> None:
        self.field = segments[0][3:4] or "|"
        marks = [*segments[0].split(self.field), ""][1]
        self.component, self.repetition = marks[:1] or "^", marks[1:2] or "~"
        self._marks = {"F": self.field, "S": self.component, "T": marks[3:4] or "&", "R": self.repetition, "E": "\\"}
        self.segments = [segment.split(self.field) for segment in segments]
        self.segments[0].insert(1, self.field)

    def value(self, name: str, number: int, segments: list[list[str]] | None = None) -> str:
        """A field of the first segment of a name, as it stands there; "" when it is absent."""
        for segment in self.segments if segments is None else segments:
            if segment[0] == name:
                return segment[number] if number < len(segment) else ""
        return ""

    def first(self, value: str) -> str:
        """The first component of the first repetition, unescaped."""
        return self.unescaped(value.split(self.repetition)[0].split(self.component)[0]).strip()

    def names(self, value: str) -> list[str]:
        """The names in all repetitions, as DICOM writes them."""
        found = []
        for one in value.split(self.repetition):
            spread = one.replace(self._marks["T"], self.component)  # OBR-32 to 35 have a name in subcomponents
            parts = [self.unescaped(part).strip() for part in spread.split(self.component)]
            words = [part for part in parts[:4] if part and not part.isdigit()]
            found.append("^".join(words))
        return [one for one in found if one]

    def unescaped(self, value: str) -> str:
        """Escape sequences resolved; those for highlighting are dropped."""

        def replaced(found: re.Match[str]) -> str:
            what = found[1]
            if what in self._marks:
                return self._marks[what]
            if what.startswith(".br") or what.startswith(".sp"):
                return "\n"
            if what.startswith("X"):
                try:
                    return bytes.fromhex(what[1:]).decode("utf-8", "replace").replace("\r", "\n")
                except ValueError:
                    return ""
            return ""

        return _ESCAPE.sub(replaced, value) if "\\" in value else value


def _reports(message: _Message, name: str) -> Iterator[FoundReport | Rejected]:
    """One a order, with the segments of the patient before it: a message may hold several patients."""
    head: list[list[str]] = []
    orders: list[tuple[list[list[str]], list[list[str]]]] = []
    for segment in message.segments:
        if segment[0] == "PID":
            head = [segment]
        elif segment[0] == "OBR":
            orders.append((head, [segment]))
        elif orders and orders[-1][0] is head:
            orders[-1][1].append(segment)
        else:
            head.append(segment)
    if not orders:
        yield Rejected(name, "This HL7 message has no order (OBR).")
    for number, (about, order) in enumerate(orders, 1):
        yield _report(message, about, order, name if len(orders) == 1 else f"{name} order {number}")


def _report(message: _Message, head: list[list[str]], order: list[list[str]], name: str) -> FoundReport | Rejected:
    status = message.value("OBR", 25, order).strip().upper()
    if status not in FINAL:
        return Rejected(name, f"This report is not final (result status {status}).")
    lines, uids = [], []
    for segment in order:
        if segment[0] == "ZDS" and len(segment) > 1:
            uids.append(message.first(segment[1]))
        if segment[0] != "OBX" or len(segment) < 6:
            continue
        code, value = message.first(segment[3]), message.unescaped(segment[5].replace(message.repetition, "\n"))
        if code in _STUDY or "study instance uid" in segment[3].lower():
            uids += [found[0] for found in [_UID.search(value)] if found]
        elif segment[2] in _TEXT:
            coded = segment[2] in ("CE", "CWE") and message.component in value
            lines.append(value.split(message.component)[1] if coded else value)
    fields = [message.value("OBR", number, order) for number in (18, 3, 2)]
    fields.append(message.value("IPC", 1, [*head, *order]))
    uids.append(message.first(message.value("IPC", 3, [*head, *order])))
    what = message.value("OBR", 4, order)
    people = [message.value("PV1", number, head) for number in (7, 8, 9, 17)]
    people += [message.value("OBR", number, order) for number in (10, 16, 28, 32, 33, 34, 35)]
    people += [segment[at] for segment in (*head, *order) for at in _PEOPLE.get(segment[0], ()) if at < len(segment)]
    return FoundReport(
        name,
        "\n".join(lines),
        tuple(uid for uid in uids if _UID.fullmatch(uid)),
        tuple(dict.fromkeys(filter(None, map(message.first, fields)))),
        message.first(message.value("PID", 3, head)),
        message.first(message.value("OBR", 7, order)),
        message.first(message.value("PID", 8, head)).upper()[:1],
        description=message.unescaped((what + message.component).split(message.component)[1]).strip(),
        identifiers=tuple(one for value in people for one in message.names(value)),
    )
