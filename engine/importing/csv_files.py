"""Reads image folders described by a CSV, and CSV files of reports. Knows no archive, no models and no DICOM.

An image folder has a cases.csv (columns image, text and more; one row per image, and rows with the same `case_id` or
`study_uid` are one case) and, for reports without images, a captions.csv (columns id, text and more).
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from engine.errors import Rejected, UserError, exists
from engine.facts.fact import Facts, agreed
from engine.facts.from_header import facts_of_columns
from engine.image.picture import load_picture
from engine.importing.csv_rows import ImportRow, read_rows
from engine.importing.source import FoundCase, FoundImage, LoadedPicture, joins_for
from engine.progress import IsCancelled, never
from engine.text.known_names import institution

CASES, CAPTIONS = "cases.csv", "captions.csv"
MATCH_COLUMNS = ("study_uid", "accession", "case_id", "image")
DATES = ("study_date", "date")
IMAGE_FOLDER, REPORTS = "picture archive", "reports"
"""Kinds of source as archives store them; the first keeps its old spelling, which existing archives have."""
INSTITUTION = frozenset(("institution", "hospital", "department"))
NAMED = INSTITUTION | frozenset(
    ("accession", "physician", "doctor", "radiologist", "referrer", "referring", "operator", "surname")
)
"""Words of the names of columns whose values are removed from the text."""
OF_NAMES = frozenset(
    (
        *("name", "names", "first", "last", "given", "family", "full", "title", "initials", "of", "the", "s"),
        *("id", "ids", "no", "nr", "num", "number", "code", "record", "address"),
    )
)
"""What else may stand in such a name after those words: "hospital_course" and "radiologist_comment" are texts."""
PATIENT = frozenset(
    (
        *("patient", "patients", "patientname", "patientid", "mrn", "name", "names", "lastname", "firstname"),
        *("vorname", "nachname", "familienname", "geburtsname", "patientenname"),
    )
)
"""Words of the names of columns of the patient, with nothing but words of names before and after them."""
OF_PATIENT = PATIENT | OF_NAMES | {"middle", "maiden", "birth", "other"}
UNKNOWN = {"", "todo", "unknown", "none", "n/a"}


def is_image_folder(folder: Path) -> bool:
    """Whether a folder has the layout of this module."""
    return exists(folder / CASES) or exists(folder / CAPTIONS)


def read_image_folder(folder: Path, cancelled: IsCancelled = never) -> Iterator[FoundCase | Rejected]:
    """Every case of an image folder in the order of its CSV files, and each rejected row with its reason."""
    if exists(folder / CASES):
        groups: dict[str, list[ImportRow]] = {}
        table = read_rows(folder / CASES, ("image",), cancelled)
        yield from table.rejected
        for number, row in table.rows:
            shared = row.get("study_uid") or row.get("case_id")
            groups.setdefault(f"group {shared}" if shared else f"line {number}", []).append(row)
        for rows in groups.values():
            yield from _image_case(folder, rows)
    if exists(folder / CAPTIONS):
        yield from read_reports(folder / CAPTIONS, cancelled)


def read_reports(path: Path, cancelled: IsCancelled = never) -> Iterator[FoundCase | Rejected]:
    """Every row of a CSV of reports as a case without images; rows without text are rejected."""
    table = read_rows(path, ("text",), cancelled)
    yield from table.rejected
    for number, case in report_cases(table.rows):
        yield case if case.text else Rejected(f"{path} line {number}", "The row has no text.")


def report_cases(rows: Iterable[tuple[int, ImportRow]]) -> Iterator[tuple[int, FoundCase]]:
    """(line number, case) of each row. The key of a row is a hash of its id, if it has one, and its text."""
    seen: Counter[str] = Counter()
    for number, row in rows:
        name = row.get("id") or next((row[column] for column in MATCH_COLUMNS if row.get(column)), "")
        digest = hashlib.sha256(f"{name}\0{row.get('text', '')}".encode()).hexdigest()
        seen[digest] += 1
        yield number, _case(f"report {digest} {seen[digest]}", f"line {number}", [row])


def _image_case(folder: Path, rows: list[ImportRow]) -> Iterator[FoundCase | Rejected]:
    images, digests = [], []
    for row in rows:
        path = folder / row["image"]
        try:
            if not row["image"] or not path.resolve().is_relative_to(folder.resolve()):
                yield Rejected(str(path), "The row does not name an image inside the folder.")
                continue
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except (OSError, ValueError, RuntimeError) as error:  # an invalid name, or a loop of links
            yield unreadable(path, error)
            continue
        images.append(image_file(path, digest))
        digests.append(digest)
    if not images:
        return
    first = rows[0]
    text = next((row["text"] for row in rows if row.get("text")), "")
    key = first.get("study_uid") or "picture " + (first.get("case_id") or hashlib.sha256(text.encode()).hexdigest())
    if not first.get("study_uid"):
        key += " " + " ".join(digests)
    yield _case(key, str(folder / first["image"]), rows, tuple(images), text)


def unreadable(path: Path, error: Exception) -> Rejected:
    """The rejection of an image file that cannot be read."""
    reason = getattr(error, "strerror", None) or "not a valid file name"
    return Rejected(str(path), f"The image cannot be read: {reason}.")


def image_file(path: Path, digest: str) -> FoundImage:
    """A PNG or JPEG file; its key is the hash of its content."""

    def load() -> LoadedPicture:
        try:
            picture = load_picture(path)
        except UserError as error:  # the list of rejected files names the path already
            raise UserError(str(error).removeprefix(f"{path.name}: "), error.other) from error
        return LoadedPicture(picture.gray, picture.window)

    return FoundImage(digest, str(path), load)


def _case(
    key: str, name: str, rows: list[ImportRow], images: tuple[FoundImage, ...] = (), text: str | None = None
) -> FoundCase:
    row = rows[0]
    described = [row.get("description", ""), row.get("view", ""), row.get("finding", "")]
    credit = [row.get(column, "") for column in ("credit", "doi", "url")]
    if row.get("pmc"):
        credit.append(f"PMC figure {row['pmc']}")
    files = tuple(value for one in rows if one.get("image") for value in (one["image"], Path(one["image"]).name))
    match_values = {column: (row[column],) for column in MATCH_COLUMNS[:3] if row.get(column)} | {"image": files}
    return FoundCase(
        key=key,
        name=name,
        images=images,
        text=row.get("text", "") if text is None else text,
        modality=row.get("modality", "").upper(),
        sex=_sex(row.get("sex", "")),
        age=_age(row.get("age", "")),
        body_part=row.get("body_part", ""),
        description=", ".join(part for part in described if part.lower() not in UNKNOWN),
        source=IMAGE_FOLDER if images else REPORTS,
        licence=row.get("licence") or row.get("license", ""),
        attribution="; ".join(part for part in credit if part),
        patient=row.get("patient_id") or None,
        date=_date(row),
        match_values=match_values,
        identifiers=tuple(dict.fromkeys(one for own in rows for one in identifiers(own))),
        facts=agreed(map(_facts, rows), marked=True),
        keyed_by_content=bool(images) and not row.get("study_uid"),
        joins=joins_of(row),
    )


def joins_of(row: ImportRow) -> tuple[tuple[str, str], ...]:
    """What a row is joined by to a study that is archived before or after it."""
    return joins_for((row.get("study_uid", ""),), (row.get("accession", ""),), row.get("patient_id"), _date(row))


def _date(row: ImportRow) -> str:
    return next((row[column] for column in DATES if row.get(column)), "")


def _facts(row: ImportRow) -> Facts:
    return facts_of_columns(*(row.get(column, "") for column in ("modality", "view", "location", "body_part")))


def identifiers(row: ImportRow) -> tuple[str, ...]:
    """The values of a row that identify the patient, to be removed from the text."""
    found = []
    for column, value in row.items():
        words = [word for word in re.split(r"[\W\d_]+", column) if word]
        named = [index for index, word in enumerate(words) if word.removesuffix("s") in NAMED]
        of_patient = not PATIENT.isdisjoint(words) and OF_PATIENT.issuperset(words)
        if value and (of_patient or (named and OF_NAMES.issuperset(words[named[-1] + 1 :]))):
            is_place = bool(named) and words[named[-1]].removesuffix("s") in INSTITUTION
            found.append(institution(value) if is_place else value)
    return tuple(found)


def _sex(value: str) -> str:
    letter = value[:1].upper()
    return letter if letter in ("M", "F", "O") else ""


def _age(value: str) -> int | None:
    """Years from "44", "44.0" or "044Y"; None for anything else."""
    number = value.strip().rstrip("Yy")
    try:
        years = int(float(number))
    except (ValueError, OverflowError):
        return None
    return years if 0 <= years < 150 else None
