"""Finds cases of an archive that may be one case: by their pixels, their picture, or the words of their reports.

Pictures are compared with those of their nearest neighbors among the vectors. Two cases are duplicates when every
picture of the smaller one is in the larger one, since slices of two scans may look the same. Reports with the same
words count for one patient only, and not between two cases with pictures: normal reports are often worded alike.
Changes nothing; engine/store/safety/merging.py joins what a person takes for one.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from engine.archive import Archive
from engine.errors import Cancelled, UserError
from engine.progress import IsCancelled, Progress, ignore, never
from engine.retrieval.nearest import MAY_BE_SAME
from engine.retrieval.same_picture import look
from engine.store.case import Case
from engine.store.safety.merging import different_patients, obstacle
from engine.text.words import words

Reason = Literal["same pixels", "same picture", "same words"]
REASONS: tuple[Reason, ...] = ("same pixels", "same picture", "same words")
PATIENTS = {"same": "one patient", "unknown": "patient unknown", "different": "different patients"}
NEIGHBORS = 24
"""Nearest vectors of each picture that are looked at; some are of its own case."""
PAGE = 1_000
"""Vectors that are read at once."""
KEPT_LOOKS = 20_000
"""Cases whose pictures need not be read again; 4 kB a picture."""
Pair = tuple[int, int]
"""Ids of two cases, ascending."""


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Cases that may be one."""

    cases: tuple[Case, ...]
    """At least two, by their ids."""
    reasons: tuple[Reason, ...]
    by_picture: bool
    """Whether pictures alone connect all of them."""

    @property
    def patients(self) -> Literal["same", "unknown", "different"]:
        """Whether they are of one patient; unknown when that of a case is."""
        if different_patients(self.cases):
            return "different"
        return "unknown" if None in {case.patient for case in self.cases} else "same"

    @property
    def title(self) -> str:
        """Why the cases may be one, and of whom they are."""
        return f"{', '.join(self.reasons).capitalize()}, {PATIENTS[self.patients]}"

    @property
    def obstacle(self) -> str:
        """Why they cannot be merged; "" when they can."""
        unsure = self.patients == "unknown" and not self.by_picture
        why = "their patients are unknown and no picture says that they are the same" if unsure else ""
        return obstacle(self.cases) or why

    def only(self, case_ids: Container[int]) -> "DuplicateGroup":
        """The group with these of its cases."""
        return replace(self, cases=tuple(case for case in self.cases if case.case_id in case_ids))

    @property
    def case_ids(self) -> tuple[int, ...]:
        """Ids of the cases, ascending."""
        return tuple(case.case_id for case in self.cases)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "cases": list(self.case_ids),
            "reasons": list(self.reasons),
            "patients": self.patients,
            "obstacle": self.obstacle,
        }


def find_duplicates(
    archive: Archive, progress: Progress = ignore, cancelled: IsCancelled = never
) -> list[DuplicateGroup]:
    """The groups of near-duplicates, by the lowest id of each.

    Raises:
        Cancelled: `cancelled` returned true.
    """
    links: dict[Pair, Reason] = dict.fromkeys(_same_words(archive), "same words")
    links |= _same_pictures(archive, progress, cancelled)
    by_picture = _connected(pair for pair, reason in links.items() if reason != "same words")
    groups = _connected(links)
    reasons: dict[frozenset[int], set[Reason]] = defaultdict(set)
    for (one, _), reason in links.items():
        reasons[groups[one]].add(reason)
    ordered = sorted(reasons, key=min)
    return [_group(archive, group, reasons[group], by_picture.get(min(group), frozenset())) for group in ordered]


def _group(archive: Archive, group: frozenset[int], found: set[Reason], same_picture: frozenset[int]) -> DuplicateGroup:
    cases = tuple(archive.case(case_id) for case_id in sorted(group))
    return DuplicateGroup(cases, tuple(reason for reason in REASONS if reason in found), same_picture >= group)


def _same_words(archive: Archive) -> Iterator[Pair]:
    """Pairs of one patient, or both of an unknown one, at most one of which has pictures.

    A case with pictures is paired only if it is the only one, since what belongs to which is unknown otherwise.
    """
    reports = defaultdict(list)
    for report in archive.all_reports():
        if said := tuple(words(report.text)):
            reports[said, report.patient].append(report)
    for alike in reports.values():
        plain = [report.case_id for report in alike if not report.has_image]
        pictured = [report.case_id for report in alike if report.has_image]
        ids = sorted(plain + pictured) if len(pictured) == 1 else plain
        yield from ((ids[0], other) for other in ids[1:])


def _same_pictures(archive: Archive, progress: Progress, cancelled: IsCancelled) -> dict[Pair, Reason]:
    @lru_cache(KEPT_LOOKS)
    def looks(case_id: int) -> Any:
        return [look(archive.image(image.image_id)) for image in archive.case(case_id).images]

    def alike(pair: Pair) -> bool:
        try:
            few, many = sorted(map(looks, pair), key=len)
        except UserError:  # a damaged picture is like none; kindred doctor --deep names it
            return False
        return all(any(one.is_like(other) for other in many) for one in few)

    found: dict[Pair, Reason] = {}
    asked: set[Pair] = set()
    for pair in _near_pairs(archive, progress, cancelled):
        if pair not in asked:
            asked.add(pair)
            if alike(pair):
                found[pair] = "same pixels" if _same_pixels(archive, pair) else "same picture"
    return found


def _near_pairs(archive: Archive, progress: Progress, cancelled: IsCancelled) -> Iterator[Pair]:
    rows = archive.index.rows()
    ids, cases = rows.ids[rows.is_image], rows.cases[rows.is_image]
    for start in range(0, len(ids), PAGE):
        vectors = archive.index.vectors(ids[start : start + PAGE])
        if vectors is None:
            raise UserError("The archive has changed meanwhile; search for duplicates again.")
        for own, vector in zip(cases[start : start + PAGE].tolist(), vectors, strict=True):
            if cancelled():
                raise Cancelled
            near = archive.index.nearest(vector, "image", NEIGHBORS)
            for other in dict.fromkeys(near.cases[near.vectors @ vector >= MAY_BE_SAME].tolist()):
                if other != own:
                    yield min(own, other), max(own, other)
        progress(min(start + PAGE, len(ids)), len(ids), "Comparing pictures")


def _same_pixels(archive: Archive, pair: Pair) -> bool:
    few, many = sorted(({_pixels(archive, one) for one in _images(archive, case)} for case in pair), key=len)
    return few <= many


def _images(archive: Archive, case_id: int) -> list[int]:
    return [image.image_id for image in archive.case(case_id).images]


def _pixels(archive: Archive, image_id: int) -> tuple[tuple[int, ...], bytes]:
    image = archive.image(image_id)
    return image.shape, image.tobytes()


def _connected(pairs: Iterable[Pair]) -> dict[int, frozenset[int]]:
    """The group of every case that is in a pair: all that it is connected with, itself included."""
    groups: dict[int, frozenset[int]] = {}
    for pair in pairs:
        joined = frozenset(pair).union(*(groups.get(one, ()) for one in pair))
        groups |= dict.fromkeys(joined, joined)
    return groups
