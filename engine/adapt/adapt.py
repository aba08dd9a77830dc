"""Adapts a bundle to an archive: features, training, comparison, and a new bundle if it is better. Knows no screens."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.adapt import features, measures, network, pairs, write
from engine.adapt.compare import Comparison, against, compare
from engine.adapt.measures import Embedded
from engine.adapt.pairs import Pair
from engine.adapt.replay import SamplePair, sample_pairs
from engine.adapt.table import markdown
from engine.adapt.training import Recipe, TrainingFeatures, train
from engine.archive import Archive
from engine.bundle import Bundle
from engine.errors import UserError
from engine.models.heads import Heads, Rows
from engine.models.manifest import require_export_target
from engine.progress import IsCancelled, Progress, ignore, never
from engine.text.words import counted

VIEWS = 4
"""Of each training image: the whole and three crops."""
SECONDS_PER_PAIR = 0.4
"""On two cores."""


@dataclass(frozen=True, slots=True)
class AdaptOptions:
    """How to adapt; see `kindred adapt --help`."""

    out: Path
    limit: int = pairs.LIMIT
    """Of the pairs; more are sampled."""
    force: bool = False
    """Write the new bundle even if it is not better."""
    recipe: Recipe = field(default_factory=Recipe)
    sample: Path | None = None
    """Folder of the pairs of other sources; None for the sample archive."""


@dataclass(frozen=True, slots=True)
class AdaptResult:
    """What became of the adaptation."""

    written: bool
    bundle_id: str
    """Of the new bundle; "" if it was not written."""
    trained_on: int
    """Pairs of the archive."""
    own: Comparison
    """On held-out patients of the archive."""
    others: Comparison | None
    """On pairs of other sources that were not replayed; None without a sample archive."""
    against: list[str]
    """Reasons against the new bundle; empty if it is better."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Plan:
    """What `adapt` will do."""

    learned: int
    """Images with reports to learn from."""
    held_out: int
    """Images of other patients to measure on."""

    @property
    def minutes(self) -> int:
        """About how long it takes on two cores."""
        return max(1, round((self.learned + self.held_out) * SECONDS_PER_PAIR / 60))

    def __str__(self) -> str:
        return (
            f"Learning from {counted(self.learned, 'image')} with reports and measuring on {self.held_out:,} of other "
            f"patients: about {counted(self.minutes, 'minute')}."
        )


def plan(archive: Archive, limit: int = pairs.LIMIT) -> Plan:
    """What `adapt` will do.

    Raises:
        UserError: too few pairs.
    """
    found = pairs.read(archive, limit)
    held_out = sum(pair.held_out for pair in found)
    return Plan(len(found) - held_out, held_out)


def require_heads(bundle: Bundle) -> None:
    """Raise UserError unless the projections of a bundle can be trained."""
    if bundle.heads is None:
        raise UserError(
            f"The bundle {bundle.folder} has its projections inside its graphs and cannot be adapted; use a newer one."
        )


def adapt(
    archive: Archive,
    bundle: Bundle,
    options: AdaptOptions,
    progress: Progress = ignore,
    cancelled: IsCancelled = never,
) -> AdaptResult:
    """Train the heads of a bundle on the pairs of an archive; write a new bundle if it is better, or if forced.

    Nothing is written before the end, and neither the archive nor the bundle is changed.

    Raises:
        Cancelled: `cancelled` returned True.
        UserError: too few pairs; a bundle without heads; the folder of the new bundle is something else or the old one.
    """
    require_export_target(options.out, bundle.folder)
    require_heads(bundle)
    assert bundle.heads is not None
    found = pairs.read(archive, options.limit)
    learned, held_out = ([pair for pair in found if pair.held_out is out] for out in (False, True))
    sample = sample_pairs(options.sample)
    replayed, kept_out = ([pair for pair in sample if pair.held_out is out] for out in (False, True))
    seed = options.recipe.seed

    def of_archive(some: Sequence[Pair], views: int = 1) -> TrainingFeatures:
        def load(number: int) -> NDArray[np.uint8]:
            return archive.image(some[number].image_id)

        texts = [pair.text for pair in some]
        return features.features(bundle, load, texts, views, views > 1, seed, progress, cancelled)

    def of_sample(some: Sequence[SamplePair]) -> TrainingFeatures:
        texts = [pair.text for pair in some]
        return features.features(bundle, lambda n: some[n].image(), texts, progress=progress, cancelled=cancelled)

    own, measured = of_archive(learned, VIEWS), of_archive(held_out)
    replay = of_sample(replayed) if replayed else None
    heads = train(bundle.heads, own, replay, options.recipe, progress, cancelled)
    comparison, embedded = _compared(bundle, heads, measured, [pair.person for pair in held_out], held_out)
    others = None
    if kept_out:
        others = _compared(bundle, heads, of_sample(kept_out), [pair.text for pair in kept_out], ())[0]
    reasons = against(comparison, others)
    result = AdaptResult(False, "", len(learned), comparison, others, reasons)
    if reasons and not options.force:
        return result
    report = markdown(comparison, others)
    changes = write.constants(bundle, embedded)
    changes["adapted"] = {"from": bundle.id, "pairs": len(found), "patients": len({pair.person for pair in found})}
    changes["adapted"] |= {key: value for key, value in result.as_dict().items() if key not in ("written", "bundle_id")}
    changes["adapted"]["recipe"] = asdict(options.recipe)
    changes["data_provenance"] = write.provenance(bundle, len(learned))
    write.write(bundle, options.out, heads, changes, report)
    return AdaptResult(True, Bundle.open(options.out).id, len(learned), comparison, others, reasons)


def _compared(
    bundle: Bundle, heads: Heads, given: TrainingFeatures, persons: Sequence[str], reported: Sequence[Pair]
) -> tuple[Comparison, Embedded]:
    """The comparison of both heads, and the pairs as the new ones embed them; findings where reports are given."""
    assert bundle.heads is not None
    numbers = {person: number for number, person in enumerate(dict.fromkeys(persons))}
    people = np.array([numbers[person] for person in persons])
    both = [
        Embedded(
            network.forward(one.image, network.prepared(one.image, given.images[0])).rows,
            _rows(one, given.texts),
            given.text_of,
            people,
        )
        for one in (bundle.heads, heads)
    ]
    has = measures.findings_of([pair.text for pair in reported])
    trunk = bundle.text_trunk(list(has)) if has else np.zeros((0, 1), np.float32)
    words = [dict(zip(has, _rows(one, trunk), strict=True)) if has else {} for one in (bundle.heads, heads)]
    return compare(both[0], both[1], has, (words[0], words[1])), both[1]


def _rows(heads: Heads, texts: Rows) -> Rows:
    """Embeddings of texts from their trunk features."""
    return np.asarray(network.forward(heads.text, network.prepared(heads.text, texts)).rows, np.float32)
