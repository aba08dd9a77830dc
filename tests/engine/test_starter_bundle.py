"""The starter bundle works, is small enough, and states its intended use."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.bundle import Bundle
from engine.models import manifest
from engine.resources import resource_path
from tests.paths import ROOT


@pytest.fixture
def picture() -> np.ndarray:
    rows, columns = np.mgrid[0:300, 0:240]
    return ((rows * 3 + columns * 2) % 256).astype(np.uint8)


def test_it_fits_in_22_megabytes_and_every_file_is_intact() -> None:
    folder = resource_path("starter-bundle")
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 22_000_000
    assert manifest.damaged_files(folder, manifest.read(folder)) == []


def test_embeddings_are_unit_rows_and_the_same_each_time(starter_bundle: Bundle, picture: np.ndarray) -> None:
    pictures, texts = [picture, 255 - picture], ["Chest radiograph with a left effusion.", "Normal brain MRI."]
    for rows in (starter_bundle.embed_images(pictures), starter_bundle.embed_texts(texts)):
        assert rows.shape == (2, starter_bundle.embedding_size)
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(starter_bundle.embed_images(pictures), starter_bundle.embed_images(pictures))
    np.testing.assert_array_equal(starter_bundle.embed_texts(texts), starter_bundle.embed_texts(texts[:1] + texts[1:]))


def test_an_embedding_does_not_depend_on_the_batch(starter_bundle: Bundle, picture: np.ndarray) -> None:
    together = starter_bundle.embed_images([picture, 255 - picture, picture[::-1].copy()])
    np.testing.assert_allclose(together[:1], starter_bundle.embed_images([picture]), atol=1e-5)


def test_similar_texts_are_nearer_than_others(starter_bundle: Bundle) -> None:
    rows = starter_bundle.embed_texts(
        ["A calculus in the left kidney.", "Kidney stone on the left side.", "Infiltrates in both lungs, COVID-19."]
    )
    assert rows[0] @ rows[1] > rows[0] @ rows[2]


def test_it_captions_an_image(starter_bundle: Bundle, picture: np.ndarray) -> None:
    caption = starter_bundle.caption(picture)
    assert caption.text
    assert len(caption.tokens) == len(caption.log_probs)


def test_manifest_and_card_state_the_intended_use(starter_bundle: Bundle) -> None:
    content = starter_bundle.manifest
    assert content["parity"]["int8"]["image"]["lowest_cosine"] >= 0.999
    assert content["parity"]["int8"]["text"]["lowest_cosine"] >= 0.999
    names = " ".join(source["name"] for source in content["data_provenance"])
    assert "MedPix" in names
    assert "covid-chestxray" in names
    card = (starter_bundle.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    for part in ("Not for diagnostic use", "non-commercial", "chance", "CLIP-LT", "Limits"):
        assert part in card


def test_the_engine_opens_it_without_torch(tmp_path: Path) -> None:
    code = (
        "import sys, json; from engine.bundle import Bundle; rows = Bundle.open().embed_texts(['mass']);"
        "print(json.dumps([list(rows.shape), sorted({'torch', 'transformers'} & set(sys.modules))]))"
    )
    root = ROOT
    found = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    shape, heavy = json.loads(found.stdout)
    assert shape[0] == 1
    assert heavy == []
