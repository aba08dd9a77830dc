"""Measures what adapting a bundle to an archive gives: `python -m benchmarks.adapt --data FOLDER --bundle B`.

Claim: 600 pairs of a source that the bundle never saw bring its gap down and its findings up, and cost other sources at
most one point of recall on average; no interval is given, only the deviation over seeds.

Pretend archives are drawn from the training rows of a source, whole patients at a time; everything is measured on val.
Trunk features are computed once and kept in --cache, so that a second run takes minutes.
"""

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks._section import put
from engine.adapt import network
from engine.adapt.adapt import VIEWS
from engine.adapt.features import features
from engine.adapt.pairs import is_held_out
from engine.adapt.replay import sample_pairs
from engine.adapt.training import Recipe, TrainingFeatures, train
from engine.bundle import Bundle
from engine.models.heads import Heads, Rows
from training.data import known_facts
from training.data.pairs import Pair, read_gray, read_manifest
from training.metrics import gap, ranking, zero_shot

QUESTIONS = ("effusion", "cardiomegaly", "normal", "opacity")


@dataclass(frozen=True)
class Split:
    """Rows with the trunk features of their images and different texts."""

    rows: list[Pair]
    given: TrainingFeatures


def cached(folder: Path, name: str, bundle: Bundle, rows: Sequence[Pair], views: int = 1) -> Split:
    """The features of some rows, from the cache if those of these very rows and models are there."""
    content = "\n".join([bundle.id, str(views), *(f"{row.path}\t{row.text}" for row in rows)])
    path = folder / f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:16]}.npz"
    if not path.is_file():
        texts = [row.text for row in rows]

        def show(done: int, total: int, what: str) -> None:
            print(f"{path.stem}: {done} of {total}", end="\r", flush=True)

        found = features(bundle, lambda number: read_gray(rows[number].path), texts, views, views > 1, progress=show)
        lengths = np.array([len(of) for of in found.sentences_of])
        parts = np.concatenate(found.sentences_of) if len(lengths) else lengths
        np.savez(path, images=found.images, texts=found.texts, text_of=found.text_of, lengths=lengths, parts=parts)
    with np.load(path) as kept:
        cuts = np.cumsum(kept["lengths"])[:-1]
        of = np.split(kept["parts"], cuts) if len(kept["lengths"]) else ()
        return Split(list(rows), TrainingFeatures(kept["images"], kept["texts"], kept["text_of"], of))


def drawn(rows: Sequence[Pair], count: int, seed: int) -> list[int]:
    """The numbers of about `count` rows, whole patients at a time, without those that `adapt` would hold out."""
    patients = list(dict.fromkeys(row.patient for row in rows))
    order = {patients[n]: place for place, n in enumerate(np.random.default_rng(seed).permutation(len(patients)))}
    chosen = sorted(range(len(rows)), key=lambda number: order[rows[number].patient])[:count]
    return [number for number in chosen if not is_held_out(rows[number].patient)]


def part(given: TrainingFeatures, chosen: Sequence[int]) -> TrainingFeatures:
    """The features of some pairs; texts stay where they are."""
    numbers = np.array(chosen)
    return TrainingFeatures(
        given.images[:, numbers], given.texts, given.text_of[numbers], [given.sentences_of[n] for n in chosen]
    )


def embedded(heads: Heads, images: Rows, texts: Rows) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Unit rows of both."""
    both = ((heads.image, images), (heads.text, texts))
    first, second = (network.forward(head, network.prepared(head, rows)).rows for head, rows in both)
    return np.asarray(first, np.float32), np.asarray(second, np.float32)


def measure(heads: Heads, split: Split, phrases: Rows) -> dict[str, float]:
    """Gap over its floor, recall@10 in percent, and the AUROC of QUESTIONS where there are findings."""
    images, texts = embedded(heads, split.given.images[0], split.given.texts)
    groups = np.unique([row.group for row in split.rows], return_inverse=True)[1]
    paired = texts[split.given.text_of]
    own = split.given.text_of[:, None] == np.arange(len(texts))[None]
    scores = images @ texts.T
    found = {
        "gap": gap.gap(images, paired) - gap.gap_floor(images, paired, groups, 200),
        "image to text": 100 * ranking.recall_at(scores, own, 10),
        "text to image": 100 * ranking.recall_at(scores.T, own.T, 10),
    }
    shown = [known_facts.findings(row) for row in split.rows]
    if any(shown):
        words = embedded(heads, split.given.images[0][:1], phrases)[1]
        aurocs, _ = zero_shot.measure(images, words, shown, np.zeros((0, len(images))))
        found |= {name: aurocs[f"auroc_{name}"] for name in QUESTIONS if f"auroc_{name}" in aurocs}
    return found


def line(name: str, found: Sequence[Sequence[dict[str, float]]], before: Sequence[dict[str, float]]) -> str:
    """A row of the table: means over the seeds, and deviations of the adapted source's figures."""
    own = [one[0] for one in found]

    def cell(key: str, digits: int) -> str:
        values = [one[key] for one in own]
        spread = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
        return f"{np.mean(values):.{digits}f}{spread}"

    cells = [name, cell("gap", 3), f"{cell('image to text', 1)} / {cell('text to image', 1)}"]
    cells += [cell(key, 2) if key in own[0] else "" for key in QUESTIONS]
    for number in range(1, len(before)):
        recall = [sum(one[number][way] for way in ("image to text", "text to image")) / 2 for one in found]
        was = sum(before[number][way] for way in ("image to text", "text to image")) / 2
        cells.append(f"{np.mean(recall):.1f} ({np.mean(recall) - was:+.1f})")
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Adapt with every size and seed, and print or write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.adapt", description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder of the manifests")
    add("--bundle", type=Path, help="the bundle to adapt; default: the starter bundle")
    add("--source", default="pairs-iu/pairs.csv", help="manifest of the pretend archives")
    add("--others", nargs="*", default=["pairs/pairs.csv", "pairs-roco/pairs.csv"])
    add("--sizes", nargs="+", type=int, default=[100, 300, 600, 1200])
    add("--seeds", nargs="+", type=int, default=[1, 2, 3])
    add("--pool", type=int, default=1400, help="training rows that the archives are drawn from")
    add("--cache", type=Path, required=True, help="folder for the features")
    add("--out", type=Path, help="Markdown document to write the table into")
    options = parser.parse_args()
    bundle = Bundle.open(options.bundle)
    if bundle.heads is None:
        parser.error("the bundle has its projections inside its graphs; give one with heads.npz")
    cache = options.cache
    cache.mkdir(parents=True, exist_ok=True)

    def rows_of(manifest: str, split: str) -> list[Pair]:
        return [row for row in read_manifest(options.data / manifest)[0] if row.split == split]

    training = rows_of(options.source, "train")
    pool = [training[n] for n in _whole_patients(training, options.pool)]
    own = cached(cache, "adapt-pool", bundle, pool, VIEWS)
    vals = [cached(cache, "adapt-val", bundle, rows_of(name, "val")) for name in (options.source, *options.others)]
    sample = [pair for pair in sample_pairs() if not pair.held_out]
    kept = cached(cache, "adapt-sample", bundle, [Pair(p.path, p.text, "train", "", "", {}) for p in sample])
    phrases = bundle.text_trunk(zero_shot.phrases())
    before = [measure(bundle.heads, val, phrases) for val in vals]
    lines = [
        "| pairs in the archive | gap over its floor | R@10 image to text / text to image | "
        + " | ".join(f"AUROC {name}" for name in QUESTIONS)
        + "".join(f" | R@10 of {name.split('/')[0]}" for name in options.others)
        + " |",
        "|" + "---|" * (3 + len(QUESTIONS) + len(options.others)),
        line("before", [before], before),
    ]
    print("\n".join(lines))
    for size in options.sizes:
        found = []
        for seed in options.seeds:
            given = part(own.given, drawn(pool, size, seed))
            heads = train(bundle.heads, given, kept.given, Recipe(seed=seed))
            found.append([measure(heads, val, phrases) for val in vals])
        lines.append(line(f"{size:,}", found, before))
        print(lines[-1], flush=True)
    if options.out:
        count = f"{len(options.seeds)} seeds; val of {options.source}, {len(vals[0].rows)} images"
        put(options.out, f"Adapted: {options.source.split('/')[0]}", f"{count}.\n\n" + "\n".join(lines))


def _whole_patients(rows: Sequence[Pair], count: int) -> list[int]:
    """The numbers of `count` rows, patients in the order of a hash."""
    place = {row.patient: hashlib.sha256(row.patient.encode()).digest() for row in rows}
    return sorted(range(len(rows)), key=lambda number: place[rows[number].patient])[:count]


if __name__ == "__main__":
    main()
