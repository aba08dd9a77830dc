"""Projections apart from the graphs: the same numbers as torch, a small file, clear errors."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.errors import UserError
from engine.models import heads
from engine.models.heads import FLOAT, Heads
from export.heads import parameters
from training.networks.heads import head as torch_head


def features(rows: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((rows, width)).astype(np.float32) * 3 + 1


def random_head(width: int = 96, dim: int = 64, hidden: int = 128) -> torch.nn.Module:
    torch.manual_seed(0)
    made = torch_head(width, dim, hidden, 0.3).eval()
    for value in made.parameters():  # LayerNorm starts with ones and zeros, which would hide an exchange
        torch.nn.init.normal_(value, 0.1, 0.3)
    return made


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


@pytest.mark.parametrize("hidden", [0, 128])
def test_a_projection_is_that_of_torch(hidden: int) -> None:
    made, rows = random_head(hidden=hidden), features(7, 96)
    with torch.no_grad():
        expected = made(torch.from_numpy(rows)).numpy()
    np.testing.assert_allclose(heads.project(parameters(made), rows), expected, rtol=1e-4, atol=1e-4)


def test_the_normal_distribution_agrees_with_the_error_function_of_the_library() -> None:
    values = np.linspace(-9, 9, 4001, dtype=np.float32)
    plain = [0.5 * (1 + math.erf(float(value) / math.sqrt(2))) for value in values]
    np.testing.assert_allclose(heads.normal_distribution(values), plain, atol=2e-7)


@pytest.mark.parametrize(("bits", "lowest"), [(FLOAT, 0.999999), (8, 0.9998), (6, 0.998), (4, 0.95)])
def test_what_is_written_is_read_again_as_exactly_as_its_bits_allow(tmp_path: Path, bits: int, lowest: float) -> None:
    one = parameters(random_head())
    Heads(one, {"last.weight": one["first.weight"]}).write(tmp_path / "heads.npz", bits)
    read = Heads.from_file(tmp_path / "heads.npz")
    rows = features(50, 96)
    assert cosines(heads.project(read.image, rows), heads.project(one, rows)).min() > lowest
    assert read.text.keys() == {"last.weight"}


def test_fewer_bits_make_a_smaller_file_and_the_same_heads_the_same_bytes(tmp_path: Path) -> None:
    one = parameters(random_head(256, 256, 256))
    sizes = []
    for bits in (4, 6, 8, FLOAT):
        Heads(one, one).write(tmp_path / "first.npz", bits)
        Heads(one, one).write(tmp_path / "second.npz", bits)
        assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()
        sizes.append((tmp_path / "first.npz").stat().st_size)
    assert sizes == sorted(sizes)
    assert sizes[0] < 0.65 * sizes[2] < 0.4 * sizes[3]


def test_a_row_of_zeros_stays_zero() -> None:
    whole, scale = heads.rounded(np.zeros((2, 8), np.float32), 8)
    np.testing.assert_array_equal(whole * scale[:, None], np.zeros((2, 8)))


@pytest.mark.parametrize("content", [b"no archive", None])
def test_a_file_without_heads_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "heads.npz"
    if content is None:
        np.savez(path, other=np.zeros(3))
    else:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"heads\.npz in the bundle .* cannot be read"):
        Heads.from_file(path)


def test_a_checkpoint_with_other_layers_is_refused() -> None:
    with pytest.raises(UserError, match="unknown layers"):
        parameters(torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU()))
    with pytest.raises(UserError, match="unknown layers"):
        parameters(torch.nn.Linear(4, 4))
