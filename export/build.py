"""Builds a bundle from two checkpoints: graphs, variants, parity, measurements, manifest, card.

Knows nothing of the command line. A failed build leaves no folder behind.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine import preprocess
from engine.bundle import Bundle
from engine.errors import UserError
from engine.models.bundle_folder import new_folder
from engine.models.heads import FILE, FLOAT
from engine.models.manifest import file_entry
from export import bundle_writer, heads, model_card, parity, variants
from training.commands import evaluate
from training.data import training_ngrams
from training.data.pairs import Pair, Pairs, corpus, read_manifest, read_pairs
from training.metrics import fact_heads, familiarity
from training.metrics.embedders import Embedder, FromBundle, FromCheckpoint
from training.networks import checkpoint
from training.networks.bundle_towers import BundleTower
from training.networks.captioner import CaptionDecoder

log = logging.getLogger(__name__)
QUANTISATION_IMAGES = 512
"""Training images for the int8 image tower: three quarters set the ranges of its activations, the rest decide how many
convolutions stay in float32. Many, because a bundle is built once and its training images come from many sources."""
PARITY_ROWS = 64
SEED = 0


@dataclass(frozen=True)
class BuildRequest:
    """What to export; see `python -m export --help`."""

    checkpoint: Path
    captioner: Path
    out: Path
    data: Path
    pairs: tuple[Path, ...] = ()
    variants: tuple[str, ...] = ("int8",)
    baselines: Mapping[str, Path] = field(default_factory=dict)
    name: str = "Kindred bundle"
    most_bytes: int = 0
    small: bool = False
    head_bits: int = 8
    """Of the weights of the projections, if int8 is the only variant; see `engine.models.heads`."""
    draws: int = 1000
    command: str = ""


def build(request: BuildRequest) -> Path:
    """Write the bundle and return its folder.

    Raises:
        UserError: checkpoints that do not belong together, data missing, a variant too far from its checkpoint, a
            bundle too large.
    """
    encoders, encoders_kept = FromCheckpoint(request.checkpoint), checkpoint.load(request.checkpoint)
    decoder, decoder_kept = load_captioner(request, encoders)
    manifests = request.pairs or tuple(request.data / name for name in encoders_kept.data_files("manifests"))
    if not manifests:
        raise UserError("The checkpoint does not name its training manifests; give them with --pairs.")
    pairs = read_pairs(manifests, stream=True)  # each picture is needed once or twice, and all of them are many GB
    training, held_out = pairs.split("train"), pairs.split("val")
    config = encoders.model.config
    with new_folder(request.out) as folder:
        texts, sources, counts = training_texts(request, encoders_kept, decoder_kept, training)
        (folder / bundle_writer.TOKENIZER).write_text(encoders.tokenizer_json, encoding="utf-8")
        training_ngrams.write(folder / bundle_writer.NGRAMS, texts)
        log.info("writing %s", ", ".join(request.variants))
        made = write_variants(folder, request, encoders, decoder, training)
        sizes = {name: getattr(decoder.config, name) for name in ("layers", "heads", "head_dim", "max_tokens")}
        captioner = {**sizes, "metrics": decoder_kept.extra.get("metrics", {})}
        content = bundle_writer.provisional(
            folder, request.name, config.size, config.dim, config.max_length, captioner, made
        )
        bundle_writer.write_manifest(folder, content)
        expected = reference(encoders, decoder, held_out)
        content["parity"] = check_parity(folder, [name for name in made if name != "int8"], expected)
        for variant in set(made) - set(request.variants):
            bundle_writer.drop_variant(folder, content, variant)
        if request.variants == ("int8",):  # float variants share the file, so they need all of its precision
            heads.of_model(encoders.model).write(folder / FILE, request.head_bits)
            content["heads"] = file_entry(folder / FILE)
        bundle_writer.write_manifest(folder, content)
        content["parity"] |= check_parity(folder, [name for name in made if name == "int8"], expected)
        content["draft"] = decoder_kept.extra.get("draft", {})
        content |= measure(folder, request, [path.name for path in manifests], pairs)
        if min(len(training.images), len(held_out.images)) >= familiarity.MIN_IMAGES:
            shipped = Bundle.open(folder)
            rows = [shipped.image_features(split.images) for split in (training, held_out)]
            content["familiarity"] = familiarity.write(folder, *rows)
            content |= fact_heads.entry(folder, rows[0], training.rows, rows[1], held_out.rows)
        content |= {
            "intended_use": model_card.INTENDED_USE,
            "licence": model_card.licence(sources),
            "data_provenance": sources,
            "learned_from": counts,
            "four_bit_weights": list(variants.SMALL) if request.small else [],
            "seed": encoders_kept.extra.get("settings", {}).get("train", {}).get("seed"),
        }
        bundle_writer.write_manifest(folder, content)
        card = model_card.card(content, request.command)
        (folder / bundle_writer.CARD).write_text(card, encoding="utf-8")
        total = bundle_writer.refuse_too_large(folder, request.most_bytes)
    log.info("%s: %.2f MB, id %s", request.out, total / 1e6, Bundle.open(request.out).id)
    return request.out


def load_captioner(request: BuildRequest, encoders: FromCheckpoint) -> tuple[CaptionDecoder, checkpoint.Checkpoint]:
    """Load the decoder that was trained on these encoders.

    Raises:
        UserError: not a captioner, or trained on other encoders.
    """
    kept = checkpoint.load(request.captioner)
    decoder = checkpoint.build(kept)
    if not isinstance(decoder, CaptionDecoder):
        raise UserError(f"{request.captioner} is a checkpoint of {kept.kind}; give one of a captioner.")
    mine = checkpoint.digest(request.checkpoint)
    if kept.tokenizer_json != encoders.tokenizer_json or kept.extra.get("encoders_sha256", mine) != mine:
        raise UserError(
            f"The captioner {request.captioner} was trained on other encoders than {request.checkpoint}; "
            "train it on these encoders."
        )
    return decoder, kept


def training_texts(
    request: BuildRequest, encoders: checkpoint.Checkpoint, captioner: checkpoint.Checkpoint, training: Pairs
) -> tuple[list[str], list[dict[str, Any]], dict[str, int]]:
    """Everything that either model was trained on.

    Returns:
        every text; rows, use and licences of each source; and the number of images, different texts and patients that
        the towers were trained on.
    """
    towers = unique([*training.rows, *training_rows(request.data, encoders.data_files("more"))])
    captioned = unique(training_rows(request.data, captioner.data_files("pairs")))

    def used_for(row: Pair) -> str:
        uses = {"image and text towers": towers, "captioner": captioned}
        return ", ".join(use for use, rows in uses.items() if (row.path, row.text) in rows)

    rows = list((towers | captioned).values())
    sources = provenance(rows, used_for)
    texts = [row.text for row in rows]
    for name in captioner.data_files("texts"):
        found_texts = corpus(request.data / name)
        texts += found_texts
        use = "captioner, and vocabulary of the text tower"
        sources.append({"name": name, "rows": len(found_texts), "used_for": use, "licences": licences(name)})
    counts = {
        "pictures": len({row.path for row in towers.values()}),
        "texts": len({row.text for row in towers.values()}),
        "patients": len({row.patient for row in towers.values()}),
    }
    return texts, sources, counts


def training_rows(folder: Path, names: Iterable[str]) -> list[Pair]:
    """The rows of the split train in the named manifests."""
    return [row for name in names for row in read_manifest(folder / name)[0] if row.split == "train"]


def unique(rows: Iterable[Pair]) -> dict[tuple[Path, str], Pair]:
    """The rows by path and text, duplicates removed."""
    return {(row.path, row.text): row for row in rows}


def provenance(rows: Iterable[Pair], used_for: Callable[[Pair], str]) -> list[dict[str, Any]]:
    """Name, number of rows, use (that of the first row) and licences of each source."""
    grouped: dict[str, list[Pair]] = defaultdict(list)
    for row in rows:
        grouped[row.values.get("source", "") or "not stated"].append(row)
    return [
        {
            "name": name,
            "rows": len(found),
            "used_for": used_for(found[0]),
            "licences": sorted({row.values.get("licence", "") or "not stated" for row in found}),
        }
        for name, found in grouped.items()
    ]


def licences(name: str) -> list[str]:
    """Licences of a text corpus that is known by its file name."""
    known = {
        "roco": "ROCO figure captions from PubMed Central, licence per figure: CC BY, CC BY-SA, CC BY-NC and others",
        "iu_reports": "Indiana University chest X-rays (Open-i), findings and impressions apart, CC BY-NC-ND 4.0",
    }
    return [text for key, text in known.items() if key in name] or ["not stated"]


def write_variants(
    folder: Path, request: BuildRequest, encoders: FromCheckpoint, decoder: CaptionDecoder, training: Pairs
) -> list[str]:
    """Write the graphs of the requested variants, and fp32 always: int8 is made from it and parity starts there.

    Heads on the trunks of a bundle take its graphs as they are, and there is no fp32.
    """
    model = encoders.model.cpu().eval()
    heads.of_model(model).write(folder / FILE, FLOAT)
    if isinstance(model.image_tower, BundleTower):
        if request.variants != ("int8",):
            raise UserError("Heads on the trunks of a bundle come in its variant only; export with --variants int8.")
        return variants.with_graphs_of_bundle(folder, model, decoder, request.small)
    variants.write_fp32(folder, model, decoder)
    if "fp16" in request.variants:
        variants.write_fp16(folder, model, decoder)
    if "int8" in request.variants:
        chosen = np.random.default_rng(SEED).permutation(len(training.images))[:QUANTISATION_IMAGES]
        pixels = preprocess.batch([training.images[i] for i in chosen], model.config.size)
        variants.write_int8(folder, pixels, heads.parameters(model.image_projection), request.small)
    return [name for name in variants.VARIANTS if name == "fp32" or name in request.variants]


def reference(encoders: FromCheckpoint, decoder: CaptionDecoder, held_out: Pairs) -> parity.Reference:
    """What the checkpoints make of some held-out images and texts."""
    chosen = np.random.default_rng(SEED).permutation(len(held_out.images))[:PARITY_ROWS]
    texts = list(dict.fromkeys(row.text for row in held_out.rows))[:PARITY_ROWS]
    return parity.reference(encoders, decoder, [held_out.images[i] for i in chosen], texts)


def check_parity(folder: Path, names: Sequence[str], expected: parity.Reference) -> dict[str, Any]:
    """Parity figures of the named variants; raises UserError if one is too far off."""
    figures = {}
    for variant in names:
        figures[variant] = parity.measure(Bundle.open(folder, variant, "cpu"), expected)
        log.info("parity of %s: %s", variant, figures[variant])
        parity.demand(variant, figures[variant])
    return figures


def measure(folder: Path, request: BuildRequest, names: Sequence[str], pairs: Pairs) -> dict[str, Any]:
    """Metrics and score scale of the exported models on val, beside the baselines.

    `names` are the manifests that the pairs come from.
    """
    held_out = pairs.split("val")
    shipped = FromBundle(folder)
    shipped.score_scale = None  # the evaluation measures them
    models: dict[str, Embedder] = {name: FromCheckpoint(path) for name, path in request.baselines.items()}
    models[request.name] = shipped
    log.info("measuring %s on %d held-out pairs", ", ".join(models), len(held_out.rows))
    document, _ = evaluate.evaluate_pairs(models, pairs, names, draws=request.draws)
    own = document["models"][request.name]
    return {
        "calibration": own["calibration"],
        "metrics": {"pool": document["pool"], "chance": document["chance"], **own["metrics"]},
        "baselines": {name: found["metrics"] for name, found in document["models"].items() if name != request.name},
        "evaluation": document,
    }
