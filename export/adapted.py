"""Builds a bundle from an adapted checkpoint: `python -m export.adapted CHECKPOINT --archive DIR --bundle B --out NEW`.

The second half of `python -m training adapt`. The new bundle is the old one with two new towers and new constants. The
captioner is kept unchanged; how well it still fits the images is reported but decides nothing. The new bundle is kept
only if it is better on held-out patients.
"""

import argparse
import copy
import logging
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from engine import preprocess
from engine.archive import Archive
from engine.bundle import Bundle
from engine.errors import UserError
from engine.models.captioner import log_softmax
from engine.models.manifest import GRAPHS, file_entry
from export import adapted_constants, bundle_writer, model_card, parity, quantize, to_onnx, variants
from export.variants import file_name
from training.commands import evaluate
from training.data import archive_pairs
from training.data.archive_pairs import HELD_OUT, TRAIN, VAL
from training.data.pairs import Pairs
from training.metrics.embedders import FromBundle, FromCheckpoint
from training.tables import table

log = logging.getLogger(__name__)
BEFORE, AFTER = "before", "after"
QUANTISATION_IMAGES = 96
"""Used as in export.build, but fewer: a site adapts on its CPU, where they run through the float32 tower up to twice,
and the smallest archive that is accepted has only 120 training images. The parity check refuses ranges that do not fit.
"""
PARITY_ROWS = 64
DRAFTS = 64
"""Held-out reports by which the captioner is compared before and after."""
FAMILIARITY_IMAGES = 4000
"""Archived images, with and without reports, whose features fit the new familiarity model."""
TOLERANCE = 0.02
"""How much the gap over its floor may grow, and how much the margin may fall."""
WITHOUT = (
    "An adapted bundle has the variants of its source: export the source again without this variant (`python -m export "
    "... --variants`), and give that as --bundle."
)
RECALLS = {"recall@10_image_to_text": "image to text", "recall@10_text_to_image": "text to image"}
NOTE = (
    "The towers were trained further, offline, on the image-report pairs of one archive, and measured on held-out "
    "patients of that archive. Other hospitals were not measured; data like that of the source bundle may fare "
    "worse than before. Which images are reported as unfamiliar was measured again on this archive, so kinds of "
    "examination that it does not hold are reported as unfamiliar."
)


@dataclass(frozen=True)
class AdaptedRequest:
    """What to build; see `python -m export.adapted --help`."""

    checkpoint: Path
    archive: Path
    bundle: Path
    out: Path
    most: int = archive_pairs.MAX_PAIRS
    force: bool = False
    command: str = ""
    """The command line: the card quotes it, and the refusal quotes it with --force."""


@dataclass(frozen=True)
class Judgement:
    """The evaluation of the models "before" and "after"."""

    document: dict[str, Any]
    drafts: dict[str, float]
    """Mean natural log-probability per token of the held-out reports, given by the captioner from their images."""
    against: list[str]
    """Reasons against the new bundle; empty if it is better."""


def build(request: AdaptedRequest) -> str:
    """Write the bundle if it is better than its source, or if forced; return the table of both.

    Raises:
        UserError: it is not better (with the reasons); too few pairs; a variant too far from the checkpoint.
    """
    encoders = FromCheckpoint(request.checkpoint)
    before = Bundle.open(request.bundle)
    with Archive.open(request.archive) as opened:
        pairs = archive_pairs.read(opened, encoders.model.config.size, request.most)
        images = archive_pairs.images(opened, min(request.most, FAMILIARITY_IMAGES))
    with bundle_writer.new_folder(request.out) as folder:
        content = write(folder, encoders, before, pairs)
        judged = judge(before, Bundle.open(folder), pairs)
        shown = summary(judged)
        if judged.against and not request.force:
            sys.stdout.write(shown)
            raise UserError(
                f"The adapted bundle is not better and was not kept: {'; '.join(judged.against)}. Add more pairs, or "
                f"write it anyway, without training again: {request.command} --force"
            )
        own = judged.document["models"][AFTER]
        content["familiarity"] = adapted_constants.of_images(folder, Bundle.open(folder), images)
        content["draft"] = adapted_constants.of_drafts(before, judged.drafts[AFTER] - judged.drafts[BEFORE])
        content |= {
            "metrics": {"pool": judged.document["pool"], "chance": judged.document["chance"], **own["metrics"]},
            "baselines": {BEFORE: judged.document["models"][BEFORE]["metrics"]},
            "evaluation": judged.document,
        }
        content["adapted"] |= {"draft_log_prob": judged.drafts, "against": judged.against}
        bundle_writer.write_manifest(folder, content)
        card = model_card.card(content, request.command) + f"\n## Adapted\n\n{NOTE}\n\n{shown}"
        (folder / bundle_writer.CARD).write_text(card, encoding="utf-8")
    return shown


def write(folder: Path, encoders: FromCheckpoint, before: Bundle, pairs: Pairs) -> dict[str, Any]:
    """Write all files of the new bundle; return its manifest, with constants measured on the archive's val patients."""
    content = copy.deepcopy(before.manifest)
    wanted = list(content["variants"])
    for entry in (content["tokenizer"], content.get("training_ngrams")):
        if entry:  # the captioner is unchanged, and so are the texts that it must not repeat
            shutil.copyfile(before.folder / entry["file"], folder / entry["file"])
    model = encoders.model.cpu().eval()
    training, val = pairs.split(TRAIN), pairs.split(VAL)
    write_towers(folder, "fp32", model)
    if "fp16" in wanted:
        write_towers(folder, "fp16", copy.deepcopy(model).half())
    if "int8" in wanted:
        text, image = (variants.SMALL_TEXT, variants.SMALL_IMAGE) if content.get("four_bit_weights") else ("", "")
        quantize.weights_to_integers(folder / "text.fp32.onnx", folder / "text.int8.onnx", four_bits=text)
        chosen = np.random.default_rng(0).permutation(len(training.images))[:QUANTISATION_IMAGES]
        pixels = preprocess.batch([training.images[i] for i in chosen], model.config.size)
        variants.image_to_integers(folder / "image.fp32.onnx", folder / "image.int8.onnx", pixels, image)
    for variant in wanted:
        old = before.manifest["variants"][variant]["captioner"]["file"]
        shutil.copyfile(before.folder / old, folder / file_name("captioner", variant))
        content["variants"][variant] = {graph: file_entry(folder / file_name(graph, variant)) for graph in GRAPHS}
    if "fp32" not in wanted:
        for graph in ("image", "text"):
            (folder / file_name(graph, "fp32")).unlink()
    content.pop("familiarity", None)  # statistics of the old space; adapted_constants measures those of the new one
    own_archive = {
        "name": "own archive",
        "rows": len(training.rows),
        "used_for": "image and text towers (adapted)",
        "licences": ["the site's own"],
    }
    content |= {
        "name": f"{before.manifest['name']}, adapted",
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "git_commit": bundle_writer.git_commit(),
        "adapted": {"from": before.id, "pairs": len(pairs.rows), "patients": len({r.patient for r in pairs.rows})},
        "data_provenance": [*content.get("data_provenance", []), own_archive],
    }
    bundle_writer.write_manifest(folder, content)
    content["parity"] = check_parity(folder, wanted, encoders, val)
    content |= adapted_constants.of_pairs(FromBundle(folder), before, val)
    bundle_writer.write_manifest(folder, content)
    return content


def write_towers(folder: Path, variant: str, model: Any) -> None:
    """Write the graphs of both towers."""
    to_onnx.export_image(model, folder / file_name("image", variant))
    to_onnx.export_text(model, folder / file_name("text", variant))


def check_parity(folder: Path, wanted: Sequence[str], encoders: FromCheckpoint, val: Pairs) -> dict[str, Any]:
    """Row cosines of both towers; no captions are compared, as the captioner is the same file."""
    images = list(val.images[:PARITY_ROWS])
    texts = list(dict.fromkeys(row.text for row in val.rows))[:PARITY_ROWS]
    expected = parity.Reference(images, texts, encoders.images(images), encoders.texts(texts), [])
    figures = {}
    for variant in wanted:
        figures[variant] = parity.measure(Bundle.open(folder, variant, "cpu"), expected)
        parity.demand(variant, figures[variant], WITHOUT)
    return figures


def judge(before: Bundle, after: Bundle, pairs: Pairs) -> Judgement:
    """Evaluate both bundles on the held-out patients, as the app runs them."""
    models = {name: FromBundle(bundle.folder, bundle.variant) for name, bundle in ((BEFORE, before), (AFTER, after))}
    document, _ = evaluate.evaluate_pairs(dict(models), pairs, ["own archive"], split=HELD_OUT)
    drafts = {name: draft_fit(model.bundle, pairs.split(HELD_OUT)) for name, model in models.items()}
    compared = document["comparisons"][f"{AFTER} over {BEFORE}"]
    against = []
    if not any(compared[name]["verdict"] == "better" for name in RECALLS):
        against.append("recall@10 is not significantly better in either direction")
    against += [
        f"recall@10 {way} falls by {-100 * compared[name]['difference']:.1f} points"
        for name, way in RECALLS.items()
        if compared[name]["difference"] < 0
    ]
    for name, change in (("gap_over_floor", "the gap over its floor grows"), ("margin", "the margin falls")):
        if compared[name]["difference"] < -TOLERANCE:
            against.append(f"{change} by {-compared[name]['difference']:.3f}")
    return Judgement(document, drafts, against)


def draft_fit(bundle: Bundle, held_out: Pairs) -> float:
    """Mean log-probability per token that the captioner gives the held-out reports, from their image embeddings."""
    shape, tokenizer = bundle.decoder_shape, bundle.tokenizer
    past = np.zeros((shape.layers, 2, 1, shape.heads, 0, shape.head_dim), np.float32)
    total, count = 0.0, 0
    rows = bundle.embed_images(held_out.images[:DRAFTS])
    for row, pair in zip(rows, held_out.rows):
        ids, _ = tokenizer.encode_batch([pair.text], shape.max_tokens)
        logits, _ = bundle.decoder_step(ids[:, :-1], row[None], past)
        total += float(np.take_along_axis(log_softmax(logits[0]), ids[0, 1:, None], axis=1).sum())
        count += ids.shape[1] - 1
    return total / count


def summary(judged: Judgement) -> str:
    """A table of both bundles for the terminal and the card."""
    document = judged.document
    pool, models = document["pool"], document["models"]
    compared = document["comparisons"][f"{AFTER} over {BEFORE}"]
    lines = [
        [f"{pool['images']} held-out images, {pool['texts']} texts", BEFORE, AFTER, "after minus before", "chance"]
    ]
    for name, way in RECALLS.items():
        chance = f"{100 * document['chance'][name]:.1f}"
        values = (100 * models[model]["metrics"][name]["value"] for model in (BEFORE, AFTER))
        lines.append([f"recall@10 {way}, %", *(f"{v:.1f}" for v in values), table.verdict(compared[name]), chance])
    for name, shown in (("gap_over_floor", "gap over its floor"), ("margin", "margin")):
        values = (models[model]["metrics"][name]["value"] for model in (BEFORE, AFTER))
        lines.append([shown, *(f"{value:.3f}" for value in values), table.verdict(compared[name]), ""])
    drafts = [f"{judged.drafts[name]:.2f}" for name in (BEFORE, AFTER)]
    change = judged.drafts[AFTER] - judged.drafts[BEFORE]
    lines.append(["captioner, log-probability per token", *drafts, f"{change:+.2f}", ""])
    return table.grid(lines) + "\n"


def main(argv: Sequence[str]) -> int:
    """Exit code 0, or 2 with one line on stderr when the user can do something about it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    for noisy in ("onnxscript", "onnx_ir", "torch.onnx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    parser = argparse.ArgumentParser(prog="python -m export.adapted", description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("checkpoint", type=Path, help="best.pt of `python -m training adapt`")
    add("--archive", type=Path, required=True, help="archive that it was adapted to")
    add("--bundle", type=Path, required=True, help="bundle that it was adapted from")
    add("--out", type=Path, required=True, help="folder of the new bundle")
    add("--most", type=int, default=archive_pairs.MAX_PAIRS, help="maximum number of pairs, as in training")
    add("--force", action="store_true", help="write the new bundle even if it is not better")
    options = parser.parse_args(argv)
    request = AdaptedRequest(**vars(options), command="python -m export.adapted " + shlex.join(argv))
    try:
        shown = build(request)
    except UserError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    sys.stdout.write(f"{shown}\nThe new bundle is in {options.out}; re-index the archive with it: `kindred reindex`.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
