"""Finds the case that a report, or the images of a study, belong to, whichever came first. Knows no file format.

They are one case by the surest of: Study Instance UID, Accession Number, Patient ID with Study Date. What contradicts
that (another patient, UID, accession number; on a visit, another modality) keeps them apart, and so do two texts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from engine.archive import Archive
from engine.errors import Rejected
from engine.importing.source import FoundCase
from engine.store.case import Case
from engine.store.safety.join_keys import ROLES, Join
from engine.text.deidentify import clean

BY = {"study": "Study Instance UID", "accession": "Accession Number", "visit": "Patient ID and Study Date"}
"""Roles in words."""


@dataclass(frozen=True, slots=True)
class Side:
    """What is compared of a case that was found, or of one that is archived."""

    joins: frozenset[Join]
    """Hashed, if there is an archive."""
    patient: str | None
    """Likewise."""
    sex: str
    modality: str
    has_image: bool
    text: str
    """De-identified; "" without a report."""

    @classmethod
    def of_found(cls, found: FoundCase, archive: Archive | None) -> Self:
        """Of a case that is imported; `archive` is the one whose hashes it is compared by."""
        hashed: Callable[[Join], Join] = archive.identity.join if archive else lambda join: join
        patient = archive.identity.patient(found.patient) if archive else found.patient
        text = clean(found.text, found.identifiers).text if found.text else ""
        return cls(
            frozenset(map(hashed, found.joins)), patient, found.sex, found.modality, bool(found.images), text.strip()
        )

    @classmethod
    def of_archived(cls, case: Case, joins: frozenset[Join]) -> Self:
        """Of an archived case."""
        text = case.report.text.strip() if case.report else ""
        return cls(joins, case.patient, case.sex, case.modality, bool(case.images), text)


def joined_by(one: Side, other: Side) -> str:
    """The role by which two are one case; "" when nothing says so, or something says that they are not."""
    if one.has_image and other.has_image:
        return ""
    if not (one.has_image or other.has_image) and one.text != other.text:
        return ""
    if None not in (one.patient, other.patient) and one.patient != other.patient:
        return ""
    if {one.sex, other.sex} == {"M", "F"}:
        return ""
    for role in ROLES:
        own, its = _values(one, role), _values(other, role)
        if own & its:
            apart = role == "visit" and "" not in (one.modality, other.modality) and one.modality != other.modality
            return "" if apart else role
        if own and its:
            return ""
    return ""


def _values(side: Side, role: str) -> frozenset[str]:
    return frozenset(value for its, value in side.joins if its == role)


def archived_matches(archive: Archive, found: FoundCase) -> dict[int, str]:
    """The archived cases that a found one belongs to, by the surest role that finds any, each with that role."""
    if not found.joins:
        return {}
    own = Side.of_found(found, archive)
    roles: dict[int, str] = {}
    for case_id in archive.cases_joined_by(found.joins):
        joins = archive.joins(case_id) | _own_key(archive, case_id, found)
        roles[case_id] = joined_by(own, Side.of_archived(archive.case(case_id), joins))
    return surest(roles)


def _own_key(archive: Archive, case_id: int, found: FoundCase) -> frozenset[Join]:
    """The Study Instance UID of a found case, as a join of an archived one that has it as its key."""
    same = (join for join in found.joins if join[0] == "study" and archive.find_case(join[1]) == case_id)
    return frozenset(map(archive.identity.join, same))


def surest(roles: dict[int, str]) -> dict[int, str]:
    """Those with the surest role among them."""
    for role in ROLES:
        found = {key: one for key, one in roles.items() if one == role}
        if found:
            return found
    return {}


def studies_by_join(items: Sequence[FoundCase | Rejected]) -> dict[Join, list[FoundCase]]:
    """The cases with images among some, by what they are joined by."""
    studies: dict[Join, list[FoundCase]] = {}
    for one in items:
        if isinstance(one, FoundCase) and one.images:
            for join in one.joins:
                studies.setdefault(join, []).append(one)
    return studies


def matches_beside(report: FoundCase, studies: dict[Join, list[FoundCase]]) -> list[tuple[FoundCase, str]]:
    """The studies of the same import that a report belongs to, by the surest role that finds any, and that role."""
    near = {study.key: study for join in report.joins for study in studies.get(join, ())}
    own = Side.of_found(report, None)
    keys = list(near)
    roles = surest({n: joined_by(own, Side.of_found(near[key], None)) for n, key in enumerate(keys)})
    return [(near[keys[n]], role) for n, role in roles.items()]


def with_names_of_studies(items: Sequence[FoundCase | Rejected]) -> list[FoundCase | Rejected]:
    """Each report that belongs to a study beside it is cleaned of what the header of that study names too."""
    studies = studies_by_join(items)

    def named(report: FoundCase) -> FoundCase:
        names = [name for study, _ in matches_beside(report, studies) for name in study.identifiers]
        return replace(report, identifiers=tuple(dict.fromkeys((*report.identifiers, *names)))) if names else report

    return [named(one) if isinstance(one, FoundCase) and not one.images and one.joins else one for one in items]
