"""Remembers whose study a Study Instance UID was, so that another patient's study with it gets no report of that one.

What is open at once, the listing and the list of studies tell apart; this is for what is opened on different days. The
workspace keeps hashes of the words of name, ID and birth date, salted with the UID: enough to compare. They hide no
name from whoever has the file and tries names. The same images under a corrected name stay one study. Knows no screen.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.dicom.identity import SHARED_UID, apart, contradict, plain
from engine.dicom.listing import Listing, open_path
from engine.errors import UserError
from engine.progress import IsCancelled, Progress
from engine.reports.workspace import Workspace
from engine.store.safety.json_file import parse_json
from engine.store.shared_sql import Connection
from engine.study import Patient, Study

log = logging.getLogger(__name__)

MOST_IMAGES = 64
"""Images by which a study is recognized: those whose hashes are the lowest, which parts of it mostly share."""

SHARED, NOBODYS = 1, 2
"""Another patient had the UID later; several had it when it was first seen, so that each is set apart."""
_Stored = tuple[Patient, frozenset[str], int]
"""Patient, hashes of images, and 0, SHARED or NOBODYS."""


def open_told_apart(
    folder: Path | None,
    paths: Sequence[Path],
    progress: Progress,
    cancelled: IsCancelled,
    found: Callable[[Listing], None],
) -> Listing:
    """List studies as `open_path` does, told apart from those that the workspace in `folder` knows."""

    def apart_of(listing: Listing) -> Listing:
        return replace(listing, studies=tuple(tell_apart(folder, listing.studies)))

    return apart_of(open_path(paths, progress, cancelled, lambda listing: found(apart_of(listing))))


def tell_apart(folder: Path | None, studies: Sequence[Study]) -> list[Study]:
    """The studies as they are, or `apart` where the workspace knows the UID from another patient.

    Args:
        folder: of the workspace; None for the user's data folder. If it cannot be used, nothing is known.
        studies: freshly listed; those known for the first time are remembered.
    """
    try:
        with Workspace.open(folder) as workspace, workspace.writing() as db:
            return [_told_apart(db, study) for study in studies]
    except UserError as error:
        log.warning("Whose studies were opened before is not known: %s", error)
        return list(studies)


def _told_apart(db: Connection, study: Study) -> Study:
    uid = study.stated_uid or study.uid
    if not uid:
        return study
    own, images = pseudonym(study.patient, uid), _images(study)
    stored = _stored(db, uid)
    if study.stated_uid:
        return _owned(db, study, own, stored)
    if stored is None:
        if own.name or own.id or own.birth_date:
            _remember(db, uid, own, images)
        return study
    known, seen, shared = stored
    if shared == NOBODYS:
        return apart(study)
    if contradict(known, own):
        if not seen & images:
            _share(db, uid, SHARED)
            return apart(study)
        _remember(db, uid, own, images)
    elif not images <= seen and len(seen) < MOST_IMAGES:
        _remember(db, uid, known, seen | images)
    return replace(study, warning=SHARED_UID) if shared else study


def _owned(db: Connection, study: Study, own: Patient, stored: _Stored | None) -> Study:
    """A study that was listed beside another patient's: under the UID of its files if it had that before."""
    if stored is None:
        _remember(db, study.stated_uid, Patient(), ())
        _share(db, study.stated_uid, NOBODYS)
        return study
    known, _, shared = stored
    if shared == NOBODYS:
        return study
    _share(db, study.stated_uid, SHARED)
    same = bool(own.name or own.id) and not contradict(known, own)
    return replace(study, uid=study.stated_uid, stated_uid="") if same else study


def _share(db: Connection, uid: str, shared: int) -> None:
    db.execute("UPDATE patients SET shared = ? WHERE study_uid = ?", [shared, uid])


def _stored(db: Connection, uid: str) -> _Stored | None:
    """What is known of a UID; None when it is unknown, or the row is damaged."""
    row = db.execute("SELECT patient, images, shared FROM patients WHERE study_uid = ?", [uid]).fetchone()
    if row is None:
        return None
    try:
        patient = {str(name): str(value) for name, value in parse_json(row[0]).items()}
        return Patient(**patient), frozenset(map(str, parse_json(row[1]))), int(row[2])  # type: ignore[arg-type]
    except (AttributeError, TypeError, ValueError):
        return None


def _remember(db: Connection, uid: str, patient: Patient, images: Iterable[str]) -> None:
    stored: dict[str, Any] = {name: getattr(patient, name) for name in ("name", "id", "birth_date", "sex")}
    db.execute(
        """INSERT INTO patients (study_uid, patient, images) VALUES (?, ?, ?) ON CONFLICT (study_uid)
        DO UPDATE SET patient = excluded.patient, images = excluded.images""",
        [uid, json.dumps(stored), json.dumps(sorted(images)[:MOST_IMAGES])],
    )


def pseudonym(patient: Patient, salt: str) -> Patient:
    """A patient whose words are hashes, and whom `contradict` tells from others all the same."""

    def hashed(word: str) -> str:
        return hashlib.sha256(f"{salt}\0{word}".encode("utf-8", "surrogatepass")).hexdigest()[:24] if word else ""

    groups = [group.replace("^", " ").replace("-", " ").split() for group in patient.name.split("=")]
    names = ["^".join(filter(None, (hashed(plain(word)) for word in words))) for words in groups]
    number = plain(patient.id)
    return Patient(
        "=".join(names), hashed(number.lstrip("0") or number), hashed(plain(patient.birth_date)), patient.sex
    )


def _images(study: Study) -> frozenset[str]:
    uids = {frame.image.sop_uid for frame in study.frames()} - {""}
    hashes = sorted(hashlib.sha256(uid.encode("utf-8", "surrogatepass")).hexdigest()[:16] for uid in uids)
    return frozenset(hashes[:MOST_IMAGES])
