"""The classifiers of facts: fitted on labelled features, calibrated, stored small, silent where unsure."""

from pathlib import Path

import numpy as np
import pytest

from engine.errors import UserError
from engine.facts.fact import values_of
from engine.facts.from_models import FactHead, FactHeads
from training.data.pairs import Pair
from training.metrics.fact_heads import FILE, entry, fit, labels_of, measure, write

KINDS = ("CT", "MR", "CR")


def pairs(seed: int, count: int) -> tuple[np.ndarray, list[Pair]]:
    """Unit rows of three clusters, and pairs whose columns name the cluster as a modality."""
    rng = np.random.default_rng(seed)
    number = rng.integers(0, 3, count)
    rows = np.eye(3, 16)[number] * 2 + rng.normal(size=(count, 16)) * 0.5
    found = [
        Pair(Path(f"{n}.png"), "A finding.", "train", f"p{n}", f"g{n}", {"modality": KINDS[kind]})
        for n, kind in enumerate(number)
    ]
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), found


def test_columns_go_before_words_and_unknown_is_empty() -> None:
    rows = [
        Pair(Path("a"), "MRI of the brain, sagittal plane.", "train", "", "", {"modality": "CT", "location": "Chest"}),
        Pair(Path("b"), "A finding.", "train", "", ""),
    ]
    assert {kind: labels.tolist() for kind, labels in labels_of(rows).items()} == {
        "modality": ["CT", ""],
        "region": ["chest", ""],
        "view": ["sagittal", ""],
    }


def test_what_is_learnt_is_said_of_new_images_with_fitting_probabilities() -> None:
    heads = fit(*pairs(0, 900))
    assert list(heads.heads) == ["modality"]
    found = measure(heads, *pairs(1, 600))["modality"]
    assert found["accuracy"] > 0.95
    assert found["calibration_error"] < 0.05
    assert found["classes"]["CT"]["precision"] > 0.9
    assert sum(one["images"] for one in found["classes"].values()) == found["images"] == 600


def test_the_bundle_gets_a_small_file_that_says_the_same(tmp_path: Path) -> None:
    (train, training), (val, held_out) = pairs(0, 300), pairs(1, 200)
    made = write(tmp_path, train, training, val, held_out)
    assert (made["file"], made["training_images"], made["val"]["modality"]["images"]) == (FILE, 300, 200)
    said = FactHeads.from_file(tmp_path / FILE).facts_of(val)
    assert [values_of(facts) for facts in said] == [values_of(facts) for facts in fit(train, training).facts_of(val)]
    assert {fact.source for facts in said for fact in facts.values()} == {"models"}


def test_nothing_is_said_below_one_half() -> None:
    head = FactHead(KINDS, np.zeros((3, 4), np.float32), np.array([0.4, 0.0, 0.0], np.float32))
    assert FactHeads({"modality": head}).facts_of(np.eye(4, dtype=np.float32)) == [{}] * 4


def test_two_classes_are_told_apart_as_well() -> None:
    rows, found = pairs(0, 400)
    two = [n for n, row in enumerate(found) if row.values["modality"] != "CR"]
    heads = fit(rows[two], [found[n] for n in two])
    assert heads.heads["modality"].weights.shape == (2, 16)
    assert measure(heads, rows[two], [found[n] for n in two])["modality"]["accuracy"] > 0.95


def test_pairs_that_name_nothing_give_no_classifiers(tmp_path: Path) -> None:
    rows, found = pairs(0, 50)
    unlabelled = [Pair(row.path, "A finding.", "train", "", row.group) for row in found]
    with pytest.raises(UserError, match="use more pairs"):
        fit(rows, unlabelled)
    assert entry(tmp_path, rows, unlabelled, rows, unlabelled) == {}


def test_a_damaged_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not an archive")
    with pytest.raises(UserError, match=r"facts\.npz in the bundle"):
        FactHeads.from_file(tmp_path / FILE)
