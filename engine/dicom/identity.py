"""Tells patients apart whose images carry one Study Instance UID. Knows no files.

Wrong anonymization and devices that reuse UIDs put two patients into one study. An image must never stand under another
patient's name, so each identity becomes a study of its own, under a UID derived from both (PS3.5 B.2).
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import zip_longest

from engine.dicom.header import Instance
from engine.study import Patient, Study

SHARED_UID = "Study UID shared with another patient"
"""`Study.warning` of such a study."""


def contradict(one: Patient, other: Patient) -> bool:
    """Whether two headers cannot belong to one patient: name, ID, birth date or sex are stated and differ.

    Upper case, accents, punctuation and the leading zeros of an ID are no difference, nor is a component of the name
    (PS3.5 6.2.1) or a group in another script that only one of them has, if the ID is the same.
    """
    if {one.sex, other.sex} == {"M", "F"} or _differ(one.birth_date, other.birth_date):
        return True
    same_id = bool(one.id) and plain(one.id) == plain(other.id)
    same_name = _same_name(one.name, other.name, same_id)
    if same_name is False:
        return True
    if same_name and plain(one.id).lstrip("0") == plain(other.id).lstrip("0"):
        return False
    return not same_id and _differ(one.id, other.id)


def others_of_patient(study: Study, studies: Iterable[Study]) -> list[Study]:
    """The other studies with the same Patient ID whose headers do not contradict; none without an ID."""
    patient = study.patient
    same = (one for one in studies if patient.id and one.uid != study.uid and one.patient.id == patient.id)
    return [one for one in same if not contradict(one.patient, patient)]


def _differ(one: str, other: str) -> bool:
    return bool(plain(one) and plain(other)) and plain(one) != plain(other)


def plain(value: str) -> str:
    """Letters and digits of a value, in lower case and without accents."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", value).casefold()))


def _same_name(one: str, other: str, same_id: bool) -> bool | None:
    """Whether two person names agree; None when one of them is empty."""
    groups = [(_words(a), _words(b)) for a, b in zip_longest(one.split("="), other.split("="), fillvalue="")]
    if not any(a for a, _ in groups) or not any(b for _, b in groups):
        return None
    both = [(a, b) for a, b in groups if a and b]
    if not both:
        return same_id
    return all(a == b or (same_id and (a <= b or b <= a)) for a, b in both)


def _words(group: str) -> frozenset[str]:
    words = group.replace("^", " ").replace("-", " ").split()
    return frozenset(filter(None, map(plain, words)))


def by_identity(found: Sequence[Instance]) -> list[list[Instance]]:
    """The images of one Study Instance UID, one list a patient: one in all but damaged studies.

    Images without any identity, or with one that fits several patients, are kept apart too, unless there is one patient
    only.
    """
    distinct = dict.fromkeys(map(_identity, {one.study.patient: None for one in found}))
    if len(distinct) == 1:
        return [list(found)]
    groups: list[list[Patient]] = []
    for patient in sorted(distinct, key=lambda who: -sum(map(bool, (who.id, who.name, who.birth_date)))):
        fitting = [group for group in groups if not any(contradict(patient, other) for other in group)]
        if len(fitting) == 1:
            fitting[0].append(patient)
        else:
            groups.append([patient])
    owner = {patient: index for index, group in enumerate(groups) for patient in group}
    parts: dict[int, list[Instance]] = {}
    for one in found:
        parts.setdefault(owner[_identity(one.study.patient)], []).append(one)
    return list(parts.values())


def _identity(patient: Patient) -> Patient:
    return replace(patient, age=None)


def apart(study: Study) -> Study:
    """The study under a UID of its own, with a warning."""
    patient = study.patient
    words = "\0".join((study.uid, patient.id, patient.name, patient.birth_date, patient.sex))
    uid = f"2.25.{int.from_bytes(hashlib.sha256(words.encode('utf-8', 'surrogatepass')).digest()[:16], 'big')}"
    return replace(study, uid=uid, stated_uid=study.uid, warning=SHARED_UID)


def apart_from(known: Sequence[Study], study: Study) -> Study:
    """The study as it is, or `apart` when a known one has its UID and another patient."""
    shared = any(other.uid == study.uid and contradict(other.patient, study.patient) for other in known)
    return apart(study) if shared else study


def warned(studies: Sequence[Study]) -> list[Study]:
    """The studies, each with a warning whose UID another one was set apart from."""
    shared = {study.stated_uid for study in studies} - {""}
    return [replace(study, warning=SHARED_UID) if study.uid in shared else study for study in studies]
