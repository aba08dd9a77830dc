"""The archive that drafts are measured with is as the app would fill it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks._draft_traces import Material, fill, temporary_archive
from training.data.pairs import Pair


def test_its_cases_have_their_pictures_and_the_facts_that_drafts_need() -> None:
    unit = np.eye(1, 8, dtype=np.float32)
    models: Any = SimpleNamespace(embed_images=lambda _: unit, embed_texts=lambda _: unit, save=lambda: None)
    row = Pair(Path("a.png"), "CT of the chest.", "train", "p", "g", {"modality": "CT"})
    gray = np.tile(np.arange(64, dtype=np.uint8), (64, 1))
    with temporary_archive("0") as archive:
        truth = fill(archive, models, [Material("iu", [row], [gray])], 9)
        (number,) = truth
        case = archive.case(number)
        assert {kind: fact.value for kind, fact in case.facts.items()} == truth[number]
        assert truth[number] == {"modality": "CT", "region": "chest"}
        np.testing.assert_array_equal(archive.image(case.images[0].image_id), gray)
