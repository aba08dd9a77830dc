"""What an ONNX file cannot hold is refused before it is made."""

from pathlib import Path

import pytest
import torch
from torch import nn

from engine.errors import UserError
from export import to_onnx


def test_a_network_beyond_what_one_file_holds_is_refused_in_words(tmp_path: Path) -> None:
    network = nn.Linear(30_000, 20_000, device="meta")  # the sizes of 2.4 GB, without them
    with pytest.raises(UserError, match=r"image\.fp32\.onnx would hold 2\.4 GB"):
        to_onnx.export_graph(network, (torch.zeros(1, 1),), tmp_path / "image.fp32.onnx", ["x"], ["y"], ({},))
    assert list(tmp_path.iterdir()) == []
    to_onnx.refuse_too_large(network.half(), tmp_path / "image.fp16.onnx")
