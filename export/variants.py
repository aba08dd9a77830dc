"""Writes the graphs of each variant (fp32, fp16, int8) into a folder. Knows nothing of manifests."""

import copy
import logging
import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.models import runtime
from engine.models.heads import Parameters, project
from engine.models.manifest import GRAPHS
from export import parity, quantize, to_onnx
from training.networks.captioner import CaptionDecoder
from training.networks.towers import DualEncoder

log = logging.getLogger(__name__)
VARIANTS = ("fp32", "int8", "fp16")
FLOAT_CONVOLUTIONS = (18, 30)
"""How many first convolutions of an int8 image tower stay in float32: tried in turn until parity is reached."""
SMALL_TEXT = r"word_embeddings"
SMALL_CAPTIONER = r"\.layers\.|to_memory"
SMALL = (SMALL_TEXT, SMALL_CAPTIONER)
WANTED_COSINE = 0.985
"""A little above what parity requires, because it is measured on fewer images."""


def file_name(graph: str, variant: str) -> str:
    """Name of a graph's file, e.g. image.int8.onnx."""
    return f"{graph}.{variant}.onnx"


def write_fp32(folder: Path, encoders: DualEncoder, decoder: CaptionDecoder, variant: str = "fp32") -> None:
    """Write the graphs in the precision of the models."""
    to_onnx.export_image(encoders, folder / file_name("image", variant))
    to_onnx.export_text(encoders, folder / file_name("text", variant))
    to_onnx.export_captioner(decoder, folder / file_name("captioner", variant))


def write_fp16(folder: Path, encoders: DualEncoder, decoder: CaptionDecoder) -> None:
    """Write graphs with half-precision weights and arithmetic, for GPUs; no faster on a CPU."""
    write_fp32(folder, copy.deepcopy(encoders).half(), copy.deepcopy(decoder).half(), "fp16")


def write_int8(folder: Path, pixels: NDArray[np.uint8], head: Parameters, small: bool = False) -> None:
    """Write graphs with integer weights from the fp32 graphs in the folder.

    Args:
        pixels: uint8 [N, S, S], training images: the first three quarters set the ranges of activations, the rest
            decide how many convolutions stay in float32.
        head: the projection of the image features; what is judged is how it changes the embeddings.
        small: 4 bits where they cost least accuracy: the token table and the decoder's layers.
    """
    paths = {graph: (folder / file_name(graph, "fp32"), folder / file_name(graph, "int8")) for graph in GRAPHS}
    quantize.weights_to_integers(*paths["text"], four_bits=SMALL_TEXT if small else "")
    captioner_to_integers(*paths["captioner"], small)
    image_to_integers(*paths["image"], pixels, head)


def with_graphs_of_bundle(folder: Path, encoders: DualEncoder, decoder: CaptionDecoder, small: bool) -> list[str]:
    """Write the int8 variant of heads that learned on the trunks of a bundle: its graphs, and a new captioner."""
    for graph, tower in (("image", encoders.image_tower), ("text", encoders.text_tower)):
        shutil.copyfile(tower.path, folder / file_name(graph, "int8"))  # type: ignore[arg-type]
    exact = folder / file_name("captioner", "fp32")
    to_onnx.export_captioner(decoder, exact)
    captioner_to_integers(exact, folder / file_name("captioner", "int8"), small)
    exact.unlink()
    return ["int8"]


def captioner_to_integers(source: Path, target: Path, small: bool) -> None:
    """Write the captioner in 8 bits; `small` as in `write_int8`."""
    quantize.weights_to_integers(source, target, four_bits=SMALL_CAPTIONER if small else "")


def image_to_integers(source: Path, target: Path, pixels: NDArray[np.uint8], head: Parameters) -> None:
    """Write the image tower in 8 bits; `pixels` and `head` as in `write_int8`."""
    count = quantize.convolutions(source)
    if count <= 1:
        quantize.weights_to_integers(source, target)
        return
    cut = len(pixels) * 3 // 4
    fitted, judged = pixels[:cut], pixels[cut:]
    machine = runtime.detect("cpu")
    wanted = project(head, runtime.Model(source, machine).run(["features"], {"pixels": judged})[0])
    for kept in sorted({min(kept, count - 1) for kept in FLOAT_CONVOLUTIONS}):
        quantize.convolutions_to_integers(source, target, fitted, kept)
        found = project(head, runtime.Model(target, machine).run(["features"], {"pixels": judged})[0])
        lowest = float(parity.row_cosines(wanted, found).min())
        log.info("int8 image tower with %d of %d convolutions in float32: lowest cosine %.4f", kept, count, lowest)
        if lowest >= WANTED_COSINE:
            return
