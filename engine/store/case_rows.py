"""Cases as rows of the archive's tables. Knows no archive folder and no hashing: keys arrive hashed.

The inserts run inside a transaction that the caller has open, and seal their rows; the caller seals the facts of a case
after all changes.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.store.case import Case, CaseFacts, NewImage, NewReport, Report, StoredImage
from engine.store.case_facts import add_facts, facts_of_cases, set_words
from engine.store.safety.checksums import seal
from engine.store.shared_sql import Connection, StoredVector, insert, now
from engine.store.thumbnail import Png

COLUMNS = (
    *("modality", "sex", "age", "body_part", "description", "source", "licence", "attribution"),
    *("patient", "created", "study_day"),
)
MAX_AGE = 90
"""Higher ages are stored as 90, since rare ages identify people (HIPAA Safe Harbor, 45 CFR 164.514)."""


def insert_case(db: Connection, case: CaseFacts, key: str, patient: str | None, day: int | None) -> int:
    """Insert a case with its hashed key and patient, its shifted day and its facts, and return the case id."""
    case_id = insert(
        db,
        "cases",
        key=key,
        patient=patient,
        modality=case.modality,
        sex=case.sex,
        age=None if case.age is None else min(case.age, MAX_AGE),
        body_part=case.body_part,
        description=case.description,
        source=case.source,
        licence=case.licence,
        attribution=case.attribution,
        created=now(),
        study_day=day,
    )
    seal(db, "cases", case_id)
    add_facts(db, case_id, case.facts)
    set_words(db, case_id, case.description)
    return case_id


def fill_blanks(db: Connection, case_id: int, case: CaseFacts, patient: str | None, day: int | None) -> None:
    """Write what was not known of a case yet, such as of a report whose study is archived later."""
    age = None if case.age is None else min(case.age, MAX_AGE)
    values = {"modality": case.modality, "sex": case.sex, "age": age, "body_part": case.body_part, "patient": patient}
    for name, value in {**values, "description": case.description, "study_day": day}.items():
        if value not in (None, ""):
            changed = f"UPDATE cases SET {name} = ? WHERE id = ? AND coalesce(CAST({name} AS TEXT), '') = ''"
            db.execute(changed, [value, case_id])
    seal(db, "cases", case_id)


def insert_image(db: Connection, case_id: int, bundle_id: str, key: str, image: NewImage, png: Png) -> None:
    """Insert an image with its hashed key, its pixels and its embedding."""
    center, width = image.window or (None, None)
    image_id = insert(
        db,
        "images",
        case_id=case_id,
        key=key,
        frame=image.frame,
        window_center=center,
        window_width=width,
        height=png.height,
        width=png.width,
        png=png.data,
    )
    seal(db, "images", image_id)
    if image.text_checked:
        db.execute("INSERT INTO text_checked (image_id) VALUES (?)", [image_id])
    _insert_embedding(db, image.embedding, case_id=case_id, bundle_id=bundle_id, kind="image", image_id=image_id)


def insert_report(db: Connection, case_id: int, bundle_id: str, report: NewReport) -> None:
    """Insert the report of a case with its embedding."""
    report_id = insert(
        db,
        "reports",
        case_id=case_id,
        text=report.text,
        state=report.state,
        created=now(),
        machine_share=report.machine_share,
    )
    seal(db, "reports", report_id)
    _insert_embedding(db, report.embedding, case_id=case_id, bundle_id=bundle_id, kind="report", report_id=report_id)
    set_words(db, case_id, report.text)


def _insert_embedding(db: Connection, vector: NDArray[np.floating], **columns: Any) -> None:
    seal(db, "embeddings", insert(db, "embeddings", **columns, vector=StoredVector.of(vector)))


def load_case(read: Callable[..., list[Any]], case_id: int) -> Case | None:
    """Everything known of a case but its pixels; None when there is no such case."""
    rows = read(f"SELECT id, {', '.join(COLUMNS)} FROM cases WHERE id = ?", [case_id])
    if not rows:
        return None
    images = tuple(
        StoredImage(image_id, frame, None if center is None else (center, window_width), height, width)
        for image_id, frame, center, window_width, height, width in read(
            "SELECT id, frame, window_center, window_width, height, width FROM images WHERE case_id = ? ORDER BY id",
            [case_id],
        )
    )
    reports = read("SELECT id, text, state, created, machine_share FROM reports WHERE case_id = ?", [case_id])
    values = dict(zip(("case_id", *COLUMNS), rows[0], strict=True))
    facts = facts_of_cases(read, [case_id]).get(case_id, {})
    return Case(**values, images=images, report=Report(*reports[0]) if reports else None, facts=facts)
