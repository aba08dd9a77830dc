"""A tiny but real pair of checkpoints with its data, and the bundle exported from them, once a test session."""

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from export import to_onnx
from export.build import BuildRequest, build
from training.networks import checkpoint
from training.networks.captioner import CaptionDecoder, CaptionerConfig
from training.networks.towers import DualEncoder, EncoderConfig

ORGANS = (
    "liver",
    "kidney",
    "spleen",
    "lung",
    "heart",
    "brain",
    "bladder",
    "femur",
    "pancreas",
    "colon",
    "thyroid",
    "hip",
)
FINDINGS = ("mass", "cyst", "stone", "abscess")
FILLER = [f"word{number}" for number in range(400)]  # makes the word table large enough to be stored as integers
SIZE, DIM, WIDTH = 32, 32, 128


def tokenizer_json() -> str:
    words = [*ORGANS, *FINDINGS, "the", "shows", "a", "in", "no", "seen", "large", "small", ".", *FILLER]
    vocabulary = {token: i for i, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words])}
    layout: dict[str, Any] = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": i,
                "content": token,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for i, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
        ],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": vocabulary,
        },
    }
    return json.dumps(layout)


def write_pairs(folder: Path) -> Path:
    """48 training and 24 held-out images, each of its own patient, with two sentences each."""
    rng = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    rows = []
    for number in range(72):
        organ, finding = ORGANS[number % len(ORGANS)], FINDINGS[number % len(FINDINGS)]
        coarse = rng.integers(0, 256, (6, 5), dtype=np.uint8)
        Image.fromarray(coarse).resize((50, 60), Image.Resampling.BICUBIC).save(folder / "images" / f"{number}.png")
        text = f"The {organ} shows a {finding}. No {FINDINGS[(number + 1) % 4]} seen in the {organ} word{number}."
        split = "val" if number % 3 == 0 else "train"
        rows.append(
            [f"images/{number}.png", text, split, f"p{number}", f"g{number // 6}-{split}", "CT", "tests", "CC0"]
        )
    path = folder / "pairs.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["image", "text", "split", "patient_id", "split_group", "modality", "source", "licence"])
        writer.writerows(rows)
    return path


@pytest.fixture(scope="session", autouse=True)
def export_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Graphs of the very same network are exported once: tracing one takes 4 to 10 s, whatever its size.

    The processes of one test run share the graphs. The first export of a network is always the real one.
    """
    run = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # each process has a folder of its own inside that of the run
        run = run.parent
    folder, real = run / "graphs", to_onnx.export_graph
    folder.mkdir(exist_ok=True)

    def export(graph: nn.Module, inputs: tuple[Tensor, ...], path: Path, *names_and_axes: Any) -> None:
        to_onnx.refuse_too_large(graph, path)
        kept = folder / graph_digest(graph, inputs, names_and_axes)
        if not kept.exists():
            real(graph, inputs, path, *names_and_axes)
            whole = folder / f"{kept.name}.{os.getpid()}"  # another process may look while it is copied
            shutil.copy(path, whole)
            whole.replace(kept)
        shutil.copy(kept, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(to_onnx, "export_graph", export)
        yield


def graph_digest(graph: nn.Module, inputs: tuple[Tensor, ...], names_and_axes: tuple[Any, ...]) -> str:
    """Of everything that a graph is made of: its structure, its weights, and the shapes and names of its inputs."""
    parts = [repr(graph), repr([(value.shape, value.dtype) for value in inputs]), repr(names_and_axes)]
    digest = hashlib.sha256("\n".join(parts).encode())
    for name, value in graph.state_dict().items():
        digest.update(f"{name} {value.dtype} {value.shape}".encode() + value.contiguous().numpy().tobytes())
    return digest.hexdigest()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> BuildRequest:
    """A request to export two small networks with random weights."""
    folder = tmp_path_factory.mktemp("tiny")
    write_pairs(folder / "pairs")
    words = tokenizer_json()
    vocabulary = len(json.loads(words)["model"]["vocab"])
    torch.manual_seed(3)
    vision = {
        "model_type": "vit",
        "hidden_size": WIDTH,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 512,
        "image_size": SIZE,
        "patch_size": 8,
    }
    bert = {
        "model_type": "bert",
        "vocab_size": vocabulary,
        "hidden_size": WIDTH,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 512,
        "max_position_embeddings": 32,
        "pad_token_id": 0,
    }
    config = EncoderConfig(
        {"kind": "transformers", "config": vision},
        {"kind": "transformers", "config": bert},
        size=SIZE,
        dim=DIM,
        max_length=32,
    )
    encoders = DualEncoder(config).eval()
    settings = {"data": {"manifests": ["pairs/pairs.csv"]}, "train": {"seed": 3}}
    extra = {"settings": settings}
    checkpoint.save(folder / "encoders.pt", checkpoint.ENCODERS, config.as_dict(), encoders, words, extra)
    sizes = CaptionerConfig(vocab=vocabulary, embedding=DIM, dim=WIDTH, layers=1, heads=2, max_tokens=16)
    decoder = CaptionDecoder(sizes).eval()
    extra = {"settings": {"data": {"pairs": ["pairs/pairs.csv"]}}}
    checkpoint.save(folder / "captioner.pt", checkpoint.CAPTIONER, sizes.as_dict(), decoder, words, extra)
    return BuildRequest(
        folder / "encoders.pt",
        folder / "captioner.pt",
        folder / "bundle",
        folder,
        variants=("fp32", "int8"),
        name="tiny",
        draws=20,
        command="python -m export tiny",
    )


@pytest.fixture(scope="session")
def bundle_folder(tiny: BuildRequest) -> Path:
    """The bundle exported from `tiny`; tests that change it copy it first."""
    return build(tiny)
