"""Cached features are those of the rows they are asked for."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks import adapt
from training.data.pairs import Pair


def test_the_features_of_other_rows_are_not_taken_for_these(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[list[str]] = []

    def features(_: Any, __: Any, texts: list[str], *___: Any, **____: Any) -> SimpleNamespace:
        computed.append(texts)
        rows = np.array([[float(len(text))] for text in texts])
        return SimpleNamespace(
            images=rows[None], texts=rows, text_of=np.arange(len(texts)), sentences_of=[np.array([0])] * len(texts)
        )

    monkeypatch.setattr(adapt, "features", features)
    one = [Pair(Path("a.png"), "a", "train", "p", "g")]
    other = [Pair(Path("a.png"), "aaa", "train", "p", "g")]
    bundle: Any = SimpleNamespace(id="0")
    lengths = [adapt.cached(tmp_path, "pool", bundle, rows).given.texts[0, 0] for rows in (one, other, one)]
    assert lengths == [1, 3, 1]
    assert computed == [["a"], ["aaa"]]


def test_deviations_over_seeds_are_those_of_a_sample() -> None:
    found = [[{"gap": gap, "image to text": 1.0, "text to image": 1.0}] for gap in (0.0, 0.2)]
    assert "0.100 ± 0.141" in adapt.line("600", found, found[0])
