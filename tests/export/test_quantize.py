from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper
from torch import nn

from engine.models import runtime
from export import parity, quantize, to_onnx


def unpacked(whole: np.ndarray, scale: np.ndarray, bits: int) -> np.ndarray:
    """A plain reading of the packed layout, entry by entry."""
    rows, blocks, _ = whole.shape
    values = []
    for row in range(rows):
        line: list[float] = []
        for block in range(blocks):
            for byte in whole[row, block].tolist():
                integers = [byte] if bits == 8 else [byte & 15, byte >> 4]
                line += [(i - 2 ** (bits - 1)) * float(scale[row, block]) for i in integers]
        values.append(line)
    return np.array(values, np.float32)


@pytest.mark.parametrize("bits", [8, 4])
def test_packed_weights_are_near_the_weights(bits: int) -> None:
    weight = np.random.default_rng(0).standard_normal((6, 256)).astype(np.float32)
    whole, scale = quantize.pack(weight, bits)
    assert whole.nbytes == weight.size * bits // 8
    error = np.abs(unpacked(whole, scale, bits) - weight)
    assert error.mean() < np.abs(weight).mean() * (0.015 if bits == 8 else 0.15)


def test_no_other_scale_brings_four_bits_nearer_by_more_than_a_hair() -> None:
    weight = np.random.default_rng(1).standard_normal((64, 32)).astype(np.float32)
    error = np.square(unpacked(*quantize.pack(weight, 4), 4) - weight).sum(axis=1)
    best = []
    for entries in weight.astype(np.float64):
        tried = entries[np.abs(entries).argmax()] / -8 * np.linspace(0.5, 1.1, 400)[:, None]
        best.append(np.square(np.clip(np.rint(entries / tried), -8, 7) * tried - entries).sum(axis=1).min())
    assert np.mean(error / best) < 1.02


def test_a_row_of_zeros_stays_zero() -> None:
    whole, scale = quantize.pack(np.zeros((2, 32), np.float32))
    np.testing.assert_array_equal(unpacked(whole, scale, 8), np.zeros((2, 32)))


def tied_model(path: Path) -> np.ndarray:
    """ids -> table[ids] @ table', as a decoder with a tied output has it."""
    table = np.random.default_rng(1).standard_normal((512, 128)).astype(np.float32)
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["rows"]),
        helper.make_node("Transpose", ["table"], ["turned"], perm=[1, 0]),
        helper.make_node("MatMul", ["rows", "turned"], ["scores"]),
    ]
    inputs = [helper.make_tensor_value_info("ids", onnx.TensorProto.INT64, ["n", "t"])]
    outputs = [helper.make_tensor_value_info("scores", onnx.TensorProto.FLOAT, ["n", "t", 512])]
    graph = helper.make_graph(nodes, "tied", inputs, outputs, [numpy_helper.from_array(table, "table")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    return table


@pytest.mark.parametrize(("four_bits", "share", "lowest"), [("", 0.27, 0.999), ("table", 0.17, 0.97)])
def test_a_tied_word_table_is_stored_once(tmp_path: Path, four_bits: str, share: float, lowest: float) -> None:
    table = tied_model(tmp_path / "float.onnx")
    quantize.weights_to_integers(tmp_path / "float.onnx", tmp_path / "small.onnx", four_bits)
    assert (tmp_path / "small.onnx").stat().st_size < share * table.nbytes
    assert not onnx.load(tmp_path / "small.onnx").graph.value_info
    ids = np.array([[3, 500, 7], [1, 1, 0]])
    found = runtime.Model(tmp_path / "small.onnx", runtime.detect("cpu")).run(["scores"], {"ids": ids})[0]
    assert parity.row_cosines(table[ids].reshape(6, 128) @ table.T, found.reshape(6, 512)).min() > lowest


class SmallNetwork(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        sizes = (1, 16, 32, 32, 64)
        layers = [nn.Sequential(nn.Conv2d(a, b, 3, 2, 1), nn.ReLU6()) for a, b in pairwise(sizes)]
        self.layers, self.last = nn.Sequential(*layers), nn.Linear(64, 32)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        features = self.layers(pixels.unsqueeze(1).float() / 255 - 0.5)
        return nn.functional.normalize(self.last(features.mean((2, 3))), dim=1)


def test_convolutions_run_in_integers_and_stay_near(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = SmallNetwork().eval()
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 32), dtype=np.uint8)
    source, target = tmp_path / "float.onnx", tmp_path / "small.onnx"
    axes = ({0: torch.export.Dim("batch")},)
    to_onnx.export_graph(network, (torch.from_numpy(pixels[:2]),), source, ["pixels"], ["embedding"], axes)
    assert quantize.convolutions(source) == 4
    quantize.convolutions_to_integers(source, target, pixels[:16], float_convolutions=1)
    kinds = [item.data_type for item in onnx.load(target).graph.initializer if len(item.dims) == 4]
    assert kinds.count(onnx.TensorProto.INT8) == 3
    assert kinds.count(onnx.TensorProto.FLOAT) == 1
    found = runtime.Model(target, runtime.detect("cpu")).run(["embedding"], {"pixels": pixels[16:]})[0]
    with torch.inference_mode():
        expected = network(torch.from_numpy(pixels[16:])).numpy()
    assert parity.row_cosines(expected, found).min() > 0.99
