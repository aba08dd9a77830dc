"""The fp16 variant, as far as a CPU can judge it: half weights inside, float32 at the border, near to the model."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from engine.models.runtime import CPU
from export import variants
from export.parity import LOWEST_COSINE, row_cosines
from training.networks.captioner import CaptionDecoder, CaptionerConfig
from training.networks.towers import DualEncoder, EncoderConfig

BERT = {
    "model_type": "bert",
    "vocab_size": 60,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 24,
}
GRAPHS = ("image", "text", "captioner")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both precisions of the same small models."""
    place = tmp_path_factory.mktemp("fp16")
    torch.manual_seed(0)
    image, text = {"kind": "efficientnet-lite0"}, {"kind": "transformers", "config": BERT}
    encoders = DualEncoder(EncoderConfig(image, text, size=32, dim=16, max_length=24)).eval()
    decoder = CaptionDecoder(CaptionerConfig(vocab=60, embedding=16, dim=32, layers=2, heads=2, max_tokens=12)).eval()
    variants.write_fp32(place, encoders, decoder)
    variants.write_fp16(place, encoders, decoder)
    assert next(encoders.parameters()).dtype == torch.float32  # the models themselves stay as they are
    return place


def run(folder: Path, graph: str, variant: str, **inputs: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(folder / variants.file_name(graph, variant)), providers=[CPU])
    result: np.ndarray = session.run(None, inputs)[0]
    return result


@pytest.mark.parametrize("graph", GRAPHS)
def test_weights_are_half_and_the_border_is_float32(folder: Path, graph: str) -> None:
    path = folder / variants.file_name(graph, "fp16")
    onnx.checker.check_model(str(path), full_check=True)
    model = onnx.load(path)
    kinds = {item.data_type for item in model.graph.initializer if np.prod(item.dims) > 1}
    assert onnx.TensorProto.FLOAT16 in kinds
    assert onnx.TensorProto.FLOAT not in kinds
    assert {out.type.tensor_type.elem_type for out in model.graph.output} == {onnx.TensorProto.FLOAT}


def test_towers_answer_as_in_fp32(folder: Path) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (4, 32, 32), dtype=np.uint8)
    ids, mask = rng.integers(1, 60, (4, 9)), np.ones((4, 9), np.int64)
    mask[2, 5:] = 0
    for graph, inputs in (("image", {"pixels": pixels}), ("text", {"ids": ids, "mask": mask})):
        found, wanted = (run(folder, graph, variant, **inputs) for variant in ("fp16", "fp32"))
        assert found.dtype == np.float32
        assert row_cosines(found, wanted).min() >= LOWEST_COSINE["fp16"], graph


def test_the_captioner_goes_on_from_its_cache_as_in_fp32(folder: Path) -> None:
    rng = np.random.default_rng(1)
    inputs = {
        "ids": rng.integers(1, 60, (2, 3)),
        "condition": rng.normal(size=(2, 16)).astype(np.float32),
        "past": rng.normal(size=(2, 2, 2, 2, 4, 16)).astype(np.float32),
    }
    found, wanted = (run(folder, "captioner", variant, **inputs) for variant in ("fp16", "fp32"))
    np.testing.assert_allclose(found, wanted, atol=0.02)
