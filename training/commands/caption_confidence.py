"""Measure whether a confidence predicts which drafts are right: `python -m training confidence ...`.

A draft counts as right if its clinical-term F1 against the real report is at least RIGHT. A logistic regression on
signals known at run time is fitted on one half of the val patients and evaluated on the other, and vice versa. The
application may show a confidence only if it separates right from wrong drafts (MIN_AUROC). Does not know the desktop or
the export.
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
from training.captions.material import Material, gather
from training.captions.scores import resamples, term_counts
from training.captions.signals import MEANINGS, signals
from training.commands.train_captioner import CaptionerSettings, from_dict
from training.metrics.bootstrap import interval
from training.networks import checkpoint
from training.tables import caption_reliability, caption_tables
from training.tables.table import grid

log = logging.getLogger(__name__)
RIGHT = 0.3
"""Clinical-term F1 from which a draft counts as right."""
MIN_AUROC = 0.65
"""AUROC from which a confidence may be shown."""
SEED = 0
TITLE = "Confidence of drafts"


def halves(patients: Sequence[str], seed: int = SEED) -> BoolArray:
    """Returns bool [N], True for one half of the patients; all images of a patient are in the same half."""
    names = sorted(set(patients))
    chosen = set(np.random.default_rng(seed).permutation(names)[: len(names) // 2].tolist())
    return np.array([patient in chosen for patient in patients])


def cross_fitted(features: Float64Array, right: BoolArray, half: BoolArray) -> Float64Array:
    """Probability float64 [N] of being right, each half by the regression fitted on the other.

    Raises:
        UserError: a half has only right or only wrong drafts.
    """
    found = np.zeros(len(right))
    for fitted in (half, ~half):
        if len(set(right[fitted].tolist())) < 2:
            raise UserError("One half of the val patients has only right or only wrong drafts; use more pairs.")
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
    """AUROC of each signal and of all together, and the probabilities float64 [N] of all together."""
    together = cross_fitted(np.stack(list(found.values()), 1), right, half)
    areas = {name: auroc(right, values, weights) for name, values in found.items()}
    areas["together"] = auroc(right, together, weights)
    brier = float(np.square(together - right).mean())
    constant = np.where(half, right[~half].mean(), right[half].mean())
    usable = [name for name, area in areas.items() if area["value"] >= MIN_AUROC and area["low"] > 0.5]
    return {
        "right": float(right.mean()),
        "auroc": areas,
        "brier": brier,
        "brier_of_the_share": float(np.square(constant - right).mean()),
        "usable": usable,
    }, together


def term_f1(written: Sequence[str], reports: Sequence[str]) -> Float64Array:
    """Clinical-term F1 of each draft; 0 if neither it nor the report has a term."""
    counts = [term_counts(a, b) for a, b in zip(written, reports, strict=True)]
    return np.array([2 * right / max(1, 2 * right + wrong + missed) for right, wrong, missed in counts])


def measure(
    captions: Sequence[Mapping[str, Any]], material: Material, features: FrozenFeatures
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Figures for the decoder's drafts and for nearest reports, and (probability, right) of each for the plot.

    Args:
        captions: text and log_probs for each val image, as training writes them to written.json.
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
            features.texts(texts),
            material.image_rows(),
            material.text_rows(),
            [len(text.split()) for text in texts],
            log_probs,
        )
        right = term_f1(texts, material.val_texts) >= RIGHT
        figures[name], together = judge(found, right, half, weights)
        curves[name] = (together, right)
    return figures, curves


def section(figures: Mapping[str, Any]) -> str:
    """The section of docs/captions.md."""
    kinds = [name for name in ("captioner", "nearest_report") if name in figures]
    lines = [["signal", *(caption_tables.TITLES.get(kind, kind) for kind in kinds)]]
    for name in [*MEANINGS, "together"]:
        cells = [area(figures[kind]["auroc"].get(name)) for kind in kinds]
        lines.append([MEANINGS.get(name, "**all together**, logistic regression"), *cells])
    lines.append(["share of right drafts", *(f"{100 * figures[kind]['right']:.0f} %" for kind in kinds)])
    scores = [f"{figures[kind]['brier']:.3f} ({figures[kind]['brier_of_the_share']:.3f})" for kind in kinds]
    lines.append(["Brier score (in brackets: of always predicting that share)", *scores])
    usable = {kind: figures[kind]["usable"] for kind in kinds if figures[kind]["usable"]}
    if usable:
        listed = "; ".join(
            f"{caption_tables.TITLES.get(kind, kind)}: {', '.join(names)}" for kind, names in usable.items()
        )
        verdict = f"Confidences that may be shown: {listed}."
    else:
        verdict = (
            "None meets this, so the application shows no confidence for drafts and withholds no draft because of it."
        )
    return (
        f"{figures['captions']} val images of {figures['patients']} patients. A draft counts as right if its "
        f"clinical-term F1 is at least {RIGHT}. AUROC for separating right from wrong drafts, with a 95% interval of a "
        "bootstrap over groups; 0.5 is chance. The logistic regression is fitted on one half of the patients and "
        "evaluated on the other, and vice versa. The archive is the training split.\n\n"
        f"{grid(lines)}\n\nA confidence is shown only if its AUROC is at least {MIN_AUROC} and its "
        f"interval excludes 0.5. {verdict}\n\n![Reliability of the regression](captions-reliability.png)"
    )


def area(found: Mapping[str, float] | None) -> str:
    """An AUROC with its interval, or "" if it was not measured."""
    return f"{found['value']:.2f} ({found['low']:.2f} to {found['high']:.2f})" if found else ""


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m training confidence", description=__doc__)
    parser.add_argument("--captioner", type=Path, required=True, help="best.pt of a captioner")
    parser.add_argument("--encoders", type=Path, required=True, help="best.pt of the encoders it was trained on")
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    parser.add_argument(
        "--markdown", type=Path, help="write the section to this file, and captions-reliability.png next to it"
    )
    options = parser.parse_args(argv)
    decoder = checkpoint.load(options.captioner)
    written = options.captioner.with_name("written.json")
    if not written.is_file() or decoder.extra.get("encoders_sha256") != checkpoint.digest(options.encoders):
        raise UserError(
            f"{options.captioner} was not trained on {options.encoders}; give a captioner and its own encoders."
        )
    settings: CaptionerSettings = from_dict(decoder.extra["settings"])
    half = settings.train.half
    material = gather(
        options.encoders,
        settings.data,
        options.data,
        options.cache,
        dim=settings.model.dim,
        max_tokens=settings.model.max_tokens,
        half=half,
    )
    features = FrozenFeatures(options.encoders, options.cache, half)
    figures, curves = measure(json.loads(written.read_text(encoding="utf-8")), material, features)
    log.info("%s", json.dumps(figures))
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if options.markdown:
        caption_tables.put(options.markdown, TITLE, section(figures))
        caption_reliability.draw(options.markdown.with_name("captions-reliability.png"), curves)
    return 0
