"""Where the impression of a report begins, by its heading. Knows no marks and no templates."""

import re

_IMPRESSION = re.compile(r"\s*(?:impression|conclusions?|summary|opinion|assessment|diagnosis)\b", re.IGNORECASE)


def begins_impression(row: str) -> bool:
    """Whether a row of a report begins its impression."""
    return _IMPRESSION.match(row) is not None


def end_of_findings(text: str) -> int:
    """Where a row can be added below the findings: before the impression and the empty rows above it, or at the end."""
    rows = text.split("\n")
    for number, row in enumerate(rows):
        if begins_impression(row):
            above = "\n".join(rows[:number]).rstrip("\n")
            return len(above) + 1 if above else 0
    return len(text)
