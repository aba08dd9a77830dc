"""The graphs of each variant of a bundle, as files in a folder. Knows nothing of manifests."""

import copy
import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.models import runtime
from engine.models.manifest import GRAPHS
from export import parity, quantize, to_onnx
from training.networks.captioner import CaptionDecoder
from training.networks.towers import DualEncoder

log = logging.getLogger(__name__)
VARIANTS = ("fp32", "int8", "fp16")
FLOAT_CONVOLUTIONS = (18, 30)
"""How many first convolutions of an int8 image tower stay in float32: tried in turn until the rest rounds well."""
SMALL_TEXT = r"word_embeddings|text_projection"
SMALL_IMAGE = r"image_projection"
SMALL_CAPTIONER = r"\.layers\.|to_memory"
SMALL = (SMALL_TEXT, SMALL_IMAGE, SMALL_CAPTIONER)
WANTED_COSINE = 0.985
"""A little above what parity demands, because this is measured on fewer pictures."""


def file_name(graph: str, variant: str) -> str:
    return f"{graph}.{variant}.onnx"


def write_fp32(folder: Path, encoders: DualEncoder, decoder: CaptionDecoder, variant: str = "fp32") -> None:
    """The graphs in the precision of the models."""
    to_onnx.export_image(encoders, folder / file_name("image", variant))
    to_onnx.export_text(encoders, folder / file_name("text", variant))
    to_onnx.export_captioner(decoder, folder / file_name("captioner", variant))


def write_fp16(folder: Path, encoders: DualEncoder, decoder: CaptionDecoder) -> None:
    """Half-precision weights and arithmetic, for GPUs; no faster on a CPU."""
    write_fp32(folder, copy.deepcopy(encoders).half(), copy.deepcopy(decoder).half(), "fp16")


def write_int8(folder: Path, calibration: NDArray[np.uint8], small: bool = False) -> None:
    """Integer weights, from the fp32 graphs that lie in the folder.

    Args:
        calibration: uint8 [N, S, S], training pictures: the first three quarters set the ranges of activations, the
            rest judge how many convolutions have to stay in float32.
        small: 4 bits where they cost least: the word table, both projections, and the layers of the
            decoder, whose words are drafts in any case.
    """
    paths = {graph: (folder / file_name(graph, "fp32"), folder / file_name(graph, "int8")) for graph in GRAPHS}
    quantize.weights_to_integers(*paths["text"], four_bits=SMALL_TEXT if small else "")
    quantize.weights_to_integers(*paths["captioner"], four_bits=SMALL_CAPTIONER if small else "")
    image_to_integers(*paths["image"], calibration, SMALL_IMAGE if small else "")


def image_to_integers(source: Path, target: Path, calibration: NDArray[np.uint8], four_bits: str = "") -> None:
    """The image tower in 8 bits; `calibration` as in `write_int8`, `four_bits` as in `quantize.weights_to_integers`."""
    count = quantize.convolutions(source)
    if count <= 1:
        quantize.weights_to_integers(source, target, four_bits)
        return
    cut = len(calibration) * 3 // 4
    fitted, judged = calibration[:cut], calibration[cut:]
    machine = runtime.detect("cpu")
    wanted = runtime.Model(source, machine).run(["embedding"], {"pixels": judged})[0]
    for kept in sorted({min(kept, count - 1) for kept in FLOAT_CONVOLUTIONS}):
        quantize.convolutions_to_integers(source, target, fitted, kept, four_bits)
        found = runtime.Model(target, machine).run(["embedding"], {"pixels": judged})[0]
        lowest = float(parity.row_cosines(wanted, found).min())
        log.info("int8 image tower with %d of %d convolutions in float32: lowest cosine %.4f", kept, count, lowest)
        if lowest >= WANTED_COSINE:
            return
