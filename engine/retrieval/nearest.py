"""Ranks the cases of an archive by calibrated score. Knows no query text and reads no report.

Filters apply before ranking, so they never thin out a result. A case ranks by its best vector, and by what else speaks
for it (`Weighing`). What is the same as the query, picture or wording, ranks before everything else.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.archive import Archive
from engine.models.roles import Encoder
from engine.retrieval.fusion import QueryVectors, calibrated
from engine.store.case import Kind
from engine.store.fact_bonus import NO_BONUS, FactBonus
from engine.store.filters import ANY, Filters
from engine.store.nearest_index import Neighbors
from engine.store.score_scale import KINDS, ScoreScale


@dataclass(frozen=True, slots=True)
class Match:
    """One ranked case before its facts are read."""

    case_id: int
    kind: Kind
    """Whether an image or the report of the case matched best."""
    score: float
    """As in Hit."""
    cosine: float | None
    """As in Hit."""
    embedding_id: int | None = None
    """The embedding that matched best; None when only words matched."""
    words: tuple[str, ...] = ()
    """Words of the query that the report contains."""
    frame: int = 0
    """Which frame of the query matched best."""
    same: bool = False
    """The image is the same picture as that of the query, or the report has the same words."""
    reasons: tuple[str, ...] = ()
    """What else speaks for or against the case."""


@dataclass(frozen=True, slots=True)
class Weight:
    """What speaks for or against a case beside its vectors."""

    value: float
    """Added to z."""
    reasons: tuple[str, ...] = ()


class Weighing(Protocol):
    """Weighs cases by what is known of them beside their vectors."""

    more: float
    """How much more than `by_case` says a case may weigh."""

    def bonus(self) -> FactBonus:
        """What the facts of a case weigh."""

    def of(self, case_ids: Iterable[int]) -> Mapping[int, Weight]:
        """The weight of each of these cases."""


class Unweighted:
    """No case weighs more than another."""

    more = 0.0

    def bonus(self) -> FactBonus:
        """Nothing."""
        return NO_BONUS

    def of(self, case_ids: Iterable[int]) -> Mapping[int, Weight]:
        """Zero for each."""
        return dict.fromkeys(case_ids, Weight(0.0))


UNWEIGHTED = Unweighted()
MOST_READ = 1_000
"""Where reports are read to weigh their cases, no more vectors than these are looked at."""
CHECKED: Mapping[Kind, int] = {"image": 3, "report": 20}
"""How many of the nearest images and reports are compared with the query itself, since each has to be read."""
MAY_BE_SAME = 0.6
"""Cosine from which one is compared; copies of one image rarely have less."""


def nearest_cases(
    archive: Archive,
    bundle: Encoder,
    query: QueryVectors | Sequence[QueryVectors],
    count: int,
    filters: Filters = ANY,
    scale: ScoreScale | None = None,
    weighing: Weighing = UNWEIGHTED,
    is_same: Callable[[Match], bool] = lambda match: False,
) -> list[Match]:
    """The best match of each of the best `count` cases by score, best first.

    The score is the best z of the case over its vectors and the frames of the query, plus the weight of the case. Where
    reports weigh, only the best MOST_READ vectors by z and facts are weighed.

    Args:
        archive: where to search.
        bundle: the models that the archive was indexed with.
        query: vectors of image, text, or both; of several frames, the one that a case is nearest to counts.
        count: how many cases at most.
        filters: which cases may be found.
        scale: of the scores; None for that of the archive.
        weighing: what speaks for a case beside its vectors.
        is_same: whether a match is the same picture as its frame of the query, or the same words as its text.
    """
    if scale is None:
        scale = archive.score_scale.current(bundle.score_scale, bundle.id)
    queries = [query] if isinstance(query, QueryVectors) else query
    scan = _Scan(archive, bundle, queries, filters, scale, weighing.bonus())
    weights: dict[int, Weight] = {}
    depth = 4 * count + 64  # a case may own several vectors, and an index that is not exact may misplace some
    while True:
        left_out = scan.search(depth) + weighing.more
        asked = scan.best.keys() if weighing.more else scan.best_by_bonus(count)
        weights |= weighing.of(asked - weights.keys())
        found = [_weighed(scan.best[case_id], weights[case_id]) for case_id in asked]
        ranked = sorted(found, key=lambda match: (-match.score, match.case_id))[:count]
        least = ranked[-1].score if len(ranked) == count else -np.inf
        depth *= 4
        # Asked first: a weight that is no number, as of an archive that others have made, is not more than anything.
        if left_out == -np.inf or least >= left_out or (weighing.more and depth > MOST_READ):
            break
    same: dict[int, Match] = {}
    for match in scan.may_be_same():  # of a query with image and text a case may match in both: the image comes first
        if match.case_id not in same and is_same(match):
            weight = weights.get(match.case_id) or weighing.of([match.case_id])[match.case_id]
            same[match.case_id] = replace(_weighed(match, weight), same=True)
    return [*same.values(), *(match for match in ranked if match.case_id not in same)][:count]


class _Scan:
    """The best match by z of every case that was found so far, and what may be the same as the query."""

    def __init__(
        self,
        archive: Archive,
        bundle: Encoder,
        queries: Sequence[QueryVectors],
        filters: Filters,
        scale: ScoreScale,
        bonus: FactBonus,
    ) -> None:
        self._archive, self._bundle, self._queries, self._scale = archive, bundle, queries, scale
        self._kinds = [kind for kind in KINDS if filters.may_match(kind)]
        self._filters, self._bonus = filters, bonus
        self._bonus_of: dict[int, float] = {}
        self.best: dict[int, Match] = {}
        self._alike: dict[Kind, list[tuple[float, Match]]] = {"image": [], "report": []}
        """By their cosine with the frame or the text of the query."""

    def may_be_same(self) -> list[Match]:
        """The CHECKED cases nearest to frame or text by cosine alone, and near enough; images first, nearest first."""
        checked: list[Match] = []
        for kind, alike in self._alike.items():
            nearest: dict[int, Match] = {}
            for _, match in sorted(alike, key=lambda one: -one[0]):
                nearest.setdefault(match.case_id, match)
            checked += list(nearest.values())[: CHECKED[kind]]
        return checked

    def best_by_bonus(self, count: int) -> set[int]:
        """The best `count` cases by z and bonus."""
        cases = np.fromiter(self.best, np.int64, len(self.best))
        totals = np.array([self._bonus_of[case_id] + match.score for case_id, match in self.best.items()])
        return set(cases[np.argsort(-totals, kind="stable")[:count]].tolist())

    def search(self, depth: int) -> float:
        """Look at the `depth` best vectors of each kind; no case that was left out has a higher z with its bonus."""
        floor = -np.inf
        for frame, query in enumerate(self._queries):
            for kind in self._kinds:
                score = calibrated(query, kind, self._scale)
                found = self._archive.index.nearest(
                    score.weights,
                    kind,
                    depth,
                    self._filters,
                    self._bundle.id,
                    bonus=self._bonus,
                    nearest=CHECKED[kind],
                )
                if len(found.ids):
                    scores = score(found.vectors)
                    if not found.all:
                        floor = max(floor, float((scores + found.bonus)[:depth].min()))
                    self._take(found, scores, query, kind, frame)
        return floor

    def _take(self, found: Neighbors, scores: NDArray[np.float32], query: QueryVectors, kind: Kind, frame: int) -> None:
        self._bonus_of.update(zip(found.cases.tolist(), found.bonus.tolist(), strict=True))
        columns = (found.cases, found.ids, scores, found.vectors @ query.composed)
        for case_id, embedding_id, z, cosine in zip(*(column.tolist() for column in columns), strict=True):
            if case_id not in self.best or z > self.best[case_id].score:
                self.best[case_id] = Match(case_id, kind, z, cosine, embedding_id, frame=frame)
        own = query.image if kind == "image" else query.text
        if own is not None:
            cosines = found.vectors @ own
            for row in np.flatnonzero(cosines >= MAY_BE_SAME):
                values = [column[row].item() for column in columns]
                match = Match(values[0], kind, values[2], values[3], values[1], frame=frame)
                self._alike[kind].append((float(cosines[row]), match))


def _weighed(match: Match, weight: Weight) -> Match:
    return replace(match, score=match.score + weight.value, reasons=weight.reasons)
