"""The pool that a split is evaluated on: all images, each unique text once. Knows no embeddings and no metrics."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from training.arrays import BoolArray, IntArray
from training.data import known_facts
from training.data.pairs import Pair

RADIOGRAPH = "CR"


@dataclass(frozen=True)
class Pool:
    """N images and T unique texts, in that order as N + T items; G groups (split_group)."""

    texts: list[str]
    own: IntArray
    """[N] the number of each image's own text."""
    groups: IntArray
    """[N] the group of each pair."""
    text_groups: IntArray
    """[T] the group in which each text occurs first."""
    item_groups: BoolArray
    """[N + T, G]; a text that occurs in several groups belongs to all of them."""
    group_names: list[str]
    labels: dict[str, list[str]]
    """Labels that clusters are compared with, by name: one per item, "" if unknown."""
    facts: dict[str, list[str]]
    """`modality` and `region`: one per item, "" if unknown; see `training.data.known_facts`."""
    seen: BoolArray
    """[T] whether a text is, word for word, in a train split too."""
    findings: list[frozenset[str]]
    """MeSH headings: one set per item, that of a text being those of all its images; empty if unknown."""

    @property
    def positives(self) -> BoolArray:
        """Returns bool [N, T]: a hit is the identical text."""
        return np.equal(self.own[:, None], np.arange(len(self.texts))[None, :])

    @property
    def is_text(self) -> BoolArray:
        """Returns bool [N + T]."""
        return np.greater_equal(np.arange(len(self.own) + len(self.texts)), len(self.own))

    def as_dict(self) -> dict[str, int | float]:
        """The sizes of the pool, for JSON."""
        counts = np.bincount(self.groups)
        return {
            "images": len(self.own),
            "texts": len(self.texts),
            "groups": len(self.group_names),
            "images_with_train_text": int(self.seen[self.own].sum()),
            "effective_groups": round(float(counts.sum() ** 2 / np.square(counts).sum()), 1),
        }


def build(rows: Sequence[Pair], seen: Collection[str] = ()) -> Pool:
    """The pool of the rows of one split.

    Locations of radiographs are left out: their manifest has the hospital there, not the body part.

    Args:
        seen: the texts of the train splits, if they are known; a set.
    """
    texts = list(dict.fromkeys(row.text for row in rows))
    names = list(dict.fromkeys(row.group for row in rows))
    number, group_number = {t: i for i, t in enumerate(texts)}, {g: i for i, g in enumerate(names)}
    own = np.array([number[row.text] for row in rows])
    groups = np.array([group_number[row.group] for row in rows])
    first_row = np.array([int(np.argmax(own == text)) for text in range(len(texts))])
    item_groups = np.zeros((len(rows) + len(texts), len(names)), bool)
    item_groups[np.arange(len(rows)), groups] = True
    item_groups[len(rows) + own, groups] = True
    modality = [row.values.get("modality", "") for row in rows]
    location = [row.values.get("location", "") if m != RADIOGRAPH else "" for row, m in zip(rows, modality)]
    labels = {
        "modality": modality + [modality[i] for i in first_row],
        "location": location + [location[i] for i in first_row],
        "kind": ["image"] * len(rows) + ["text"] * len(texts),
    }
    facts = [known_facts.of(row) for row in rows]
    shown = [known_facts.findings(row) for row in rows]
    described = [frozenset[str]().union(*(shown[i] for i in np.flatnonzero(own == text))) for text in range(len(texts))]
    return Pool(
        texts,
        own,
        groups,
        groups[first_row],
        item_groups,
        names,
        labels,
        {kind: [found[kind] for found in (*facts, *(facts[i] for i in first_row))] for kind in ("modality", "region")},
        np.array([text in seen for text in texts], bool),
        shown + described,
    )
