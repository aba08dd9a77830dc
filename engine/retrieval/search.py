"""Finds archived cases by a picture, by words, or by both. Knows no DICOM and no screen.

Every hit says what kind of thing matched and why. Filters apply before ranking, so they never thin out a result;
ranking is by calibrated score alone (fusion.py), with no quotas and no interleaving. Hits gather per case by maximum.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.archive import Archive
from engine.errors import UserError
from engine.models.familiarity import FAMILIAR, FamiliarityResult, check_familiarity
from engine.models.roles import Encoder
from engine.retrieval import lexical
from engine.retrieval.filters import ANY, Filters
from engine.retrieval.fusion import QueryVectors, calibrated, reciprocal_rank_fusion
from engine.store.case import Kind
from engine.text.words import shared_words

__all__ = ["Answer", "Filters", "Hit", "Match", "Mode", "Query", "answer", "nearest_cases", "search"]

Mode = Literal["vector", "lexical", "hybrid"]
FUSED = 100  # cases of each ranking that a hybrid search fuses, or all that are asked for


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: a picture uint8 [H, W], words, or both (composed)."""

    image: NDArray[np.uint8] | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One case, represented by its best match.

    score: calibrated z-score (vector), BM25 (lexical) or sum of reciprocal ranks (hybrid); higher is better and
    comparable within one search only. cosine: raw, with the query's (composed) vector; None when only words matched.
    text: the case's report, or its description when there is none. image_id: the matching picture, or the case's first.
    prior: the case belongs to the patient of the open study.
    """

    case_id: int
    kind: Kind
    score: float
    cosine: float | None
    text: str
    why: str
    modality: str
    sex: str
    age: int | None
    image_id: int | None
    prior: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Answer:
    """The hits, best first, and whether the models know pictures like the one that was asked with."""

    hits: list[Hit]
    familiarity: FamiliarityResult = FAMILIAR


@dataclass(frozen=True, slots=True)
class Match:
    """One ranked case before its facts are read; fields as in Hit."""

    case_id: int
    kind: Kind
    score: float
    cosine: float | None
    embedding_id: int | None = None
    words: tuple[str, ...] = ()


def search(
    archive: Archive,
    bundle: Encoder | None,
    query: Query,
    filters: Filters = ANY,
    k: int = 10,
    mode: Mode = "vector",
    exclude_study: str | None = None,
    patient: str | None = None,
) -> list[Hit]:
    """The hits of `answer`, which has the arguments and errors."""
    return answer(archive, bundle, query, filters, k, mode, exclude_study, patient).hits


def answer(
    archive: Archive,
    bundle: Encoder | None,
    query: Query,
    filters: Filters = ANY,
    k: int = 10,
    mode: Mode = "vector",
    exclude_study: str | None = None,
    patient: str | None = None,
) -> Answer:
    """The best `k` cases, best first, and what the picture looks like to the models.

    Args:
        archive: where to look.
        bundle: the models the archive was indexed with; may be None for a lexical search.
        query: picture, words, or both.
        filters: which cases may be found.
        k: how many at most.
        mode: by meaning, by words, or both fused by reciprocal ranks. A lexical search ignores the picture; a hybrid
            search without words is a vector search.
        exclude_study: StudyInstanceUID of the open study, which never finds itself.
        patient: Patient ID of the open study, whose earlier cases are marked as priors.

    Raises:
        UserError: nothing to look for, or the archive belongs to another bundle.
    """
    text = (query.text or "").strip() or None
    if query.image is None and text is None:
        raise UserError("Nothing to search for; give an image, some words, or both.")
    if mode == "lexical" and text is None:
        raise UserError("A search by words needs words; type some, or search by meaning.")
    if k < 1:
        raise UserError("The number of hits must be at least 1.")
    condition, values = filters.condition(archive.find_case(exclude_study) if exclude_study else None)
    kinds: tuple[Kind, ...] = tuple(kind for kind in ("image", "report") if not filters.kinds or kind in filters.kinds)
    depth = k if mode != "hybrid" else max(k, FUSED)
    by_words: list[Match] = []
    by_vector: list[Match] = []
    seen = FAMILIAR
    if mode != "vector" and text is not None and "report" in kinds:
        found = lexical.find(archive, text, depth, condition, values)
        by_words = [Match(match.case_id, "report", match.score, None, None, match.words) for match in found]
    if mode != "lexical":
        if bundle is None:
            raise UserError("A search by meaning needs a model bundle; give one, or search by words.")
        archive.require_bundle(bundle.id)
        vectors = QueryVectors(
            None if query.image is None else bundle.embed_images([query.image])[0],
            None if text is None else bundle.embed_texts([text])[0],
        )
        if query.image is not None:
            seen = check_familiarity(bundle, query.image)
        by_vector = nearest_cases(archive, bundle, vectors, kinds, depth, condition, values)
    matches = by_words or by_vector
    if by_words and by_vector:
        matches = _fused(by_vector, by_words)
    hits = _hits(archive, matches[:k], Query(query.image, text), mode, archive.identity.patient(patient))
    return Answer(hits, seen)


def nearest_cases(
    archive: Archive,
    bundle: Encoder,
    query: QueryVectors,
    kinds: Sequence[Kind],
    count: int,
    condition: str,
    values: tuple[object, ...],
) -> list[Match]:
    """The best match of each of the best `count` cases by calibrated score, best first.

    Args:
        archive, bundle, query: where to look, the models, and the vectors that are asked with.
        kinds: what may match.
        count: how many cases at most.
        condition: SQL on the table `cases`, made by us and never by the user; "1" for all.
        values: its parameters.
    """
    cases: NDArray[np.int64] | None = None
    if condition != "1":
        rows = archive.read(f"SELECT id FROM cases WHERE {condition}", values)
        cases = np.array([row[0] for row in rows], np.int64)
    composed = query.composed
    depth = 4 * count + 64  # a case may own several vectors, and an 8-bit index may misplace some
    while True:
        best: dict[int, Match] = {}
        floor = -np.inf  # no vector that was left out scores higher than this
        for kind in kinds:
            score = calibrated(query, kind, bundle.score_scale)
            found = archive.index.nearest(score.weights, kind, depth, cases, bundle.id)
            if not len(found.ids):
                continue
            scores = score(found.vectors)
            cosines = found.vectors @ composed
            if not found.all:
                floor = max(floor, float(scores.min()))
            for case_id, embedding_id, value, cosine in zip(
                found.cases.tolist(), found.ids.tolist(), scores.tolist(), cosines.tolist(), strict=True
            ):
                if case_id not in best or value > best[case_id].score:
                    best[case_id] = Match(case_id, kind, value, cosine, embedding_id)
        ranked = sorted(best.values(), key=lambda match: (-match.score, match.case_id))[:count]
        if floor == -np.inf or (len(ranked) == count and ranked[-1].score >= floor):
            return ranked
        depth *= 4


def _fused(by_vector: list[Match], by_words: list[Match]) -> list[Match]:
    """Both rankings in one; a case that both found keeps its vector match and the words."""
    scores = reciprocal_rank_fusion([[match.case_id for match in ranking] for ranking in (by_vector, by_words)])
    matches = {match.case_id: match for match in by_words}
    for match in by_vector:
        words = matches[match.case_id].words if match.case_id in matches else ()
        matches[match.case_id] = replace(match, words=words)
    ranked = sorted(scores, key=lambda case_id: (-scores[case_id], case_id))
    return [replace(matches[case_id], score=scores[case_id]) for case_id in ranked]


def _hits(archive: Archive, matches: list[Match], query: Query, mode: Mode, patient: str | None) -> list[Hit]:
    hits = []
    for match in matches:
        case = archive.case(match.case_id)
        image_id = case.images[0].image_id if case.images else None
        if match.kind == "image" and match.embedding_id is not None:
            image_id = archive.read("SELECT image_id FROM embeddings WHERE id = ?", [match.embedding_id])[0][0]
        prior = patient is not None and case.patient == patient
        text = case.report.text if case.report else case.description
        hits.append(
            Hit(
                match.case_id,
                match.kind,
                match.score,
                match.cosine,
                text,
                _why(match, query, case.report.text if case.report else "", prior),
                case.modality,
                case.sex,
                case.age,
                image_id,
                prior,
            )
        )
    return hits


def _why(match: Match, query: Query, report: str, prior: bool) -> str:
    """In words, why this case was found."""
    reasons = []
    if match.cosine is not None:
        if match.kind == "image":
            asked = [
                *(["looks like the query image"] if query.image is not None else []),
                *(["fits the query words"] if query.text is not None else []),
            ]
            reasons.append("image " + " and ".join(asked))
        else:
            asked = [
                *(["fits the query image"] if query.image is not None else []),
                *(["is close to the query words"] if query.text is not None else []),
            ]
            reasons.append("report wording " + " and ".join(asked))
            shared = shared_words(query.text or "", report)
            if shared and not match.words:
                reasons.append("shares: " + ", ".join(shared))
    if match.words:
        reasons.append("report contains: " + ", ".join(match.words))
    if prior:
        reasons.append("earlier case of the same patient")
    return "; ".join(reasons)
