"""Finds archived cases by an image, by text, or by both. Knows no DICOM and no screen.

Ranking is by calibrated score (fusion.py) and the weights of facts and words (case_weights.py), with no quotas and no
interleaving. Each hit says what matched and why.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

from engine.archive import Archive
from engine.errors import UserError
from engine.facts.fact import Facts, value_of
from engine.models.familiarity import FAMILIAR, FamiliarityResult
from engine.models.roles import Encoder
from engine.retrieval import lexical
from engine.retrieval.case_weights import CaseWeights
from engine.retrieval.feedback import Feedback, moved, of_cases
from engine.retrieval.fusion import QueryVectors, reciprocal_rank_fusion
from engine.retrieval.hit import Hit, Reasons
from engine.retrieval.nearest import Match, nearest_cases
from engine.retrieval.query import EmbeddedQuery, embedded
from engine.retrieval.query import Query as Query
from engine.retrieval.same_picture import Look, look
from engine.store.filters import ANY, Filters
from engine.store.score_scale import KINDS, ScoreScale
from engine.text.words import shared_words, words

Mode = Literal["vector", "lexical", "hybrid"]
"""By vectors, by words, or both rankings fused."""
FUSED = 100
"""Cases of each ranking that a hybrid search fuses, or `k` if that is more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """How to search, beside the query itself."""

    filters: Filters = ANY
    k: int = 10
    """How many cases at most."""
    mode: Mode = "vector"
    """A lexical search ignores the image; a hybrid search without text is a vector search."""
    exclude_study: str | None = None
    """Study Instance UID of the open study, which is never found."""
    patient: str | None = None
    """Patient ID of the open study; other cases of this patient are marked as priors."""
    priors_apart: bool = False
    """Whether the priors are a list of their own, and are no hits."""


DEFAULT = SearchOptions()
PRIORS = 50
"""The most priors in their own list."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found."""

    hits: list[Hit]
    """Best first."""
    familiarity: FamiliarityResult = FAMILIAR
    """Whether the models know images like that of the query."""
    facts: Facts = field(default_factory=dict)
    """Of the query; they weigh in a search by vectors."""
    embedded: EmbeddedQuery | None = None
    """What the models made of the query, to search again without asking them; None after a lexical search."""
    priors: list[Hit] = field(default_factory=list)
    """With `priors_apart`, cases of the patient of the open study that the filters allow, newest study first, unknown
    dates last."""


def search(
    archive: Archive,
    bundle: Encoder | None,
    query: Query,
    options: SearchOptions = DEFAULT,
    known: EmbeddedQuery | None = None,
) -> SearchResult:
    """The best cases, and whether the models know images like that of the query.

    Args:
        archive: where to search.
        bundle: the models that the archive was indexed with; None is enough for a lexical search.
        query: image, text, or both.
        options: filters, number of hits, mode, and the open study.
        known: what an earlier search by the same images and text made of them.

    Raises:
        UserError: the query is empty, or another bundle made the archive's embeddings.
    """
    query = replace(query, text=(query.text or "").strip() or None)
    _check(query, options)
    if options.priors_apart:
        return _with_priors(archive, bundle, query, replace(options, priors_apart=False), known)
    filters = options.filters
    own = archive.find_case(options.exclude_study) if options.exclude_study else None
    excluded = {*query.feedback.unliked, *(one for one in (own, query.case) if one is not None)}
    if excluded:
        filters = replace(filters, excluded=frozenset({*filters.excluded, *excluded}))
    depth = options.k if options.mode != "hybrid" else max(options.k, FUSED)
    by_words = _by_words(archive, query, depth, filters) if options.mode != "vector" else []
    by_vector: list[Match] = []
    facts = query.known
    if options.mode != "lexical":
        if bundle is None:
            raise UserError("Searching by meaning requires a model bundle; open one, or search for exact words.")
        archive.require_bundle(bundle.id)
        if known is None or known.bundle_id != bundle.id:
            known = embedded(archive, bundle, query)
        scale = archive.score_scale.current(bundle.score_scale, bundle.id)
        vectors = known.vectors(query.text_share)
        if query.feedback:
            vectors = _moved(archive, bundle.id, vectors, query.feedback, scale)
        weights = CaseWeights(archive, facts, known.absent, bundle.ranking.fact_weights)
        by_vector = nearest_cases(
            archive,
            bundle,
            vectors,
            depth,
            filters,
            scale,
            weights,
            is_same=partial(_is_same, archive, query, known.looks),
        )
    matches = by_words or by_vector
    if by_words and by_vector:
        matches = _fused(by_vector, by_words)
    patient = archive.identity.patient(options.patient)
    hits = [_hit(archive, match, query, known, patient) for match in matches[: options.k]]
    return SearchResult(hits, known.familiarity if known else FAMILIAR, facts, known)


def _with_priors(
    archive: Archive, bundle: Encoder | None, query: Query, options: SearchOptions, known: EmbeddedQuery | None
) -> SearchResult:
    """The hits among other patients, and the priors of this one."""
    own = archive.find_case(options.exclude_study) if options.exclude_study else None
    priors = archive.cases_of_patient(options.patient) - {own}
    if not priors:
        return search(archive, bundle, query, options, known)
    others = replace(options.filters, excluded=frozenset({*options.filters.excluded, *priors}))
    found = search(archive, bundle, query, replace(options, filters=others), known)
    only = replace(options, filters=replace(options.filters, cases=priors), k=PRIORS)
    hits = search(archive, bundle, query, only, found.embedded).hits
    order = archive.newest_first(hit.case_id for hit in hits)
    return replace(found, priors=sorted(hits, key=lambda hit: order.index(hit.case_id)))


def _moved(
    archive: Archive, bundle_id: str, vectors: list[QueryVectors], feedback: Feedback, scale: ScoreScale
) -> list[QueryVectors]:
    """The vectors of a query moved by feedback."""
    cases = (*feedback.liked, *feedback.unliked)
    groups = []
    for kind in KINDS:
        owners, found = archive.index.of_cases(cases, kind, bundle_id)
        if len(owners):
            groups.append((owners, scale.centered(found, kind)))
    liked, unliked = (of_cases(groups, group) for group in (feedback.liked, feedback.unliked))
    return [moved(one, liked, unliked, scale) for one in vectors]


def _check(query: Query, options: SearchOptions) -> None:
    if not query.frames and query.text is None and query.case is None:
        raise UserError("The query is empty; enter an image, text, or both.")
    if options.mode == "lexical" and query.text is None:
        raise UserError("Searching for exact words requires text; enter some, or search by meaning.")
    if options.k < 1:
        raise UserError("The number of hits must be at least 1.")


def _by_words(archive: Archive, query: Query, limit: int, filters: Filters) -> list[Match]:
    if query.text is None or not filters.may_match("report"):
        return []
    found = lexical.find(archive, query.text, limit, filters)
    return [Match(match.case_id, "report", match.score, cosine=None, words=match.words) for match in found]


def _is_same(archive: Archive, query: Query, looks: Sequence[Look], match: Match) -> bool:
    """Whether a match is the same picture as its frame of the query, or has the very words of one without image."""
    if match.kind == "report":
        if query.frames or query.case is not None:  # many a normal report has the same words; the image decides
            return False
        report = archive.reports_of([match.case_id]).get(match.case_id, "")
        return words(report) == words(query.text or "")
    if not looks:
        return False
    image_id = None if match.embedding_id is None else archive.image_of_embedding(match.embedding_id)
    return image_id is not None and looks[match.frame].is_like(look(archive.image(image_id)))


def _fused(by_vector: list[Match], by_words: list[Match]) -> list[Match]:
    """Both rankings in one; a case in both keeps its vector match and the words."""
    scores = reciprocal_rank_fusion([[match.case_id for match in ranking] for ranking in (by_vector, by_words)])
    matches = {match.case_id: match for match in by_words}
    for match in by_vector:
        words = matches[match.case_id].words if match.case_id in matches else ()
        matches[match.case_id] = replace(match, words=words)
    ranked = sorted(scores, key=lambda case_id: (-scores[case_id], case_id))
    return [replace(matches[case_id], score=scores[case_id]) for case_id in ranked]


def _nearest_frame(match: Match, query: Query) -> tuple[str, ...]:
    by_series = match.cosine is not None and len(query.images) > 1
    return (f"nearest to frame {match.frame + 1} of {len(query.images)}",) if by_series else ()


def _hit(archive: Archive, match: Match, query: Query, known: EmbeddedQuery | None, patient: str | None) -> Hit:
    case = archive.case(match.case_id)
    report = case.report.text if case.report else ""
    image_id = None
    if match.kind == "image" and match.embedding_id is not None:
        image_id = archive.image_of_embedding(match.embedding_id)
    if image_id is None and case.images:
        image_id = case.images[0].image_id
    prior = patient is not None and case.patient == patient
    by_vector = match.cosine is not None
    reasons = Reasons(
        kind=match.kind,
        by_image=by_vector and known is not None and bool(known.images),
        by_text=by_vector and known is not None and known.text is not None,
        shared_words=tuple(shared_words(query.text or "", report)) if by_vector and match.kind == "report" else (),
        found_words=match.words,
        prior=prior,
        same=match.same,
        others=(*_nearest_frame(match, query), *match.reasons),
    )
    return Hit(
        case_id=match.case_id,
        kind=match.kind,
        score=match.score,
        cosine=match.cosine,
        text=case.report.text if case.report else case.description,
        why=reasons.sentence(),
        modality=case.modality or value_of(case.facts, "modality"),
        facts=case.facts,
        sex=case.sex,
        age=case.age,
        image_id=image_id,
        prior=prior,
        frame=match.frame if by_vector and query.images else None,
        same=match.same,
    )
