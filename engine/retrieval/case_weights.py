"""Weighs archived cases by their facts and by what their reports say of findings that the query excludes.

Knows no vectors. A fact that agrees with that of the query adds its log-odds of being relevant, in z; one that
disagrees takes some away, and what is unknown changes nothing: facts are never filters. A report that affirms a
finding which must be absent loses, one that negates it wins.
"""

from collections.abc import Iterable, Mapping, Sequence

from engine.archive import Archive
from engine.facts.fact import FactKind, Facts
from engine.models.ranking import FactWeight
from engine.retrieval.nearest import Weight
from engine.store.fact_bonus import FactBonus
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

    def bonus(self) -> FactBonus:
        """What the facts of a case weigh; both sides agree and disagree with none."""
        counted = {kind: fact for kind, fact in self._facts.items() if fact.value != "both"}
        return FactBonus(
            {
                kind: {fact.value: fact.probability * self._weights[kind].agree, "both": 0.0}
                for kind, fact in counted.items()
            },
            {kind: fact.probability * self._weights[kind].disagree for kind, fact in counted.items()},
        )

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
