"""All metrics source by source, and over all sources in one pool: raw, and centred on the archive that is searched.

A gap is a property of a space on a distribution, so a number over several sources hides what one of them shows. Takes
embeddings; knows no models and no files.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.arrays import Float32Array, IntArray
from training.data.pairs import Pair
from training.metrics import gap, measure, pool, zero_shot
from training.metrics.bootstrap import Comparison
from training.metrics.measure import Measured
from training.metrics.pool import Pool

ALL = "all"
TITLES = {
    "pairs": "pairs",
    "pairs-iu": "IU",
    "pairs-roco": "ROCO",
    "pairs-vqamed": "VQA-Med",
    "pairs-more": "pairs-more",
}
"""What tables call the sources, by the folder of their manifest; any other keeps the name of its folder."""
RAW, CENTRED = "raw", "centred"
KINDS = (RAW, CENTRED)
SUFFIX = {RAW: "", CENTRED: ", centred"}
"""What stands behind the name of a model in the rows of a table."""


@dataclass(frozen=True)
class Vectors:
    """One model's embeddings of a split, unit rows."""

    images: Float32Array
    """[N, D] of the rows in their order."""
    texts: Float32Array
    """[T, D] of the unique texts in the order of their first row."""
    words: Float32Array
    """[phrases, D] of `zero_shot.phrases`."""
    own: IntArray
    """[N] the number of each image's own text."""

    def part(self, chosen: Sequence[int]) -> "Vectors":
        """The embeddings of some rows, with their unique texts in the order of their first row."""
        numbers = self.own[list(chosen)]
        kept, first, own = np.unique(numbers, return_index=True, return_inverse=True)
        order = np.argsort(first)  # in the order of their first row
        return Vectors(self.images[list(chosen)], self.texts[kept[order]], self.words, np.argsort(order)[own])

    def centred(self) -> "Vectors":
        """Each modality minus its own mean over the pairs of this archive, normalised again; words are texts.

        Over the pairs, not the unique texts, since the gap too is that of the pairs.
        """
        means = self.images.mean(0), self.texts[self.own].mean(0)
        return Vectors(
            gap.centred(self.images, means[0]).astype(np.float32),
            gap.centred(self.texts, means[1]).astype(np.float32),
            gap.centred(self.words, means[1]).astype(np.float32),
            self.own,
        )


def parts(rows: Sequence[Pair]) -> dict[str, list[int]]:
    """Row numbers by source, in the order in which the sources come; ALL last if there are several."""
    found: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        found.setdefault(TITLES.get(row.manifest, row.manifest), []).append(number)
    return found if len(found) == 1 else {**found, ALL: list(range(len(rows)))}


def pools(rows: Sequence[Pair], seen: Collection[str]) -> dict[str, Pool]:
    """The pool of each source, and of all of them; `seen` as in `pool.build`."""
    return {name: pool.build([rows[i] for i in chosen], seen) for name, chosen in parts(rows).items()}


def measured(
    vectors: Vectors, rows: Sequence[Pair], seen: Collection[str], draws: int = measure.DRAWS, seed: int = 0
) -> Iterator[tuple[str, str, Measured]]:
    """(source, one of KINDS, all metrics) of one model; the score scale is measured on the archive itself.

    Args:
        rows: of one split, with as many rows as there are images.
        seen: the texts of the train splits, a set.
        draws, seed: as in `measure.measure`.
    """
    items = pools(rows, seen)
    for name, chosen in parts(rows).items():
        part = vectors.part(chosen)
        for kind, moved in ((RAW, part), (CENTRED, part.centred())):
            yield (
                name,
                kind,
                measure.measure(
                    moved.images,
                    moved.texts,
                    items[name],
                    words=moved.words,
                    clusters=False,
                    draws=draws,
                    seed=seed,
                ),
            )


def references(rows: Sequence[Pair], seen: Collection[str]) -> dict[str, dict[str, Any]]:
    """By source: the sizes of its pool, how many show each finding, and the values by chance and of frequent texts."""
    return {
        name: {
            "pool": items.as_dict(),
            "positives": zero_shot.positives(items.findings[: len(items.own)], items.groups),
            "chance": measure.chance(items),
            "habit": measure.habit(items),
        }
        for name, items in pools(rows, seen).items()
    }


def values(found: Mapping[str, float]) -> dict[str, float | None]:
    """Metrics for JSON: nan becomes None, everything else has five digits."""
    return {name: None if np.isnan(value) else round(float(value), 5) for name, value in found.items()}


def compared(
    found: Mapping[str, Mapping[tuple[str, str], Measured]], references: Mapping[str, Mapping[str, Any]], candidate: str
) -> dict[str, dict[str, Any]]:
    """By source: pool, chance, habit, `models` {name: {metric: {value, low, high}}} and `comparisons`.

    Args:
        found: by source, then by name and kind.
        candidate: the model whose raw metrics are compared with every other row.
    """
    return {
        source: {
            **references[source],
            "models": {name + SUFFIX[kind]: entries(one) for (name, kind), one in rows.items()},
            "comparisons": {
                f"{candidate} over {name}{SUFFIX[kind]}": rounded(measure.compare(rows[candidate, RAW], one))
                for (name, kind), one in rows.items()
                if (name, kind) != (candidate, RAW)
            },
        }
        for source, rows in found.items()
    }


def entries(found: Measured) -> dict[str, dict[str, float]]:
    """By metric: value and, where there is one, its interval; without what could not be measured."""
    shown: dict[str, dict[str, float]] = {}
    for name, value in found.values.items():
        if value == value:
            ends = found.interval(name)
            interval = {} if ends is None else {"low": round(ends[0], 5), "high": round(ends[1], 5)}
            shown[name] = {"value": round(value, 5), **interval}
    return shown


def rounded(found: Mapping[str, Comparison]) -> dict[str, dict[str, Any]]:
    """Comparisons as plain values with five digits."""
    return {
        name: {key: round(value, 5) if isinstance(value, float) else value for key, value in entry.items()}
        for name, entry in measure.flat(found).items()
    }
