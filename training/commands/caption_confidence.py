"""Whether a draft's confidence means anything: `python -m training confidence ...`. Knows no desk and no export.

A draft is called right when its clinical-term F1 against the real report is at least RIGHT. A logistic curve over
signals that are known at run time is fitted on one half of the val patients and judged on the other, and the other way
round; the product may show a confidence only where that tells right drafts from wrong ones (WORTH).
"""

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from engine.errors import UserError
from training.arrays import BoolArray, Float64Array
from training.captions import report
from training.captions.frozen_features import FrozenFeatures
from training.captions.material import Material, digest, gather
from training.captions.scores import resamples, term_counts
from training.captions.signals import MEANINGS, signals
from training.commands.train_captioner import CaptionerSettings, from_dict
from training.metrics.bootstrap import interval
from training.networks import checkpoint
from training.tables import caption_reliability, caption_tables
from training.tables.table import grid

log = logging.getLogger(__name__)
RIGHT = 0.3
WORTH = 0.65
SEED = 0
TITLE = "What confidence is worth"


def halves(patients: Sequence[str], seed: int = SEED) -> BoolArray:
    """bool [N], a half of the patients, all pictures of one on the same side."""
    names = sorted(set(patients))
    chosen = set(np.random.default_rng(seed).permutation(names)[: len(names) // 2].tolist())
    return np.array([patient in chosen for patient in patients])


def crossed(features: Float64Array, right: BoolArray, half: BoolArray) -> Float64Array:
    """Probability float64 [N] of being right, each half by the curve fitted on the other.

    Raises:
        UserError: a half has only right or only wrong drafts.
    """
    found = np.zeros(len(right))
    for fitted in (half, ~half):
        if len(set(right[fitted].tolist())) < 2:
            raise UserError("One half of the val patients has only right or only wrong drafts; more pairs are needed.")
        mean, deviation = features[fitted].mean(0), features[fitted].std(0) + 1e-9
        curve = LogisticRegression(C=1.0).fit((features[fitted] - mean) / deviation, right[fitted])
        found[~fitted] = curve.predict_proba((features[~fitted] - mean) / deviation)[:, 1]
    return found


def auroc(right: BoolArray, values: Float64Array, weights: Float64Array) -> dict[str, float]:
    """Area under the ROC curve, with the 95% interval over the resamples `weights` [draws, N]."""
    samples = [
        roc_auc_score(right, values, sample_weight=row) if row[right].any() and row[~right].any() else np.nan
        for row in weights
    ]
    low, high = interval(np.array(samples))
    return {"value": float(roc_auc_score(right, values)), "low": low, "high": high}


def judge(
    found: Mapping[str, Float64Array], right: BoolArray, half: BoolArray, weights: Float64Array
) -> tuple[dict[str, Any], Float64Array]:
    """AUROC of each signal alone and of all together, and the probabilities of all together."""
    together = crossed(np.stack(list(found.values()), 1), right, half)
    areas = {name: auroc(right, values, weights) for name, values in found.items()}
    areas["together"] = auroc(right, together, weights)
    brier = float(np.square(together - right).mean())
    constant = np.where(half, right[~half].mean(), right[half].mean())
    usable = [name for name, area in areas.items() if area["value"] >= WORTH and area["low"] > 0.5]
    return {
        "right": float(right.mean()),
        "auroc": areas,
        "brier": brier,
        "brier_of_the_share": float(np.square(constant - right).mean()),
        "usable": usable,
    }, together


def term_f1(written: Sequence[str], reports: Sequence[str]) -> Float64Array:
    """Clinical-term F1 of each draft; 0 where neither has a term."""
    counts = [term_counts(a, b) for a, b in zip(written, reports, strict=True)]
    return np.array([2 * right / max(1, 2 * right + wrong + missed) for right, wrong, missed in counts])


def measure(
    captions: Sequence[Mapping[str, Any]], material: Material, kept: FrozenFeatures
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Figures for the decoder's drafts and for nearest reports; and their curves for the plot: probability, right.

    captions: text and log_probs of each val picture's, as the end of a captioner's training leaves them.
    """
    systems = {
        "captioner": ([caption["text"] for caption in captions], [caption["log_probs"] for caption in captions]),
        "nearest_report": (report.baselines(material)["nearest_report"], None),
    }
    half, weights = halves(material.val_patients), resamples(material.val_groups)
    figures: dict[str, Any] = {"captions": len(captions), "patients": len(set(material.val_patients))}
    curves: dict[str, Any] = {}
    for name, (texts, log_probs) in systems.items():
        found = signals(
            material.val_images,
            kept.texts(texts),
            material.picture_rows(),
            material.text_rows(),
            [len(text.split()) for text in texts],
            log_probs,
        )
        right = term_f1(texts, material.val_texts) >= RIGHT
        figures[name], together = judge(found, right, half, weights)
        curves[name] = (together, right)
    return figures, curves


def words(figures: Mapping[str, Any]) -> str:
    """The section of the document."""
    kinds = [name for name in ("captioner", "nearest_report") if name in figures]
    lines = [["known when the draft is made", *(caption_tables.TITLES.get(kind, kind) for kind in kinds)]]
    for name in [*MEANINGS, "together"]:
        cells = [area(figures[kind]["auroc"].get(name)) for kind in kinds]
        lines.append([MEANINGS.get(name, "**all together**, a logistic curve"), *cells])
    lines.append(["share of drafts that are right", *(f"{100 * figures[kind]['right']:.0f} %" for kind in kinds)])
    scores = [f"{figures[kind]['brier']:.3f} ({figures[kind]['brier_of_the_share']:.3f})" for kind in kinds]
    lines.append(["Brier score, in brackets that of the share alone", *scores])
    usable = {kind: figures[kind]["usable"] for kind in kinds if figures[kind]["usable"]}
    if usable:
        said = "; ".join(
            f"{caption_tables.TITLES.get(kind, kind)}: {', '.join(names)}" for kind, names in usable.items()
        )
        verdict = f"Worth showing by this rule: {said}."
    else:
        verdict = (
            "Nothing reaches that, so the product shows no confidence for what it drafts and never abstains by one."
        )
    return (
        f"{figures['captions']} val pictures of {figures['patients']} patients. A draft counts as right when its "
        f"clinical-term F1 is at least {RIGHT}. AUROC for telling right from wrong drafts, with a 95% interval of a "
        "bootstrap over groups; 0.5 is chance. The logistic curve is fitted on one half of the patients and judged on "
        "the other, both ways round. The archive is the training split.\n\n"
        f"{grid(lines)}\n\nThe rule: a confidence is shown only if its AUROC is at least {WORTH} and its "
        f"interval excludes 0.5. {verdict}\n\n![Reliability of the curve](captions-reliability.png)"
    )


def area(found: Mapping[str, float] | None) -> str:
    return f"{found['value']:.2f} ({found['low']:.2f} to {found['high']:.2f})" if found else ""


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training confidence", description=__doc__)
    parser.add_argument("--captioner", type=Path, required=True, help="best.pt of a captioner")
    parser.add_argument("--encoders", type=Path, required=True, help="best.pt of the encoders it was trained on")
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--out", type=Path, help="write the figures into this JSON file")
    parser.add_argument("--markdown", type=Path, help="write the section, and captions-reliability.png beside it")
    options = parser.parse_args(argv)
    kept_decoder = checkpoint.load(options.captioner)
    written = options.captioner.with_name("written.json")
    if not written.is_file() or kept_decoder.extra.get("encoders_sha256") != digest(options.encoders):
        raise UserError(
            f"{options.captioner} is no captioner of {options.encoders}; give the two that belong together."
        )
    settings: CaptionerSettings = from_dict(kept_decoder.extra["settings"])
    sizes, half = settings.model, settings.train.half
    material = gather(options.encoders, settings.data, sizes.dim, sizes.max_tokens, options.data, options.cache, half)
    kept = FrozenFeatures(options.encoders, options.cache, half)
    figures, curves = measure(json.loads(written.read_text(encoding="utf-8")), material, kept)
    log.info("%s", json.dumps(figures))
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if options.markdown:
        caption_tables.put(options.markdown, TITLE, words(figures))
        caption_reliability.draw(options.markdown.with_name("captions-reliability.png"), curves)
    return 0
