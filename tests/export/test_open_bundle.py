import json
import shutil
import threading
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from engine.bundle import Bundle
from engine.errors import Cancelled, UserError
from engine.models import runtime
from engine.models.heads import Heads, project
from engine.models.manifest import file_entry
from export import to_onnx

TEXTS = ["The liver shows a mass.", "No stone seen in the kidney", "", "word3 word4 word5 " * 40]


@pytest.fixture(scope="module")
def bundle(bundle_folder: Path) -> Bundle:
    return Bundle.open(bundle_folder)


@pytest.fixture
def images() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.integers(0, 256, shape, dtype=np.uint8) for shape in ((40, 70), (32, 32), (9, 300), *[(50, 50)] * 20)]


@pytest.fixture
def copied(bundle_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle_folder, tmp_path / "bundle"))


def edit(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("variant", ["fp32", "int8"])
def test_embeddings_are_unit_rows_that_do_not_depend_on_company(
    bundle_folder: Path, images: list[np.ndarray], variant: str
) -> None:
    bundle = Bundle.open(bundle_folder, variant)
    together = bundle.embed_images(images)
    assert together.shape == (23, 32)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    alone = np.concatenate([bundle.embed_images([image]) for image in images])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    texts = bundle.embed_texts(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(texts, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(texts, np.concatenate([bundle.embed_texts([text]) for text in TEXTS]))


def test_nothing_in_gives_nothing_out(bundle: Bundle) -> None:
    assert bundle.embed_images([]).shape == (0, 32)
    assert bundle.embed_texts([]).shape == (0, 32)


def test_a_cpu_takes_the_integer_variant(bundle: Bundle) -> None:
    assert bundle.variant == "int8"
    assert bundle.provider == "CPUExecutionProvider"


def test_a_caption_has_a_probability_for_each_token(bundle: Bundle, images: list[np.ndarray]) -> None:
    for beams in (1, 3):
        caption = bundle.caption(images[0], beams=beams)
        assert 0 < len(caption.tokens) == len(caption.log_probs) <= 16
        assert all(value <= 0 for value in caption.log_probs)
        assert not {"[CLS]", "[SEP]", "[PAD]", "[UNK]"} & set(caption.tokens)
        assert caption == bundle.caption(images[0], beams=beams)


def test_a_beam_is_never_less_likely_than_greedy_words_of_the_same_length(bundle_folder: Path) -> None:
    bundle = Bundle.open(bundle_folder, "fp32")
    row = bundle.embed_texts([TEXTS[0]])[0]
    greedy, beam = bundle.caption_embedding(row, beams=1), bundle.caption_embedding(row, beams=4)
    assert np.mean(beam.log_probs) >= np.mean(greedy.log_probs) - 1e-6


def test_a_caption_can_be_stopped_between_tokens(bundle: Bundle, images: list[np.ndarray]) -> None:
    asked: list[int] = []

    def after_three() -> bool:
        asked.append(1)
        return len(asked) > 3

    with pytest.raises(Cancelled):
        bundle.caption(images[0], cancelled=after_three)
    assert len(asked) == 4


def test_threads_may_share_a_bundle(bundle_folder: Path, images: list[np.ndarray]) -> None:
    bundle = Bundle.open(bundle_folder)
    expected = Bundle.open(bundle_folder).embed_images(images[:4])
    found: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: found.append(bundle.embed_images(images[:4]))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for rows in found:
        np.testing.assert_array_equal(rows, expected)


def test_the_id_changes_when_and_only_when_embeddings_do(bundle: Bundle, copied: Path) -> None:
    assert Bundle.open(copied).id == bundle.id
    edit(copied, name="renamed", created="2031-01-01", metrics={})
    assert Bundle.open(copied).id == bundle.id
    edit(copied, preprocess={"size": 32, "mode": "another"})
    assert Bundle.open(copied).id != bundle.id
    edit(copied, preprocess=bundle.manifest["preprocess"])
    assert Bundle.open(copied).id == bundle.id
    assert bundle.heads is not None
    replace_heads(copied, Heads(bundle.heads.image, {"last.weight": -bundle.heads.text["last.weight"]}))
    assert Bundle.open(copied).id != bundle.id
    assert Bundle.open(copied, "fp32").id != Bundle.open(copied, "int8").id


def test_an_older_bundle_whose_graphs_project_opens_as_before(
    bundle_folder: Path, copied: Path, images: list[np.ndarray]
) -> None:
    now = Bundle.open(bundle_folder, "fp32")
    assert now.heads is not None
    content = json.loads((copied / "manifest.json").read_text())
    for graph, head in (("image", now.heads.image), ("text", now.heads.text)):
        path = copied / f"{graph}.fp32.onnx"
        project_inside(path, head["last.weight"], keep_features=graph == "image")
        content["variants"]["fp32"][graph] = file_entry(path)
    del content["heads"]
    (copied / "heads.npz").unlink()
    edit(copied, schema_version=1, variants=content["variants"], heads=None)
    old = Bundle.open(copied, "fp32")
    assert old.heads is None
    np.testing.assert_allclose(old.embed_images(images), now.embed_images(images), atol=1e-5)
    np.testing.assert_allclose(old.embed_texts(TEXTS), now.embed_texts(TEXTS), atol=1e-5)
    np.testing.assert_array_equal(old.image_features(images), now.image_features(images))
    with pytest.raises(UserError, match="no projections of its own"):
        old.text_trunk(TEXTS)


def project_inside(path: Path, weight: np.ndarray, keep_features: bool) -> None:
    """Give a graph the projection and the output "embedding", as bundles of manifest version 1 have them."""
    model = onnx.load(path)
    graph = model.graph
    to_onnx._rename(graph, {"embedding": "inner_embedding"})
    graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(weight.T), "head"))
    graph.node.append(helper.make_node("MatMul", ["features", "head"], ["embedding"]))
    if not keep_features:
        del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("embedding", onnx.TensorProto.FLOAT, ["batch", len(weight)]))
    onnx.save(model, path)


def replace_heads(folder: Path, heads: Heads) -> None:
    heads.write(folder / "heads.npz")
    edit(folder, heads=file_entry(folder / "heads.npz"))


def test_trunk_features_with_the_heads_give_the_embeddings(bundle: Bundle, images: list[np.ndarray]) -> None:
    assert bundle.heads is not None
    for rows, head, wanted in (
        (bundle.image_trunk(images), bundle.heads.image, bundle.embed_images(images)),
        (bundle.text_trunk(TEXTS), bundle.heads.text, bundle.embed_texts(TEXTS)),
    ):
        found = project(head, rows)
        np.testing.assert_allclose(found / np.linalg.norm(found, axis=1, keepdims=True), wanted, atol=1e-5)


def test_a_sentence_of_the_training_texts_is_recognised(bundle: Bundle) -> None:
    assert bundle.copies_training_text("a cyst. no stone seen in the kidney word1 .")
    assert bundle.copies_training_text("Today: the kidney shows a cyst. No stone seen in the kidney!")
    assert not bundle.copies_training_text("one two three four five six seven eight nine ten")


@pytest.mark.parametrize(
    "name",
    [
        *("image.int8.onnx", "text.int8.onnx", "captioner.int8.onnx"),
        *("heads.npz", "tokenizer.json", "training_ngrams.bin"),
    ],
)
def test_a_damaged_or_missing_file_is_named(copied: Path, name: str) -> None:
    content = bytearray((copied / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / name).write_bytes(content)
    with pytest.raises(UserError, match=f"{name} .* is damaged"):
        Bundle.open(copied)
    (copied / name).unlink()
    with pytest.raises(UserError, match=rf"{name} \(.*\) is missing"):
        Bundle.open(copied)


def test_a_damaged_file_of_another_variant_does_no_harm(copied: Path) -> None:
    (copied / "image.fp32.onnx").unlink()
    assert Bundle.open(copied).variant == "int8"


def test_a_folder_without_a_bundle_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"There is no model bundle in .*; choose a bundle folder"):
        Bundle.open(tmp_path)


def test_an_unknown_variant_or_provider_is_refused(bundle_folder: Path) -> None:
    with pytest.raises(UserError, match="no variant 'int4'; choose one of"):
        Bundle.open(bundle_folder, "int4")
    with pytest.raises(UserError, match="Unknown provider 'tpu'"):
        Bundle.open(bundle_folder, provider="tpu")


def test_a_manifest_without_captioner_sizes_is_refused(copied: Path) -> None:
    edit(copied, captioner={"layers": 2})
    with pytest.raises(UserError, match="incomplete"):
        Bundle.open(copied)


def test_a_file_that_is_no_model_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "image.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(UserError, match=r"image\.onnx cannot be loaded"):
        runtime.Model(path, runtime.detect("cpu")).run(["y"], {})
