"""Which cases a search may find. Knows no ranking."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import UserError
from engine.store.case import Kind

AGES = re.compile(
    r"(?P<single>\d{1,3})|(?P<first>\d{1,3}) ?(?:-|–|to) ?(?P<last>\d{1,3})|"
    r"(?P<least>\d{1,3}) ?\+|(?:>=|≥|from) ?(?P<at_least>\d{1,3})|> ?(?P<above>\d{1,3})|"
    r"(?:<=|≤|-|–|to|up to) ?(?P<at_most>\d{1,3})|< ?(?P<below>\d{1,3})"
)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which cases may be found. Empty means any; `age` is in years, both ends included; `kinds` of what may match."""

    modalities: Sequence[str] = ()
    sex: str | None = None
    age: tuple[int | None, int | None] = (None, None)
    kinds: Sequence[Kind] = ()

    def condition(self, excluded: int | None = None) -> tuple[str, tuple[object, ...]]:
        """SQL on the table `cases` and its parameters, for all but `kinds`; "1" when every case may be found."""
        parts: list[str] = []
        values: list[object] = []
        if self.modalities:
            parts.append(f"cases.modality IN ({', '.join('?' * len(self.modalities))})")
            values += [modality.upper() for modality in self.modalities]
        if self.sex:
            parts.append("cases.sex = ?")
            values.append(self.sex.upper())
        for bound, sign in zip(self.age, (">=", "<="), strict=True):
            if bound is not None:
                parts.append(f"cases.age {sign} ?")
                values.append(bound)
        if excluded is not None:
            parts.append("cases.id != ?")
            values.append(excluded)
        return " AND ".join(parts) or "1", tuple(values)


ANY = Filters()


def age_range(text: str) -> tuple[int | None, int | None]:
    """A range of ages in years as people type it: "40-60", "65+", "-17", ">64", "<18", "50"; "" for any.

    Raises:
        UserError: it is none of these, or it ends before it begins.
    """
    plain = " ".join(re.sub(r"(?:years?|yrs?|y)\.?$", "", text.strip().lower()).split())
    if not plain:
        return None, None
    found = AGES.fullmatch(plain)
    if found is None:
        raise UserError(f"The age “{text.strip()}” cannot be read; type a range such as 40-60, 65+ or -17.")
    named = {name: int(value) for name, value in found.groupdict().items() if value is not None}
    least = [named[name] for name in ("single", "first", "least", "at_least") if name in named]
    least += [named["above"] + 1] if "above" in named else []
    most = [named[name] for name in ("single", "last", "at_most") if name in named]
    most += [named["below"] - 1] if "below" in named else []
    if least and most and least[0] > most[0]:
        raise UserError(f"The age range “{text.strip()}” ends before it begins; type the lower age first.")
    return (least[0] if least else None), (most[0] if most else None)
