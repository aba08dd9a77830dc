"""Exports the three networks of a bundle as ONNX graphs. Knows nothing of quantisation, parity or bundles.

Axes that vary have names: `batch` (N), `length` (L or T, tokens of this call) and `past` (P, tokens in the cache, 0
included). Everything else is fixed by the checkpoint.
"""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor, nn
from torch.export import Dim

from engine.errors import UserError
from training.networks.captioner import CaptionDecoder
from training.networks.towers import DualEncoder

OPSET = 20
MOST_BYTES = 2_000_000_000
"""Of weights in one file: an ONNX file is one protobuf message of at most 2 GiB, graph included."""


class ImageGraph(nn.Module):
    """pixels uint8 [N, S, S] -> features float32 [N, F], what the projection is given (`engine.models.heads`).

    Half precision stays inside; inputs and outputs are float32.
    """

    def __init__(self, model: DualEncoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the features."""
        tower: Any = self.model.image_tower
        features: Tensor = tower.upper(self.model.image_lower(pixels, 0), 0)
        return features.float()


class TextGraph(nn.Module):
    """ids int64 [N, L], mask int64 [N, L] -> features float32 [N, F], what the projection is given.

    Attention is exported in its eager form: torch's fused function guards rows without tokens, which adds a tenth to
    the graph and never applies, since [CLS] is always there.
    """

    def __init__(self, model: DualEncoder) -> None:
        super().__init__()
        self.model = model
        tower: Any = model.text_tower
        tower.model.set_attn_implementation("eager")

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the features."""
        tower: Any = self.model.text_tower
        features: Tensor = tower.upper(self.model.text_lower(ids, mask, 0), mask, 0)
        return features.float()


class CaptionerGraph(nn.Module):
    """ids, condition, past -> logits, present, inputs and outputs float32 (see CaptionDecoder.forward for the axes)."""

    def __init__(self, model: CaptionDecoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, condition: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and the extended cache."""
        kind = self.model.words.weight.dtype
        logits, present = self.model(ids, condition.to(kind), past.to(kind))
        return logits.float(), present.float()


def export_image(model: DualEncoder, path: Path) -> None:
    """Write the image tower."""
    pixels = torch.zeros(2, model.config.size, model.config.size, dtype=torch.uint8)
    export_graph(ImageGraph(model), (pixels,), path, ["pixels"], ["features"], ({0: Dim("batch")},))


def export_text(model: DualEncoder, path: Path) -> None:
    """Write the text tower."""
    ids = torch.ones(2, 7, dtype=torch.int64)
    mask = torch.tensor([[1] * 7, [1] * 5 + [0] * 2])
    axes = {0: Dim("batch"), 1: Dim("length", max=model.config.max_length)}
    export_graph(TextGraph(model), (ids, mask), path, ["ids", "mask"], ["features"], (axes, axes))


def export_captioner(model: CaptionDecoder, path: Path) -> None:
    """Write the decoder; one graph serves the first call (an empty cache) and all later ones."""
    config = model.config
    ids = torch.ones(2, 3, dtype=torch.int64)
    condition = torch.zeros(2, config.embedding)
    past = torch.zeros(config.layers, 2, 2, config.heads, 4, config.head_dim)
    batch = Dim("batch")
    # The two lengths add up to at most max_tokens; the decoder's caller keeps to it.
    length, before = Dim("length", max=config.max_tokens), Dim("past", min=0, max=config.max_tokens)
    axes = ({0: batch, 1: length}, {0: batch}, {2: batch, 4: before})
    export_graph(
        CaptionerGraph(model), (ids, condition, past), path, ["ids", "condition", "past"], ["logits", "present"], axes
    )


def export_graph(
    graph: nn.Module,
    inputs: tuple[Tensor, ...],
    path: Path,
    input_names: list[str],
    output_names: list[str],
    axes: tuple[dict[int, Dim], ...],
) -> None:
    """Write a network as one ONNX file; `axes` names the dynamic axes of each input.

    Raises:
        UserError: its weights exceed what one file can hold.
    """
    refuse_too_large(graph, path)
    with torch.no_grad(), _quiet():
        program = torch.onnx.export(
            graph.eval(),
            inputs,
            input_names=input_names,
            output_names=[f"result_{name}" for name in output_names],
            opset_version=OPSET,
            dynamo=True,
            dynamic_shapes=axes,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    _name_weights(model.graph, graph)
    _rename(model.graph, {name: f"inner_{name}" for name in output_names})
    _rename(model.graph, {f"result_{name}": name for name in output_names})
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    onnx.checker.check_model(model)
    onnx.save(model, path)


def refuse_too_large(graph: nn.Module, path: Path) -> None:
    """Raise UserError before minutes are spent on a graph that cannot be saved."""
    size = sum(value.numel() * value.element_size() for value in (*graph.parameters(), *graph.buffers()))
    if size > MOST_BYTES:
        raise UserError(
            f"{path.name} would hold {size / 1e9:.1f} GB of weights; a file holds {MOST_BYTES / 1e9:.1f} GB, so "
            "train a smaller tower (every variant starts from fp32)."
        )


def _name_weights(graph: onnx.GraphProto, module: nn.Module) -> None:
    """Give weights that the exporter transposed ("val_38") the name of their parameter."""
    known = {}
    for name, value in module.named_parameters():
        if value.ndim == 2:
            known[value.detach().t().contiguous().numpy().tobytes()] = f"{name}.transposed"
    names = {item.name: known.pop(item.raw_data) for item in graph.initializer if item.raw_data in known}
    _rename(graph, names)


def _rename(graph: onnx.GraphProto, names: dict[str, str]) -> None:
    """Rename values: an output cannot have a name that the exporter has given to a value inside the graph."""
    for node in graph.node:
        for field in (node.input, node.output):
            field[:] = [names.get(name, name) for name in field]
    for value in [*graph.output, *graph.value_info, *graph.initializer]:
        value.name = names.get(value.name, value.name)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's own deprecation warnings and progress log."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
