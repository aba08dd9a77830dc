"""A tiny bundle without training, whose graphs are fixed random features, and an archive that its heads can learn."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from engine.archive import Archive
from engine.bundle import Bundle
from engine.models import manifest
from engine.models.heads import Heads
from engine.resources import resource_path
from engine.store.case import NewCase, NewImage, NewReport
from engine.store.identity import KEY_BYTES, KEY_FILE

SIZE, FEATURES, HIDDEN, DIM = 32, 96, 64, 32
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
    "hip",
    "thyroid",
)
SHOWN = ("mass", "cyst", "stone", "abscess")
IMAGES = 260


def gray(kind: int, number: int) -> np.ndarray:
    """Stripes whose direction tells the finding and whose width the organ, with noise of their own."""
    y, x = np.mgrid[:48, :48]
    angle, width = kind // 12 * np.pi / 4, 2.0 + kind % 12 / 2
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) / width * np.pi)
    noise = np.random.default_rng([9, number]).normal(0, 12, (48, 48))
    return np.clip(128 + 90 * wave + noise, 0, 255).astype(np.uint8)


def report(kind: int) -> str:
    return f"The {ORGANS[kind % 12]} shows a {SHOWN[kind // 12]}. No other finding."


def save(path: Path, nodes: list, inputs: dict, weights: dict[str, np.ndarray]) -> None:
    of = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "tiny",
        [of(name, kind, shape) for name, (kind, shape) in inputs.items()],
        [of("features", TensorProto.FLOAT, ["n", FEATURES])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)


def make_bundle(folder: Path) -> Path:
    """pixels -> tanh of random sums; ids -> mean of random word vectors; heads with random weights."""
    folder.mkdir(parents=True)
    rng, starter = np.random.default_rng(5), resource_path("starter-bundle")
    for name in ("tokenizer.json", "training_ngrams.bin"):
        shutil.copyfile(starter / name, folder / name)
    make = helper.make_node
    pixels = [
        make("Cast", ["pixels"], ["gray"], to=TensorProto.FLOAT),
        make("Div", ["gray", "white"], ["bright"]),
        make("Reshape", ["bright", "flat"], ["row"]),
        make("MatMul", ["row", "sums"], ["sum"]),
        make("Tanh", ["sum"], ["features"]),
    ]
    weights = {
        "white": np.float32(255),
        "flat": np.array([0, SIZE * SIZE]),
        "sums": rng.normal(0, 3 / SIZE, (SIZE * SIZE, FEATURES)).astype(np.float32),
    }
    constants = {name: np.asarray(value) for name, value in weights.items()}
    save(folder / "image.int8.onnx", pixels, {"pixels": (TensorProto.UINT8, ["n", SIZE, SIZE])}, constants)
    words = [
        make("Gather", ["table", "ids"], ["words"]),
        make("ReduceMean", ["words", "along"], ["features"], keepdims=0),
    ]
    table = {"table": rng.normal(0, 1, (6000, FEATURES)).astype(np.float32), "along": np.array([1])}
    ids = (TensorProto.INT64, ["n", "length"])
    save(folder / "text.int8.onnx", words, {"ids": ids, "mask": ids}, table)
    (folder / "captioner.int8.onnx").write_bytes(b"never run here")

    def head() -> dict[str, np.ndarray]:
        return {
            "norm.weight": np.ones(FEATURES, np.float32),
            "norm.bias": np.zeros(FEATURES, np.float32),
            "first.weight": rng.normal(0, FEATURES**-0.5, (HIDDEN, FEATURES)).astype(np.float32),
            "first.bias": np.zeros(HIDDEN, np.float32),
            "last.weight": rng.normal(0, HIDDEN**-0.5, (DIM, HIDDEN)).astype(np.float32),
            "last.bias": np.zeros(DIM, np.float32),
        }

    Heads(head(), head()).write(folder / "heads.npz")
    graphs = {graph: manifest.file_entry(folder / f"{graph}.int8.onnx") for graph in manifest.GRAPHS}
    write_manifest(
        folder,
        {
            "schema_version": 2,
            "name": "tiny",
            "preprocess": {"size": SIZE},
            "embedding_size": DIM,
            "tokenizer": {**manifest.file_entry(folder / "tokenizer.json"), "max_length": 32},
            "heads": manifest.file_entry(folder / "heads.npz"),
            "variants": {"int8": graphs},
            "captioner": {"layers": 1, "heads": 1, "head_dim": 1, "max_tokens": 8},
            "calibration": {kind: {"mean": 0.0, "std": 0.2} for kind in manifest.PAIR_KINDS},
            "training_ngrams": {**manifest.file_entry(folder / "training_ngrams.bin"), "n": 8},
            "draft": {"start": "captioner", "confidence": {"slope": 1.0, "intercept": 0.0}},
            "metrics": {"pool": {}},
            "data_provenance": [],
        },
    )
    (folder / "MODEL_CARD.md").write_text("# Model card: tiny\n")
    return folder


def write_manifest(folder: Path, content: dict) -> None:
    (folder / "manifest.json").write_text(json.dumps(content))


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return Bundle.open(make_bundle(tmp_path_factory.mktemp("tiny") / "bundle"))


@pytest.fixture(scope="session")
def filled(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two studies a patient, each an image with its report.

    Its key is fixed: who is held out depends on it.
    """
    folder = tmp_path_factory.mktemp("filled") / "archive"
    kinds = [number % 48 for number in range(IMAGES)]
    images = bundle.embed_images([gray(kind, number) for number, kind in enumerate(kinds)])
    texts = bundle.embed_texts([report(kind) for kind in kinds])
    folder.mkdir()
    (folder / KEY_FILE).write_bytes(bytes(range(KEY_BYTES)))
    with Archive.create(folder, bundle.id) as archive:
        for number, kind in enumerate(kinds):
            image, words = NewImage(gray(kind, number), images[number], "one"), NewReport(report(kind), texts[number])
            case = NewCase(f"study {number}", "CT", patient=f"P{number // 2}", images=(image,), report=words)
            archive.add_case(case, bundle.id)
    return folder
