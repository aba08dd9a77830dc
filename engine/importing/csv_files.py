"""Reads archives of pictures with a CSV, and CSV files of reports. Knows no archive, no models, no DICOM.

A picture archive is a folder with cases.csv (columns image, text and more, one row a case; rows with the same `case_id`
or `study_uid` are one case) and, for reports without pictures, captions.csv (columns id, text and more).
"""

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from engine.errors import Cancelled, Rejected, UserError, exists
from engine.image.picture import load_picture
from engine.importing.source import FoundCase, FoundPicture, LoadedPicture
from engine.progress import IsCancelled, never

CASES, CAPTIONS = "cases.csv", "captions.csv"
MATCH_COLUMNS = ("study_uid", "accession", "case_id", "image")
NOTHING = {"", "todo", "unknown", "none", "n/a"}
Row = dict[str, str]


def is_picture_archive(folder: Path) -> bool:
    """Whether a folder has the layout of this module."""
    return exists(folder / CASES) or exists(folder / CAPTIONS)


def read_rows(path: Path, needed: tuple[str, ...], cancelled: IsCancelled = never) -> list[tuple[int, Row]]:
    """The rows of a CSV file with a header, each with the line where it begins.

    Values are stripped, keyed by lower-case column names.

    Raises:
        UserError: unreadable, not UTF-8, or a needed column is missing.
        Cancelled: the caller said so, who is asked before every row.
    """
    rows: list[tuple[int, Row]] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = [name.strip().lower() for name in reader.fieldnames or ()]
            missing = [name for name in needed if name not in columns]
            if missing:
                raise UserError(f"{path} has no column '{missing[0]}'; its first line must name the columns.", path)
            for row in reader:
                if cancelled():
                    raise Cancelled
                named = {name.strip().lower(): value or "" for name, value in row.items() if name is not None}
                begins = reader.line_num - sum(value.count("\n") for value in named.values())
                rows.append((begins, {name: value.strip() for name, value in named.items()}))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} cannot be read as a CSV file in UTF-8 ({error}); save it again.", path) from None
    return rows


def read_archive(folder: Path, cancelled: IsCancelled = never) -> Iterator[FoundCase | Rejected]:
    """Every case of a picture archive in the order of its files, or why a row is none."""
    if exists(folder / CASES):
        groups: dict[str, list[Row]] = {}
        for number, row in read_rows(folder / CASES, ("image",), cancelled):
            shared = row.get("study_uid") or row.get("case_id")
            groups.setdefault(f"group {shared}" if shared else f"line {number}", []).append(row)
        for rows in groups.values():
            yield from _picture_case(folder, rows)
    if exists(folder / CAPTIONS):
        yield from read_reports(folder / CAPTIONS, cancelled)


def read_reports(path: Path, cancelled: IsCancelled = never) -> Iterator[FoundCase | Rejected]:
    """Every row of a CSV of reports as a case without pictures; rows without text are refused."""
    for number, case in report_cases(read_rows(path, ("text",), cancelled)):
        yield case if case.text else Rejected(f"{path} line {number}", "It has no text.")


def report_cases(rows: Iterable[tuple[int, Row]]) -> Iterator[tuple[int, FoundCase]]:
    """(line number, case) of each row. What names a row is its id if it has one, and its text."""
    seen: Counter[str] = Counter()
    for number, row in rows:
        name = row.get("id") or next((row[column] for column in MATCH_COLUMNS if row.get(column)), "")
        digest = hashlib.sha256(f"{name}\0{row.get('text', '')}".encode()).hexdigest()
        seen[digest] += 1
        yield number, _case(f"report {digest} {seen[digest]}", f"line {number}", [row])


def _picture_case(folder: Path, rows: list[Row]) -> Iterator[FoundCase | Rejected]:
    pictures, digests = [], []
    for row in rows:
        path = folder / row["image"]
        try:
            if not row["image"] or not path.resolve().is_relative_to(folder.resolve()):
                yield Rejected(str(path), "The row names no image inside of the archive's folder.")
                continue
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except (OSError, ValueError, RuntimeError) as error:  # no such name, or links in a loop
            yield unreadable(path, error)
            continue
        pictures.append(picture_file(path, digest))
        digests.append(digest)
    if not pictures:
        return
    first = rows[0]
    text = next((row["text"] for row in rows if row.get("text")), "")
    key = first.get("study_uid") or "picture " + (first.get("case_id") or hashlib.sha256(text.encode()).hexdigest())
    if not first.get("study_uid"):
        key += " " + " ".join(digests)
    yield _case(key, str(folder / first["image"]), rows, tuple(pictures), text)


def unreadable(path: Path, error: Exception) -> Rejected:
    """Why an image is refused that the system does not give."""
    reason = getattr(error, "strerror", None) or "its name leads to no file"
    return Rejected(str(path), f"The image cannot be read: {reason}.")


def picture_file(path: Path, digest: str) -> FoundPicture:
    """A PNG or JPEG file, named by its content."""

    def load() -> LoadedPicture:
        picture = load_picture(path)
        return LoadedPicture(picture.gray, picture.window)

    return FoundPicture(digest, str(path), load)


def _case(
    key: str, name: str, rows: list[Row], pictures: tuple[FoundPicture, ...] = (), text: str | None = None
) -> FoundCase:
    row = rows[0]
    described = [row.get("description", ""), row.get("view", ""), row.get("finding", "")]
    credit = [row.get(column, "") for column in ("credit", "doi", "url")]
    if row.get("pmc"):
        credit.append(f"PMC figure {row['pmc']}")
    images = tuple(value for one in rows if one.get("image") for value in (one["image"], Path(one["image"]).name))
    names = {column: (row[column],) for column in MATCH_COLUMNS[:3] if row.get(column)} | {"image": images}
    return FoundCase(
        key=key,
        name=name,
        pictures=pictures,
        text=row.get("text", "") if text is None else text,
        modality=row.get("modality", "").upper(),
        sex=_sex(row.get("sex", "")),
        age=_age(row.get("age", "")),
        body_part=row.get("body_part", ""),
        description=", ".join(part for part in described if part.lower() not in NOTHING),
        source="picture archive" if pictures else "reports",
        licence=row.get("licence") or row.get("license", ""),
        attribution="; ".join(part for part in credit if part),
        patient=row.get("patient_id") or None,
        names=names,
        identifiers=tuple(dict.fromkeys(one for own in rows for one in identifiers(own))),
        named_by_pictures=bool(pictures) and not row.get("study_uid"),
    )


def identifiers(row: Row) -> tuple[str, ...]:
    """What in a row says who the patient is, to be removed from the text."""
    return tuple(row[column] for column in ("patient_name", "patient_id", "accession") if row.get(column))


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
