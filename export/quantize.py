"""Quantises graphs: integer weights for matrix products, static 8-bit arithmetic for convolutions.

Knows nothing of bundles, nor whether the result is accurate enough: `export.parity` measures that.
"""

import contextlib
import logging
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quant_pre_process, quantize_static

MIN_SIZE = 30_000
"""Entries; smaller tables stay in float32, as they cost no space and rounding them costs accuracy."""


def pack(weight: NDArray[np.float32], bits: int = 8) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Round a matrix to integers with one scale per row and block, in the layout of onnxruntime's MatMulNBits.

    Args:
        weight: float32 [rows, width], width a multiple of 16.
        bits: 8 or 4.

    Returns:
        uint8 [rows, blocks, bytes of a block] (4 bits: the even column in the low half) and float32 [rows, blocks];
        an entry is (integer - 2 ** (bits - 1)) * scale.
    """
    rows, width = weight.shape
    block = block_size(width, bits)
    parts = weight.reshape(rows, width // block, block)
    middle = 2 ** (bits - 1)
    # The entry farthest from 0 gets the integer 0, the one that has no counterpart on the other side.
    farthest = np.take_along_axis(parts, np.abs(parts).argmax(axis=2)[..., None], axis=2)
    full = np.where(farthest == 0, 1, farthest / -middle).astype(np.float32)
    scale, lowest = full, np.full(full.shape, np.inf, np.float32)
    # With few steps it pays to cut the farthest entries off, so that all others round more finely, and to take the
    # scale that suits the integers best, by least squares.
    for share in (1.0,) if bits == 8 else np.arange(1.0, 0.6, -0.025, dtype=np.float32):
        for tried in (full * share, _fitted(parts, full * share, middle)):
            error = np.square(_rounded(parts, tried, middle) * tried - parts).sum(axis=2, keepdims=True)
            scale, lowest = np.where(error < lowest, tried, scale), np.minimum(error, lowest)
    whole = (_rounded(parts, scale, middle) + middle).astype(np.uint8)
    if bits == 4:
        whole = whole[..., 0::2] | (whole[..., 1::2] << 4)
    return whole, scale[..., 0]


def _rounded(parts: NDArray[np.float32], scale: NDArray[np.float32], middle: int) -> NDArray[np.float32]:
    return np.asarray(np.clip(np.rint(parts / scale), -middle, middle - 1), np.float32)


def _fitted(parts: NDArray[np.float32], scale: NDArray[np.float32], middle: int) -> NDArray[np.float32]:
    """The scale of each block for which the integers that `scale` gives come nearest to the entries."""
    whole = _rounded(parts, scale, middle)
    size = np.square(whole).sum(axis=2, keepdims=True)
    found = (parts * whole).sum(axis=2, keepdims=True) / np.where(size == 0, 1, size)
    return np.asarray(np.where(found == 0, scale, found), np.float32)


def block_size(width: int, bits: int = 8) -> int:
    """Columns that share a scale: the largest power of two that divides the width, at most 128 (32 for 4 bits)."""
    return min(width & -width, 128 if bits == 8 else 32)


def weights_to_integers(source: Path, target: Path, four_bits: str = "") -> None:
    """Store the weights of matrix products and the rows of embedding tables as 8-bit integers.

    Products run in MatMulNBits with activations rounded per row and block, so a row does not depend on its batch. A
    tied table (token embedding and output projection) is stored once.

    Args:
        four_bits: a regular expression; weights whose name it finds get 4 bits. Empty: none.
    """
    model = onnx.load(source)
    graph = model.graph
    _gemm_to_matmul(graph)
    constants = {item.name: item for item in graph.initializer}
    transposed = {node.output[0]: node for node in graph.node if node.op_type == "Transpose" and _plain(node)}
    packed: dict[tuple[str, bool], tuple[str, str]] = {}

    def bits_of(name: str) -> int:
        return 4 if four_bits and re.search(four_bits, name) else 8

    def packed_names(name: str, turn: bool) -> tuple[str, str]:
        key = (name, turn)
        if key not in packed:
            weight = numpy_helper.to_array(constants[name])
            whole, scale = pack(np.ascontiguousarray(weight.T if turn else weight), bits_of(name))
            names = f"{name}_integers{'_t' if turn else ''}", f"{name}_scales{'_t' if turn else ''}"
            graph.initializer.append(numpy_helper.from_array(whole, names[0]))
            graph.initializer.append(numpy_helper.from_array(scale, names[1]))
            packed[key] = names
        return packed[key]

    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type == "MatMul":
            right = transposed.get(node.input[1])
            name = right.input[0] if right else node.input[1]
            if _large(constants.get(name)):
                width, rows = list(constants[name].dims)[:: -1 if right else 1]
                nodes.append(_matmul_node(node, packed_names(name, right is None), width, rows, bits_of(name)))
                continue
        if node.op_type == "Gather" and _large(constants.get(node.input[0])):
            table = node.input[0]
            nodes += _gather_nodes(node, packed_names(table, False), int(constants[table].dims[1]), bits_of(table))
            continue
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    _drop_unused(graph)
    if not any(item.domain == "com.microsoft" for item in model.opset_import):
        model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    _drop_metadata(model)
    onnx.save(model, target)


def convolutions_to_integers(
    source: Path, target: Path, pixels: NDArray[np.uint8], float_convolutions: int, four_bits: str = ""
) -> None:
    """Run the convolutions in 8 bits: weights per channel, ranges of activations from real images.

    Args:
        pixels: uint8 [N, S, S], images from the training split.
        float_convolutions: how many of the first ones stay in float32. They are tiny, and their rounding costs the
            whole network: in EfficientNet-Lite0 it accounts for all of the loss.
        four_bits: for the products beside them, as in `weights_to_integers`.
    """
    with tempfile.TemporaryDirectory() as folder, _quiet():
        plain, integer = Path(folder) / "plain.onnx", Path(folder) / "integer.onnx"
        quant_pre_process(source, plain, skip_symbolic_shape=True)
        nodes = list(onnx.load(plain).graph.node)
        first = [index for index, node in enumerate(nodes) if node.op_type == "Conv"][float_convolutions]
        quantize_static(
            plain,
            integer,
            _ImageBatches(pixels),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=[node.name for node in nodes[first:] if node.op_type in {"Conv", "Clip", "Add"}],
        )
        weights_to_integers(integer, target, four_bits)


def convolutions(path: Path) -> int:
    """Number of convolutions in a graph: one in a vision transformer, dozens in a convolutional network."""
    return sum(node.op_type == "Conv" for node in onnx.load(path, load_external_data=False).graph.node)


class _ImageBatches(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self._batches = iter(np.array_split(pixels, max(1, len(pixels) // 4)))

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"pixels": batch}


def _large(item: onnx.TensorProto | None) -> bool:
    return (
        item is not None
        and item.data_type == onnx.TensorProto.FLOAT
        and len(item.dims) == 2
        and item.dims[0] * item.dims[1] >= MIN_SIZE
        and all(size % 16 == 0 for size in item.dims[1:])
    )


def _plain(node: onnx.NodeProto) -> bool:
    order = next((list(item.ints) for item in node.attribute if item.name == "perm"), [1, 0])
    return order == [1, 0]


def _matmul_node(node: onnx.NodeProto, names: tuple[str, str], width: int, rows: int, bits: int) -> onnx.NodeProto:
    return helper.make_node(
        "MatMulNBits",
        [node.input[0], *names],
        list(node.output),
        name=node.name,
        domain="com.microsoft",
        K=width,
        N=rows,
        bits=bits,
        block_size=block_size(width, bits),
        accuracy_level=4,  # activations in 8 bits
    )


def _gather_nodes(node: onnx.NodeProto, names: tuple[str, str], width: int, bits: int) -> list[onnx.NodeProto]:
    """Look up integers [N, T, blocks, block] and scales [N, T, blocks], multiply, and flatten to [N, T, width]."""
    ids, result, stem = node.input[1], node.output[0], node.output[0]
    make = helper.make_node
    looked_up = f"{stem}_packed" if bits == 4 else f"{stem}_integers"
    return [
        make("Constant", [], [f"{stem}_last"], value_ints=[-1]),
        make("Constant", [], [f"{stem}_shape"], value_ints=[0, 0, width]),
        make("Constant", [], [f"{stem}_middle"], value_float=2.0 ** (bits - 1)),
        make("Gather", [names[0], ids], [looked_up], axis=0),
        *(_halves(stem, block_size(width, bits)) if bits == 4 else []),
        make("Cast", [f"{stem}_integers"], [f"{stem}_float"], to=onnx.TensorProto.FLOAT),
        make("Sub", [f"{stem}_float", f"{stem}_middle"], [f"{stem}_centred"]),
        make("Gather", [names[1], ids], [f"{stem}_scales"], axis=0),
        make("Unsqueeze", [f"{stem}_scales", f"{stem}_last"], [f"{stem}_scale"]),
        make("Mul", [f"{stem}_centred", f"{stem}_scale"], [f"{stem}_blocks"]),
        make("Reshape", [f"{stem}_blocks", f"{stem}_shape"], [result], name=node.name),
    ]


def _halves(stem: str, block: int) -> list[onnx.NodeProto]:
    """Bytes [N, T, blocks, block / 2] to integers [N, T, blocks, block]: the low half of a byte, then the high one."""
    make = helper.make_node
    mask, four = (helper.make_tensor("", onnx.TensorProto.UINT8, [], [value]) for value in (15, 4))
    return [
        make("Constant", [], [f"{stem}_mask"], value=mask),
        make("Constant", [], [f"{stem}_four"], value=four),
        make("Constant", [], [f"{stem}_whole"], value_ints=[0, 0, -1, block]),
        make("BitwiseAnd", [f"{stem}_packed", f"{stem}_mask"], [f"{stem}_even"]),
        make("BitShift", [f"{stem}_packed", f"{stem}_four"], [f"{stem}_odd"], direction="RIGHT"),
        make("Unsqueeze", [f"{stem}_even", f"{stem}_last"], [f"{stem}_even_column"]),
        make("Unsqueeze", [f"{stem}_odd", f"{stem}_last"], [f"{stem}_odd_column"]),
        make("Concat", [f"{stem}_even_column", f"{stem}_odd_column"], [f"{stem}_pairs"], axis=-1),
        make("Reshape", [f"{stem}_pairs", f"{stem}_whole"], [f"{stem}_integers"]),
    ]


def _gemm_to_matmul(graph: onnx.GraphProto) -> None:
    """Rewrite A @ B' + C as MatMul and Add, because only MatMul has a version with integer weights."""
    constants = {item.name: item for item in graph.initializer}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        settings = {item.name: helper.get_attribute_value(item) for item in node.attribute}
        simple = settings.get("alpha", 1.0) == settings.get("beta", 1.0) == 1.0 and not settings.get("transA", 0)
        if node.op_type != "Gemm" or not simple or not _large(constants.get(node.input[1])):
            nodes.append(node)
            continue
        right = node.input[1]
        if settings.get("transB", 0):
            weight = numpy_helper.to_array(constants[right]).T
            right = f"{right}_transposed"
            graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(weight), right))
        product = f"{node.output[0]}_product" if len(node.input) > 2 else node.output[0]
        nodes.append(helper.make_node("MatMul", [node.input[0], right], [product], name=f"{node.name}_product"))
        if len(node.input) > 2:
            nodes.append(helper.make_node("Add", [product, node.input[2]], [node.output[0]], name=node.name))
    del graph.node[:]
    graph.node.extend(nodes)


def _drop_unused(graph: onnx.GraphProto) -> None:
    """Remove nodes and weights that are no longer used."""
    outputs = {value.name for value in graph.output}
    while True:
        used = {name for node in graph.node for name in node.input} | outputs
        kept = [node for node in graph.node if used.intersection(node.output)]
        if len(kept) == len(graph.node):
            break
        del graph.node[:]
        graph.node.extend(kept)
    weights = [item for item in graph.initializer if item.name in used]
    del graph.initializer[:]
    graph.initializer.extend(weights)


def _drop_metadata(model: onnx.ModelProto) -> None:
    """Remove metadata that no runtime reads: the source of each weight and the shapes of intermediate values."""
    del model.metadata_props[:], model.graph.metadata_props[:], model.graph.value_info[:]
    for item in (*model.graph.node, *model.graph.initializer):
        del item.metadata_props[:]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence onnxruntime's quantiser, which logs through the root logger."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
