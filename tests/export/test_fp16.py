"""The fp16 variant, as far as a CPU can judge it: half weights inside, float32 at the border, near to the model."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from engine.models.runtime import CPU
from export import to_onnx, variants
from export.parity import LOWEST_COSINE, row_cosines
from training.networks.captioner import CaptionDecoder, CaptionerConfig
from training.networks.towers import DualEncoder, EncoderConfig

BERT = {
    "model_type": "bert",
    "vocab_size": 60,
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 24,
}
RESNET = {
    "model_type": "resnet",
    "embedding_size": 8,
    "hidden_sizes": [8, 16],
    "depths": [1, 1],
    "layer_type": "basic",
}
GRAPHS = ("image", "text", "captioner")


@pytest.fixture(scope="module")
def encoders() -> DualEncoder:
    torch.manual_seed(0)
    image, text = ({"kind": "transformers", "config": config} for config in (RESNET, BERT))
    return DualEncoder(EncoderConfig(image, text, size=32, dim=16, max_length=24)).eval()


@pytest.fixture(scope="module")
def decoder() -> CaptionDecoder:
    torch.manual_seed(1)
    return CaptionDecoder(CaptionerConfig(vocab=60, embedding=16, dim=32, layers=1, heads=2, max_tokens=12)).eval()


@pytest.fixture(scope="module")
def folder(encoders: DualEncoder, decoder: CaptionDecoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small models in half precision; they themselves stay as they are."""
    place = tmp_path_factory.mktemp("fp16")
    variants.write_fp16(place, encoders, decoder)
    assert next(encoders.parameters()).dtype == torch.float32
    return place


def run(folder: Path, graph: str, **inputs: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(folder / variants.file_name(graph, "fp16")), providers=[CPU])
    result: np.ndarray = session.run(None, inputs)[0]
    return result


def run_fp32(graph: torch.nn.Module, **inputs: np.ndarray) -> np.ndarray:
    """What torch computes; that a graph in fp32 gives the same is tested in test_build.py."""
    with torch.no_grad():
        found = graph(**{name: torch.from_numpy(value) for name, value in inputs.items()})
    result: np.ndarray = (found[0] if isinstance(found, tuple) else found).numpy()
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


def test_towers_answer_as_in_fp32(folder: Path, encoders: DualEncoder) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (4, 32, 32), dtype=np.uint8)
    ids, mask = rng.integers(1, 60, (4, 9)), np.ones((4, 9), np.int64)
    mask[2, 5:] = 0
    for graph, model, inputs in (
        ("image", to_onnx.ImageGraph(encoders), {"pixels": pixels}),
        ("text", to_onnx.TextGraph(encoders), {"ids": ids, "mask": mask}),
    ):
        found, wanted = run(folder, graph, **inputs), run_fp32(model, **inputs)
        assert found.dtype == np.float32
        assert row_cosines(found, wanted).min() >= LOWEST_COSINE["fp16"], graph


def test_the_captioner_goes_on_from_its_cache_as_in_fp32(folder: Path, decoder: CaptionDecoder) -> None:
    rng = np.random.default_rng(1)
    inputs = {
        "ids": rng.integers(1, 60, (2, 3)),
        "condition": rng.normal(size=(2, 16)).astype(np.float32),
        "past": rng.normal(size=(1, 2, 2, 2, 4, 16)).astype(np.float32),
    }
    found = run(folder, "captioner", **inputs)
    np.testing.assert_allclose(found, run_fp32(to_onnx.CaptionerGraph(decoder), **inputs), atol=0.02)
