"""Reads a range of ages as people type it. Knows no filters and no archive."""

import re

from engine.errors import UserError

AGES = re.compile(
    r"(?P<single>\d{1,3})|(?P<first>\d{1,3}) ?(?:-|–|to) ?(?P<last>\d{1,3})|"
    r"(?P<least>\d{1,3}) ?\+|(?:>=|≥|from) ?(?P<at_least>\d{1,3})|> ?(?P<above>\d{1,3})|"
    r"(?:<=|≤|-|–|to|up to) ?(?P<at_most>\d{1,3})|< ?(?P<below>\d{1,3})"
)


def age_range(text: str) -> tuple[int | None, int | None]:
    """The lowest and highest age in years, both included, of "40-60", "65+", "-17", ">64", "<18", "50"; "" for any.

    Raises:
        UserError: it is none of these, or the second age is lower than the first.
    """
    plain = " ".join(re.sub(r"(?:years?|yrs?|y)\.?$", "", text.strip().lower()).split())
    if not plain:
        return None, None
    found = AGES.fullmatch(plain)
    if found is None:
        raise UserError(f"“{text.strip()}” is not an age range; type a range such as 40-60, 65+ or -17.")
    named = {name: int(value) for name, value in found.groupdict().items() if value is not None}
    least = [named[name] for name in ("single", "first", "least", "at_least") if name in named]
    least += [named["above"] + 1] if "above" in named else []
    most = [named[name] for name in ("single", "last", "at_most") if name in named]
    most += [named["below"] - 1] if "below" in named else []
    if least and most and least[0] > most[0]:
        raise UserError(f"The age range “{text.strip()}” ends below its start; type the lower age first.")
    return (least[0] if least else None), (most[0] if most else None)
