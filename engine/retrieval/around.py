"""Gathers the cases around a query, hits and others of the archive, for a picture of the shared space."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.archive import Archive
from engine.models.roles import Encoder
from engine.retrieval.fusion import calibrated
from engine.retrieval.hit import Hit
from engine.retrieval.query import EmbeddedQuery
from engine.retrieval.space import Dot, angles, radius
from engine.store.case import Kind
from engine.store.score_scale import KINDS

OTHERS = 60
"""Other cases that are shown, to tell what is far."""


def around(
    archive: Archive,
    bundle: Encoder,
    embedded: EmbeddedQuery,
    text_share: float,
    hits: Sequence[Hit],
    fused: bool = False,
) -> list[Dot]:
    """The hits of a search by vectors, in their order, then other cases drawn at random, always the same ones.

    Args:
        archive: where the hits were found.
        bundle: the models that made the query.
        embedded: the query.
        text_share: how much its text counts.
        hits: what was found.
        fused: the scores of the hits are of fused ranks, which say nothing of distances.

    Raises:
        UserError: another bundle made the archive's vectors.
    """
    scores = {hit.case_id: None if fused or hit.cosine is None else hit.score for hit in hits}
    everyone = np.setdiff1d(archive.index.rows(bundle.id).cases, np.array(list(scores), np.int64))
    drawn = np.random.default_rng(0).permutation(everyone)[:OTHERS]
    cases = [*scores, *np.sort(drawn).tolist()]
    scale = archive.score_scale.current(bundle.score_scale, bundle.id)
    queries = embedded.vectors(text_share)
    best: dict[int, tuple[float, Kind, NDArray[np.float32]]] = {}
    for kind in KINDS:
        owners, vectors = archive.index.of_cases(cases, kind, bundle.id)
        if not len(owners):
            continue
        z = np.max([calibrated(query, kind, scale)(vectors) for query in queries], axis=0)
        centered = scale.centered(vectors, kind)
        for owner, score, vector in zip(owners.tolist(), z.tolist(), centered, strict=True):
            if owner not in best or score > best[owner][0]:
                best[owner] = (score, kind, vector)
    shown = [case for case in cases if case in best]
    if not shown:
        return []
    part, vector, _ = queries[0].parts[0]
    query = scale.centered(vector, part)
    found = [case for case in shown if case in scores]
    turned = [  # the hits among themselves: beside all others they would share one direction
        *angles(query, np.array([best[case][2] for case in found])).tolist(),
        *angles(query, np.array([best[case][2] for case in shown[len(found) :]])).tolist(),
    ]
    dots = []
    for case, angle in zip(shown, turned, strict=True):
        score, kind, _ = best[case]
        stated = scores.get(case)
        length = radius(score if stated is None else stated)
        dots.append(Dot(case, kind, length * float(np.cos(angle)), length * float(np.sin(angle)), case in scores))
    return dots
