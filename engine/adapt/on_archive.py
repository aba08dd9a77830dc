"""How images and reports of one archive lie in the space of its bundle: gap, mixing, a flat picture. Embeds nothing.

Everything is read from the vectors that the archive has, of a sample of its cases with an image and a report.
"""

from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from engine.adapt.measures import TOP, Embedded, gap
from engine.archive import Archive
from engine.bundle import Bundle
from engine.models.heads import Rows
from engine.store.case import Kind
from engine.store.score_scale import PAIR, ScoreScale

PAIRS = 500
"""Cases that are measured at most, drawn by a fixed seed."""
SHOWN = 200
"""Of them in the picture."""
LEAST = 20
"""Cases with an image and a report that figures need: the ten nearest are looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """Images and reports in the plane of their first two principal components, as in docs/shared-space.png."""

    images: NDArray[np.float64]
    """float64 [N, 2], -1 to 1, the second axis downward."""
    reports: NDArray[np.float64]
    """float64 [N, 2]: the report of each image."""
    shares: tuple[float, float]
    """Of the variance, along each axis."""


@dataclass(frozen=True, slots=True, eq=False)
class ArchiveFigures:
    """What was measured on the pairs of an archive."""

    pairs: int
    gap: float
    floor: float
    """What the gap of a perfectly mixed space of this size would be."""
    other_share: float
    """Share of the other kind among the ten nearest, over as many images as reports; 0.5 is balanced."""
    space: Space


def on_archive(archive: Archive, bundle: Bundle) -> ArchiveFigures | None:
    """The figures of an archive; None when too few of its cases have an image and a report.

    Raises:
        UserError: another bundle made the vectors of the archive.
    """
    people = {facts.case_id: facts.patient or f"case {facts.case_id}" for facts in archive.all_images()}
    cases = np.array(sorted(people), np.int64)
    cases = np.intersect1d(cases, archive.index.of_cases(cases.tolist(), "report", bundle.id)[0])
    if len(cases) < LEAST:
        return None
    if len(cases) > PAIRS:
        cases = np.sort(np.random.default_rng(0).choice(cases, PAIRS, replace=False))
    images, reports = (_first(archive, cases, kind, bundle.id) for kind in get_args(Kind))
    numbers = {person: number for number, person in enumerate(dict.fromkeys(people[case] for case in cases.tolist()))}
    persons = np.array([numbers[people[case]] for case in cases.tolist()])
    apart, floor = gap(Embedded(images, reports, np.arange(len(cases)), persons))
    scale = archive.score_scale.current(bundle.score_scale, bundle.id)
    space = project(images[:SHOWN], reports[:SHOWN])
    return ArchiveFigures(len(cases), float(apart[0]), float(floor[0]), other_share(images, reports, scale), space)


def _first(archive: Archive, cases: NDArray[np.int64], kind: Kind, bundle_id: str) -> Rows:
    """The first vector of one kind of each case, which has one, float32 [N, D]."""
    owners, vectors = archive.index.of_cases(cases.tolist(), kind, bundle_id)
    found, first = np.unique(owners, return_index=True)
    return vectors[first[np.isin(found, cases)]]


def other_share(images: Rows, reports: Rows, scale: ScoreScale) -> float:
    """Share of the other kind among the ten best of each vector, by the scores of a search; the query is left out.

    Args:
        images: float32 [N, D].
        reports: float32 [N, D], as many.
        scale: of the archive.
    """
    rows: dict[Kind, Rows] = {"image": scale.centered(images, "image"), "report": scale.centered(reports, "report")}
    blocks = []
    for one, mine in rows.items():
        spreads = {other: scale.spreads[PAIR[one, other]] for other in rows}
        blocks.append([(mine @ rows[other].T - of.mean) / of.std for other, of in spreads.items()])
    scores = np.block(blocks)
    np.fill_diagonal(scores, -np.inf)
    is_report = np.arange(len(scores)) >= len(images)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :TOP]
    return float((is_report[best] != is_report[:, None]).mean())


def project(images: Rows, reports: Rows) -> Space:
    """Images and reports float32 [N, D] each, around their common mean."""
    rows = np.concatenate([images, reports]).astype(np.float64)
    rows -= rows.mean(0)
    _, values, axes = np.linalg.svd(rows, full_matrices=False)
    flat = rows @ axes[:2].T
    flat /= max(float(np.abs(flat).max()), 1e-12)
    shares = np.square(values[:2]) / max(float(np.square(values).sum()), 1e-12)
    return Space(flat[: len(images)], flat[len(images) :], (float(shares[0]), float(shares[1])))
