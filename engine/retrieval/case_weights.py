"""Weighs archived cases by their facts and by what their reports say of findings that the query excludes.

Knows no vectors. A fact that agrees with that of the query adds its log-odds of being relevant, in z; one that
disagrees takes some away, and what is unknown changes nothing: facts are never filters. A report that affirms a
finding which must be absent loses, one that negates it wins.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.archive import Archive
from engine.facts.fact import Fact, FactKind, Facts
from engine.models.ranking import FactWeight
from engine.retrieval.nearest import Weight
from engine.store.fact_columns import CODES, OTHER
from engine.text.findings import findings, together
from engine.text.sentences import sentences

AFFIRMS, NEGATES = -4.0, 1.0
"""What a report adds to z that affirms or negates a finding which must be absent. On the reports of IU val, the share
of the first ten hits with the finding (MeSH) falls from 0.6 to 0 for "without cardiomegaly"."""
NAMES: Mapping[FactKind, str] = {"laterality": "side"}
"""What a reader calls a kind of fact, where that differs."""


class CaseWeights:
    """The weights of the cases of one archive for one query."""

    def __init__(
        self,
        archive: Archive,
        facts: Facts,
        absent: frozenset[str] = frozenset(),
        weights: Mapping[FactKind, FactWeight] | None = None,
    ) -> None:
        """Weigh by the facts of a query, and by findings that must be absent, as `engine.text.findings` names them."""
        self._archive, self._absent = archive, absent
        self._weights = weights or {}
        self.more = NEGATES if absent else 0.0
        """What the words of a report may add."""
        self._facts = {kind: fact for kind, fact in facts.items() if kind in self._weights}

    def by_case(self) -> NDArray[np.float32]:
        """What the facts of each case weigh: entry n for case n, float32 [n]; cases beyond its end weigh nothing."""
        columns = self._archive.fact_columns.current() if self._facts else {}
        total = np.zeros(max((len(column.codes) for column in columns.values()), default=0), np.float32)
        for kind, asked in self._facts.items():
            column = columns[kind]
            total += self._of_codes(kind, asked)[column.codes] * column.probabilities
        return total

    def _of_codes(self, kind: FactKind, asked: Fact) -> NDArray[np.float32]:
        """What each value of a kind weighs, by its code, float32 [codes]; both sides agree and disagree with none."""
        if asked.value == "both":
            return np.zeros(OTHER[kind] + 1, np.float32)
        found = np.full(OTHER[kind] + 1, asked.probability * self._weights[kind].disagree, np.float32)
        found[0] = 0.0
        for value, code in CODES[kind].items():
            if value == "both":
                found[code] = 0.0
            elif value == asked.value:
                found[code] = asked.probability * self._weights[kind].agree
        return found

    def of(self, case_ids: Iterable[int]) -> Mapping[int, Weight]:
        """The weight of each of these cases, with its reasons."""
        ids = list(case_ids)
        facts = self._archive.facts_of(ids) if self._facts else {}
        reports = self._archive.reports_of(ids) if self._absent else {}
        return {case_id: self._weight(facts.get(case_id, {}), reports.get(case_id, "")) for case_id in ids}

    def _weight(self, facts: Facts, report: str) -> Weight:
        value = 0.0
        same: list[str] = []
        other: list[str] = []
        for kind, asked in self._facts.items():
            if kind in facts and "both" not in (asked.value, facts[kind].value):
                agrees = asked.value == facts[kind].value
                weight = self._weights[kind].agree if agrees else self._weights[kind].disagree
                value += asked.probability * facts[kind].probability * weight
                (same if agrees else other).append(NAMES.get(kind, kind))
        reasons = [f"{word} {_joined(kinds)}" for word, kinds in (("same", same), ("other", other)) if kinds]
        affirmed, negated = self._said(report) if self._absent else (frozenset(), frozenset())
        if affirmed:
            return Weight(value + AFFIRMS, (*reasons, f"report affirms {_joined(sorted(affirmed))}"))
        if negated:
            return Weight(value + NEGATES, (*reasons, f"report negates {_joined(sorted(negated))}"))
        return Weight(value, tuple(reasons))

    def _said(self, report: str) -> tuple[frozenset[str], frozenset[str]]:
        """Which of the findings that must be absent the report affirms, and which it negates."""
        said = together([findings(sentence) for sentence in sentences(report)])
        return self._absent & said.affirmed, self._absent & said.negated


def _joined(words: Sequence[str]) -> str:
    """As "a", "a and b", or "a, b and c"."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
