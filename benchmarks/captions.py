"""Measures whether captions get worse with integer weights. Claim: they do not.

    python -m benchmarks.captions --help

The same decoder in torch, as an fp32 graph, and with 8-bit and 4-bit weights (as in a small bundle). Each writes the
captions of the validation images with the engine's own beam search, from the same embeddings.
"""

import argparse
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import UserError
from engine.models import captioner, runtime
from export import quantize, to_onnx
from export.variants import SMALL_CAPTIONER
from training.captions import scores
from training.captions.material import Material, gather
from training.commands import caption_matrix
from training.commands.train_captioner import from_dict
from training.networks import checkpoint
from training.networks.captioner import CaptionDecoder, decoder_shape, torch_step
from training.tables import caption_tables
from training.tables.table import grid

TITLE = "Integer weights"
FP32 = "fp32, ONNX"
SHOWN = ("cider", "term_f1", "bleu1", "bleu4", "rouge_l", "chrf")


def graph_step(path: Path) -> captioner.Step:
    """An exported decoder as the engine's search calls it."""
    model = runtime.Model(path, runtime.detect("cpu"))

    def step(ids, condition, past):  # type: ignore[no-untyped-def]
        logits, present = model.run(["logits", "present"], {"ids": ids, "condition": condition, "past": past})
        return logits, present

    return step


def captions(decoder: CaptionDecoder, material: Material) -> dict[str, list[str]]:
    """The captions of each form of the decoder for the validation images."""
    shape = decoder_shape(decoder)
    with tempfile.TemporaryDirectory() as folder:
        whole, eight, four = (Path(folder) / f"{name}.onnx" for name in ("fp32", "int8", "int4"))
        to_onnx.export_captioner(decoder, whole)
        quantize.weights_to_integers(whole, eight)
        quantize.weights_to_integers(whole, four, four_bits=SMALL_CAPTIONER)
        steps = {
            "torch": torch_step(decoder),
            FP32: graph_step(whole),
            "8 bits": graph_step(eight),
            "8 bits, layers in 4": graph_step(four),
        }
        return {
            name: [one.text for one in captioner.generate_all(step, material.val_images, material.tokenizer, shape)]
            for name, step in steps.items()
        }


def section(written: Mapping[str, list[str]], material: Material) -> str:
    """Scores of each form with intervals, and paired differences from the fp32 graph."""
    weights = scores.resamples(material.val_groups)
    measured = {name: scores.measure(texts, material.val_texts) for name, texts in written.items()}
    names = dict(caption_tables.SHOWN)
    lines = [
        ["decoder", "same text as fp32", *(names[score] for score in SHOWN), "CIDEr-D over fp32", "term F1 over fp32"]
    ]
    for name, per_caption in measured.items():
        values: dict[str, Any] = scores.in_percent(per_caption, weights)
        same = np.mean([a == b for a, b in zip(written[name], written[FP32])])
        against = caption_matrix.differences(per_caption, measured[FP32], weights)
        apart = [caption_tables.verdict(against[score]) if name != FP32 else "" for score in ("cider", "term_f1")]
        lines.append([name, f"{100 * same:.0f} %", *(caption_tables.cell(values[score]) for score in SHOWN), *apart])
    return (
        f"{len(material.val_texts)} val images, one decoder, and the same fp32 embeddings for all rows. In %; in "
        f"brackets: 95% interval of a bootstrap over groups.\n\n{grid(lines)}"
    )


def main() -> None:
    """Generate the captions with every form of the decoder and print the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--captioner", type=Path, required=True, help="best.pt of a captioner")
    parser.add_argument("--encoders", type=Path, required=True, help="best.pt of the encoders it was trained on")
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--most", type=int, help="use at most this many validation images, a fixed random sample")
    parser.add_argument("--markdown", type=Path, help="also write the section into this file")
    options = parser.parse_args()
    saved = checkpoint.load(options.captioner)
    decoder = checkpoint.build(saved)
    if not isinstance(decoder, CaptionDecoder) or saved.extra.get("encoders_sha256") != checkpoint.digest(
        options.encoders
    ):
        raise UserError(
            f"{options.captioner} was not trained on {options.encoders}; give a captioner and its own encoders."
        )
    settings = from_dict(saved.extra["settings"])
    sizes, half = settings.model, settings.train.half
    material = gather(
        options.encoders,
        settings.data,
        options.data,
        options.cache,
        dim=sizes.dim,
        max_tokens=sizes.max_tokens,
        half=half,
    )
    if options.most:
        chosen = np.sort(np.random.default_rng(0).permutation(len(material.val_texts))[: options.most])
        material = replace(
            material,
            val_images=material.val_images[chosen],
            val_texts=[material.val_texts[i] for i in chosen],
            val_groups=[material.val_groups[i] for i in chosen],
        )
    body = section(captions(decoder, material), material)
    print(body)
    if options.markdown:
        caption_tables.put(options.markdown, TITLE, body)


if __name__ == "__main__":
    main()
