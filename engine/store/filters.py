"""Which cases a search may find, as a value and as SQL. Knows no ranking and no connection."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from engine.store.case import MOSTLY, Kind


@dataclass(frozen=True, slots=True)
class Filters:
    """Which cases a search may find; an empty field allows all."""

    modalities: Sequence[str] = ()
    """Modality (0008,0060), in upper or lower case."""
    sex: str | None = None
    """M, F or O, in upper or lower case."""
    age: tuple[int | None, int | None] = (None, None)
    """Lowest and highest age in years, both included; None for no limit."""
    kinds: Sequence[Kind] = ()
    """Whether images, reports or both may match."""
    cases: Collection[int] = ()
    """Only these cases."""
    excluded: Collection[int] = ()
    """Cases that are never found, such as that of the open study."""
    evidence: bool = False
    """Only cases with a report that may be evidence for others: not one that is mostly machine wording."""

    def may_match(self, kind: Kind) -> bool:
        """Whether a hit may be of this kind."""
        return not self.kinds or kind in self.kinds


ANY = Filters()


def condition(filters: Filters) -> tuple[str, list[object]] | None:
    """SQL on the table `cases` and its parameters, for all but `kinds`; None when every case may be found."""
    parts: list[str] = []
    values: list[object] = []
    if filters.modalities:
        parts.append(f"cases.modality IN ({_marks(filters.modalities)})")
        values += [modality.upper() for modality in filters.modalities]
    if filters.sex:
        parts.append("cases.sex = ?")
        values.append(filters.sex.upper())
    for bound, sign in zip(filters.age, (">=", "<="), strict=True):
        if bound is not None:
            parts.append(f"cases.age {sign} ?")
            values.append(bound)
    if filters.cases:
        parts.append(f"cases.id IN ({_marks(filters.cases)})")
        values += filters.cases
    if filters.excluded:
        parts.append(f"cases.id NOT IN ({_marks(filters.excluded)})")
        values += filters.excluded
    if filters.evidence:
        parts.append("cases.id IN (SELECT case_id FROM reports WHERE machine_share < ?)")
        values.append(MOSTLY)
    return (" AND ".join(parts), values) if parts else None


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
