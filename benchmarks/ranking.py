"""Measures on val how scores of images and reports compare, and the constants of the ranking that have no labels.

    python -m benchmarks.ranking --data pairs-iu/pairs.csv pairs-roco/pairs.csv [--bundle DIR] [--only scale same ...]
                                [--markdown docs/benchmarks.md]

Each source is an archive of its val images and unique texts. `scale`: cross nDCG@10 and the share of the other kind in
the top 10, by raw cosines, by the constants of the bundle, and by means and spreads of the archive. `prior`: the error
of z in small archives, by how many cases the constants of the bundle count as. `same`: of the image pairs that
correlate as one picture, how many are of one case. `facts`: what agreeing and disagreeing facts weigh, in z.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import _section
from engine.bundle import Bundle
from engine.retrieval.same_picture import SAME, signature
from engine.store.case import Kind
from engine.store.score_scale import PAIR, Sample, ScoreScale, measured
from training.data.pairs import Pair, read_pairs
from training.metrics import pool as pools
from training.metrics.retrieval import balanced_other_share, ndcg_at, shared_groups

Floats = NDArray[np.float64]
SIZES, PRIORS = (5, 10, 20, 50, 100, 200), (0, 2, 5, 10, 20, 50)
RAW = ScoreScale.of_bundle({pair: {"mean": 0.0, "std": 1.0} for pair in PAIR.values()})


class Source:
    """The val images and unique texts of one CSV, embedded."""

    def __init__(self, path: Path, bundle: Bundle) -> None:
        pairs = read_pairs([path], stream=True).split("val")
        self.name = path.parent.name
        self.rows: list[Pair] = pairs.rows
        self.pool = pools.build(pairs.rows)
        self.images = [pairs.images[number] for number in range(len(pairs.rows))]
        vectors = [bundle.embed_images([image]) for image in self.images]
        self.items = np.concatenate([*vectors, bundle.embed_texts(self.pool.texts)])
        self.is_text = self.pool.is_text
        self.related = shared_groups(self.pool.item_groups)
        self.group = np.array([int(np.argmax(row)) for row in self.pool.item_groups])

    def scale(self, constants: Mapping[str, object], chosen: NDArray[np.int64], prior: float) -> ScoreScale:
        """That of an archive of some of the items."""
        samples: dict[Kind, Sample] = {}
        for kind, texts in (("image", False), ("report", True)):
            of_kind = chosen[self.is_text[chosen] == texts]
            samples[kind] = Sample(self.items[of_kind], self.group[of_kind])  # type: ignore[index]
        return measured(samples, constants, prior)

    def scores(self, scale: ScoreScale) -> Floats:
        """z of every two items, float64 [N, N]."""
        kinds: list[Kind] = ["report" if text else "image" for text in self.is_text.tolist()]
        rows = np.stack([scale.centered(row, kind) for row, kind in zip(self.items, kinds, strict=True)])
        means = np.array([[scale.spreads[PAIR[a, b]].mean for b in ("image", "report")] for a in ("image", "report")])
        spreads = np.array([[scale.spreads[PAIR[a, b]].std for b in ("image", "report")] for a in ("image", "report")])
        pairs = np.ix_(self.is_text.astype(int), self.is_text.astype(int))
        return np.asarray((rows @ rows.T - means[pairs]) / spreads[pairs], np.float64)


def scale_lines(source: Source, constants: Mapping[str, object]) -> list[str]:
    """One row a way of scoring."""
    everything = np.arange(len(source.items))
    ways = {
        "raw cosine": RAW,
        "constants of the bundle": ScoreScale.of_bundle(constants),
        "archive": source.scale(constants, everything, 10),
    }
    order = np.random.default_rng(0).permutation(len(everything))
    is_text, related = source.is_text[order], source.related[np.ix_(order, order)].copy()
    np.fill_diagonal(related, False)
    lines = []
    for name, scale in ways.items():
        scores = source.scores(scale)[np.ix_(order, order)]
        np.fill_diagonal(scores, -np.inf)
        across = float(np.nanmean(ndcg_at(scores, related & (is_text[:, None] != is_text[None, :]))))
        share = balanced_other_share(scores, is_text)
        shares = [float(np.nanmean(share[is_text == texts])) for texts in (False, True)]
        lines.append(f"| {source.name} | {name} | {across:.3f} | {shares[0]:.2f} | {shares[1]:.2f} |")
    return lines


def prior_lines(source: Source, constants: Mapping[str, object], draws: int = 8) -> list[str]:
    """Root mean square error of z against the whole split, one row a size of the archive."""
    full = source.scores(source.scale(constants, np.arange(len(source.items)), 0))
    lines = []
    for size in SIZES:
        errors = np.zeros(len(PRIORS))
        for draw in range(draws):
            rng = np.random.default_rng(draw)
            kinds = [np.flatnonzero(source.is_text == texts) for texts in (False, True)]
            chosen = np.concatenate([rng.choice(kind, min(size, len(kind)), replace=False) for kind in kinds])
            found = [source.scores(source.scale(constants, chosen, prior)) for prior in PRIORS]
            errors += [float(np.sqrt(np.square(one - full).mean())) / draws for one in found]
        lines.append(f"| {source.name} | {size} | {' | '.join(f'{error:.2f}' for error in errors)} |")
    return lines


def same_lines(source: Source) -> list[str]:
    """Image pairs that count as the same picture."""
    signatures = np.stack([signature(image) for image in source.images])
    first, second = np.triu_indices(len(signatures), 1)
    alike = (signatures @ signatures.T)[first, second] >= SAME
    related = source.related[first, second][alike]
    return [f"| {source.name} | {int(alike.sum())} | {int(related.sum())} |"]


def fact_lines(source: Source, constants: Mapping[str, object]) -> list[str]:
    """Log-odds of agreeing over disagreeing facts, divided by the slope of z, from one logistic regression."""
    firsts = [int(np.argmax(source.pool.own == text)) for text in range(len(source.pool.texts))]
    rows = [source.rows[number].values for number in (*range(len(source.rows)), *firsts)]
    finding = np.array([row.get("finding", "").lower() for row in rows])
    relevant = source.related | ((finding[:, None] == finding[None, :]) & (finding != "")[:, None])
    z = source.scores(source.scale(constants, np.arange(len(rows)), 10))
    lines = []
    for name, values in ((name, np.array(of_items)) for name, of_items in source.pool.facts.items()):
        known = np.outer(values != "", values != "") & ~np.eye(len(rows), dtype=bool)
        if known.any() and len(set(values[values != ""])) > 1:
            agree = (values[:, None] == values[None, :])[known].astype(np.float64)
            slopes = logistic(np.column_stack([z[known], agree]), relevant[known].astype(np.float64))
            share = float(agree[~relevant[known]].mean())
            ratio = float(np.exp(slopes[1]))
            disagree = -float(np.log(share * ratio + 1 - share)) / slopes[0]  # on average, facts change nothing
            gap = slopes[1] / slopes[0]
            lines.append(f"| {source.name} | {name} | {slopes[0]:.2f} | {disagree + gap:.2f} | {disagree:.2f} |")
    return lines


def logistic(columns: Floats, answers: Floats, penalty: float = 1.0) -> Floats:
    """The slopes of a logistic regression by Newton's method, float64 [columns]."""
    rows = np.column_stack([np.ones(len(columns)), columns])
    weights = np.zeros(rows.shape[1])
    for _ in range(30):
        expected = 1 / (1 + np.exp(-rows @ weights))
        gradient = rows.T @ (answers - expected) - penalty * weights
        curvature = (rows * (expected * (1 - expected))[:, None]).T @ rows + penalty * np.eye(len(weights))
        weights = weights + np.linalg.solve(curvature, gradient)
    return np.asarray(weights[1:])


TITLE = "Scores and constants of the ranking"
TABLES = {
    "scale": "| source | scores | cross nDCG@10 | other kind: image queries | text queries |",
    "prior": f"| source | cases | {' | '.join(f'prior {prior}' for prior in PRIORS)} |",
    "same": "| source | pairs that are the same picture | of one case |",
    "facts": "| source | fact | slope of z | agree | disagree |",
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="CSVs of pairs with a split val")
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--only", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--markdown", type=Path, help="also write the tables into this file")
    options = parser.parse_args()
    bundle = Bundle.open(options.bundle)
    sources = [Source(path, bundle) for path in options.data]
    tables = [f"Bundle `{bundle.id}`, validation rows. `python -m benchmarks.ranking`"]
    for name in options.only:
        head = [TABLES[name], "|---" * TABLES[name].count(" | ") + "|---|"]
        tables.append("\n".join([*head, *(one for of in sources for one in lines_of(name, of, bundle.score_scale))]))
        print(tables[-1], end="\n\n", flush=True)
    if options.markdown:
        _section.put(options.markdown, TITLE, "\n\n".join(tables))


def lines_of(table: str, source: Source, constants: Mapping[str, object]) -> list[str]:
    """The rows of one table for one source."""
    if table == "same":
        return same_lines(source)
    return {"scale": scale_lines, "prior": prior_lines, "facts": fact_lines}[table](source, constants)


if __name__ == "__main__":
    main()
