"""Joins cases that are one case in truth. Knows neither pictures nor models, and not why they are taken for one.

Nothing that somebody made is lost: every picture stays, but one whose stored pixels another one has; of the reports
that one stays which has every sentence of the others. Reports that differ are not joined, since a text that nobody
wrote would be a report then, and a signed one is final: such cases stay apart until a person has deleted one.
"""

import unicodedata
from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.store.case import Case, Report
from engine.store.case_facts import add_facts, confirm_facts, set_words
from engine.store.case_rows import load_case
from engine.store.database import Database
from engine.store.folder.sources import FILE as SOURCES
from engine.store.folder.sources import SourceLinks
from engine.store.safety.checksums import is_sealed, seal
from engine.store.safety.join_keys import move_join_keys
from engine.store.safety.name_keys import move_name_keys
from engine.store.shared_sql import Connection, insert, now, put
from engine.text.sentences import sentences

JOINED = ("description", "licence", "attribution")
"""Columns whose values are listed where they differ; of the others the first one known stays."""
FILLED = ("modality", "sex", "age", "body_part", "source", "patient", "study_day")
AGES = 1
"""Years by which the ages of one patient may differ, as around a birthday."""


def different_patients(cases: Sequence[Case]) -> str:
    """What says that cases are not of one patient; "" when nothing does."""
    ages = [case.age for case in cases if case.age is not None]
    if len({case.patient for case in cases} - {None}) > 1:
        return "their patients differ"
    if {"M", "F"} <= {case.sex for case in cases}:
        return "the sexes of their patients differ"
    return "the ages of their patients differ" if ages and max(ages) - min(ages) > AGES else ""


def obstacle(cases: Sequence[Case]) -> str:
    """Why cases cannot be one; "" when nothing speaks against it."""
    reports = [case.report for case in cases if case.report]
    differ = bool(reports) and fullest(reports) is None
    return different_patients(cases) or ("their reports differ" if differ else "")


def fullest(reports: Sequence[Report]) -> Report | None:
    """The report that has every sentence of the others; None when none has, or when a signed one would be dropped.

    Upper case and spaces do not count. Of equal ones a signed one stays, and the one with more machine wording.
    """
    said = {report.report_id: _sentences(report.text) for report in reports}
    best = max(reports, key=lambda one: (len(said[one.report_id]), one.state == "signed", one.machine_share))
    dropped_signature = best.state != "signed" and any(report.state == "signed" for report in reports)
    complete = all(own <= said[best.report_id] for own in said.values())
    return best if complete and not dropped_signature else None


def _sentences(text: str) -> frozenset[str]:
    plain = unicodedata.normalize("NFC", text).casefold()
    return frozenset(sentences(plain))


def merge_cases(database: Database, case_ids: Sequence[int]) -> list[int]:
    """Join cases in one transaction, and return their ids, that of the joined one first.

    Raises:
        UserError: as `Archive.merge`.
    """
    ids = sorted(set(case_ids))
    with database.write(flushed=True) as db:
        cases = [_loaded(database, case_id) for case_id in ids]
        if len(cases) < 2:
            raise UserError("Merging needs at least two cases.")
        if why := obstacle(cases):
            raise UserError(f"Cases {_listed(ids)} cannot be merged: {why}.")
        _require_intact(db, ids)
        kept, *others = cases
        reports = [case.report for case in cases if case.report]
        report = fullest(reports) if reports else None
        for other in others:
            _move_images(db, other.case_id, kept.case_id)
            _move_facts(db, other, kept)
        _keep_report(db, cases, report)
        for other in others:
            _move_embeddings(db, other.case_id, kept.case_id)
            key = db.execute("SELECT key FROM cases WHERE id = ?", [other.case_id]).fetchone()[0]
            remember_key(db, key, kept.case_id)
            _move_keys(db, other.case_id, kept.case_id)
            move_join_keys(db, other.case_id, kept.case_id)
            move_name_keys(db, other.case_id, kept.case_id)
            db.execute("DELETE FROM cases WHERE id = ?", [other.case_id])
        _update(db, cases, report)
        plural = "case" if len(others) == 1 else "cases"
        detail = f"with {plural} {_listed(ids[1:])}"
        seal(db, "audit", insert(db, "audit", at=now(), action="cases merged", case_id=kept.case_id, detail=detail))
    return ids


def keep_one_source(folder: Path, kept: int, others: Collection[int]) -> None:
    """Keep one of the local paths of merged cases, if any was kept."""
    if not (folder / SOURCES).exists():
        return
    with closing(SourceLinks(folder)) as links:
        paths = [path for path in map(links.path, (kept, *others)) if path is not None]
        if paths:
            links.remember(kept, paths[0])
        links.forget(list(others))


def _loaded(database: Database, case_id: int) -> Case:
    case = load_case(database.read, case_id)
    if case is None:
        raise UserError(f"The archive has no case {case_id}.")
    return case


def _listed(ids: Sequence[int]) -> str:
    return ", ".join(map(str, ids))


def _require_intact(db: Connection, ids: Sequence[int]) -> None:
    """Raise UserError for a row that is not as it was archived: sealing it again would hide that."""
    for case_id in ids:
        rows: list[tuple[str, Any]] = [("cases", case_id), ("facts", case_id)]
        for table, key in (("images", "id"), ("reports", "id"), ("embeddings", "id"), ("merged_keys", "key")):
            rows += [(table, *row) for row in db.execute(f"SELECT {key} FROM {table} WHERE case_id = ?", [case_id])]
        if not all(is_sealed(db, table, key) for table, key in rows):
            raise UserError(f"Case {case_id} of the archive is damaged; restore the archive from its backup.")


def _move_images(db: Connection, other: int, kept: int) -> None:
    """Move the images of a case; one whose pixels the kept case has is dropped, and its key remembered."""
    columns = "SELECT id, key, png, window_center, window_width FROM images WHERE case_id = ?"
    present: dict[bytes, list[tuple[float, float] | None]] = {}
    for _, _, png, *window in db.execute(columns, [kept]):
        present.setdefault(png, []).append(_window(window))
    for image_id, key, png, *stored in db.execute(columns, [other]).fetchall():
        window, known = _window(stored), present.get(png, [])
        if known and (window is None or window in known):
            db.execute("DELETE FROM images WHERE id = ?", [image_id])
            remember_key(db, key, kept)
            continue
        db.execute("UPDATE images SET case_id = ? WHERE id = ?", [kept, image_id])
        seal(db, "images", image_id)
        present.setdefault(png, []).append(window)


def _window(values: Sequence[float | None]) -> tuple[float, float] | None:
    center, width = values
    return None if center is None or width is None else (center, width)


def _move_facts(db: Connection, other: Case, kept: Case) -> None:
    """As of a case that is completed by an import (`Archive.add_case`); words say theirs at the end."""
    facts = {kind: fact for kind, fact in other.facts.items() if fact.source != "words"}
    (confirm_facts if other.images and kept.images else add_facts)(db, kept.case_id, facts)


def _keep_report(db: Connection, cases: Sequence[Case], report: Report | None) -> None:
    """Drop all reports but one, and move that to the first case. Its row stays, and so does its full-text entry."""
    for case in cases:
        if case.report is not None and report is not None and case.report.report_id != report.report_id:
            db.execute("DELETE FROM reports WHERE id = ?", [case.report.report_id])
    if report is not None:
        db.execute("UPDATE reports SET case_id = ? WHERE id = ?", [cases[0].case_id, report.report_id])
        seal(db, "reports", report.report_id)


def _move_embeddings(db: Connection, other: int, kept: int) -> None:
    """Move embeddings under new ids, which tells the vector index that its rows have changed (VectorIndex.Rows)."""
    db.execute("UPDATE new_embeddings SET case_id = ? WHERE case_id = ?", [kept, other])
    columns = "kind, image_id, report_id, bundle_id, vector"
    for row in db.execute(f"SELECT {columns} FROM embeddings WHERE case_id = ? ORDER BY id", [other]).fetchall():
        values = dict(zip(columns.split(", "), row, strict=True))
        seal(db, "embeddings", insert(db, "embeddings", case_id=kept, **values))
    db.execute("DELETE FROM embeddings WHERE case_id = ?", [other])


def remember_key(db: Connection, key: str, case_id: int) -> None:
    """Recognize a case by another hashed key too, inside a transaction that the caller has open."""
    put(db, "merged_keys", ("key",), key=key, case_id=case_id)
    seal(db, "merged_keys", key)


def _move_keys(db: Connection, other: int, kept: int) -> None:
    for (key,) in db.execute("SELECT key FROM merged_keys WHERE case_id = ?", [other]).fetchall():
        remember_key(db, key, kept)


def _update(db: Connection, cases: Sequence[Case], report: Report | None) -> None:
    """Write what is known of all cases into the first one."""
    values: dict[str, Any] = {}
    for name in FILLED:
        values[name] = next((getattr(case, name) for case in cases if getattr(case, name) not in (None, "")), None)
    for name in JOINED:
        values[name] = "; ".join(dict.fromkeys(getattr(case, name) for case in cases if getattr(case, name)))
    for name in ("modality", "sex", "body_part", "source"):
        values[name] = values[name] or ""
    changes = ", ".join(f"{name} = ?" for name in values)
    kept = cases[0].case_id
    db.execute(f"UPDATE cases SET {changes} WHERE id = ?", [*values.values(), kept])
    seal(db, "cases", kept)
    set_words(db, kept, report.text if report else values["description"])
    seal(db, "facts", kept)
