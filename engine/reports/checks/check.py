"""What a check of a report found, what it is told of the study, and the lines of a report. Knows no rule."""

import re
from dataclasses import dataclass, field
from typing import Literal, get_args

from engine.facts.fact import Facts
from engine.reports.change import Span
from engine.reports.sections import begins_impression
from engine.text.sentences import sentence_spans

Kind = Literal["header side", "text side", "negation", "sex", "region", "prior", "taken over", "measurement", "field"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Action = Literal["", "confirm", "update"]
BACKGROUND = re.compile(
    r"\s*(?:(?:clinical|relevant|medical|patient)?\s*(?:history|indications?|information|details|data|question|context)|"
    r"reason for (?:the )?\w+|comparisons?|priors?|previous (?:study|studies|exam\w*)|technique|procedure)\s*(?::|$)",
    re.IGNORECASE,
)
"""Opens what was known before the images were read."""
HEADING = re.compile(r"\s*[A-Z][\w ,/&()-]{2,40}:|\s*[A-Z][A-Z /&]{3,40}$")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at before signing."""

    kind: Kind
    span: Span
    """Where it is in the text, [start, end) in characters."""
    message: str
    """One sentence for the user."""
    blocks: bool = False
    """Whether the report cannot be signed before this is settled."""
    action: Action = ""
    """What settles it besides editing: confirming that it was looked at, or updating it."""
    target: int = -1
    """Number of the proposal or link that the action is about."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the study of a report. What is not known is not checked."""

    sex: str = ""
    """Patient's Sex (0010,0040): "M", "F", "O" or ""."""
    regions: frozenset[str] = frozenset()
    """Every body region that the headers of its series name; empty unless each of them names one."""
    side: str = ""
    """"left" or "right" if all headers that name a side name this one."""
    prior: bool | None = None
    """Whether an earlier study of the patient is known here; None when that cannot be told."""
    facts: Facts = field(default_factory=dict)
    """Of the study as a whole; fills the fields of templates."""


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence of a report."""

    start: int
    text: str
    """As it stands, without the spaces around it."""
    impression: bool
    """Whether it is in the impression."""
    background: bool = False
    """Whether it says what was known before: history, indication, comparison, technique. It is no finding."""

    @property
    def span(self) -> Span:
        """Of the sentence, in the report."""
        return self.start, self.start + len(self.text)

    def span_of(self, found: re.Match[str]) -> Span:
        """Where something found in `text` is in the report."""
        return self.start + found.start(), self.start + found.end()


def lines_of(text: str) -> list[Line]:
    """The sentences of a report in order; a line break ends a sentence too, as in lists."""
    found, start, impression, background, said = [], 0, False, False, False
    for row in text.split("\n"):
        if begins_impression(row):
            impression = True
        if BACKGROUND.match(row):
            background, said = True, False
        elif HEADING.match(row) or (said and not row.strip()):
            background = False
        said = said or bool(row.partition(":")[2].strip() or (":" not in row and row.strip()))
        spans = sentence_spans(row)
        found += [Line(start + first, row[first:end], impression, background) for first, end in spans]
        start += len(row) + 1
    return found
