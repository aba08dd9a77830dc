"""Writes MODEL_CARD.md of a bundle from its manifest. Knows no models: every number was measured elsewhere."""

import re
from typing import Any

from training.tables import table

INTENDED_USE = (
    "Research on similar-case retrieval and report drafting in radiology. Not for diagnostic use, nor for any decision "
    "about a patient. Not a medical device."
)
NON_COMMERCIAL = "Weights: research use only, non-commercial, because most of the training data is."
AS_THE_DATA = (
    "Weights: research use only, within the licences of their training data, which this export has not reviewed."
)
CODE = "The code that runs them is Apache-2.0. No training text, image or embedding is part of this bundle."
OF_SOURCES = {
    "covid-chestxray": "Radiographs of the chest are nearly all of COVID-19 patients, few are normal",
    "MedPix-2.0": "CT and MR are teaching cases, so rare diseases are over-represented",
}
"""Known biases of public sources, by the start of their name; stated only if all training images come from them."""
LIMITS = (
    "Drafts can be fluent and wrong. Check every sentence against the image; evidence is the same finding in other "
    "reports, never proof.",
    "English only. A draft looks at one frame; nothing is compared with earlier studies.",
    "Training never mirrored an image, so left and right keep their meaning; mirrored images mislead the models.",
    "The effect of age, sex, device and country was not measured.",
)

AUDIT = "Do hits and drafts look at the picture?"


def licence(sources: list[dict[str, Any]]) -> str:
    """State what the weights may be used for, from the licences of the sources."""
    restricted = sum(one["rows"] for one in sources if any(map(forbids_commerce, one["licences"])))
    most = 2 * restricted > sum(one["rows"] for one in sources)
    return f"{NON_COMMERCIAL if most else AS_THE_DATA} {CODE}"


def forbids_commerce(licence: str) -> bool:
    """Whether a licence text excludes commercial use."""
    return bool(re.search(r"\bNC\b|non-?commercial", licence, re.IGNORECASE))


def limits(manifest: dict[str, Any]) -> list[str]:
    """List the limits: those of the training data as far as they are known, then those of every bundle."""
    learned = manifest.get("learned_from")
    names = [one["name"] for one in manifest["data_provenance"] if one["used_for"].startswith("image")]
    known = [bias for start, bias in OF_SOURCES.items() if any(name.startswith(start) for name in names)]
    ours = bool(names) and all(name.startswith(tuple(OF_SOURCES)) for name in names)
    lines = []
    if learned and ours:
        about = int(float(f"{learned['texts']:.2g}"))
        lines.append(
            f"About {about:,} different training texts with images cannot teach fine findings: expect modality, "
            "region and broad findings, not details, sizes or sides."
        )
    elif learned:
        before = " before it was adapted" if "adapted" in manifest else ""
        lines.append(
            f"It was trained on {learned['pictures']:,} images of {learned['patients']:,} patients with "
            f"{learned['texts']:,} different texts{before}; expect poor results on kinds of images and findings that "
            "are rare among them."
        )
    if ours:
        lines.append("; ".join(known) + ".")
    return [*lines, *LIMITS]


def card(manifest: dict[str, Any], command: str) -> str:
    """The whole card as Markdown."""
    parts = [
        f"# Model card: {manifest['name']}",
        f"Exported {manifest['created']} from commit `{manifest['git_commit']}` (seed {manifest['seed']}) by"
        f"\n\n    {command}",
        f"## Intended use\n\n{manifest['intended_use']}",
        f"## Licence\n\n{manifest['licence']}",
        "## Training data\n\n" + provenance(manifest["data_provenance"]),
        "## Limits\n\n" + "\n".join(f"- {line}" for line in limits(manifest)),
        "## Files\n\n" + files(manifest),
        "## Parity with the checkpoint\n\n" + parity(manifest["parity"]),
        "## Measured on held-out pairs, with the models of this bundle\n\n" + table.markdown(manifest["evaluation"]),
        "## Drafts\n\n" + drafts(manifest["captioner"].get("metrics", {})),
        *facts(manifest),
        *([f"## {AUDIT}\n\n{audit(manifest['audit'])}"] if "audit" in manifest else []),
        "## Score scale\n\n" + score_scale(manifest),
    ]
    return "\n\n".join(parts).rstrip() + "\n"


def provenance(sources: list[dict[str, Any]]) -> str:
    """A table of the training data: source, texts, use, licences."""
    lines = [["source", "texts", "used for", "licences as stated by the source"]]
    lines += [[s["name"], f"{s['rows']:,}", s["used_for"], "; ".join(s["licences"])] for s in sources]
    return table.grid(lines)


def files(manifest: dict[str, Any]) -> str:
    """A table of the graphs, and how images and texts reach them."""
    lines = [["variant", "model", "file", "MB"]]
    for variant, graphs in manifest["variants"].items():
        lines += [[variant, graph, entry["file"], f"{entry['bytes'] / 1e6:.1f}"] for graph, entry in graphs.items()]
    size, dim = manifest["preprocess"]["size"], manifest["embedding_size"]
    small = " or ".join(f"`{pattern}`" for pattern in manifest["four_bit_weights"])
    bits = (
        f"\n\nThe int8 variant stores weights whose name matches {small} in 4 bits, all others in 8." if small else ""
    )
    return (
        f"Images are scaled to fit {size} x {size} pixels on black, texts truncated to "
        f"{manifest['tokenizer']['max_length']} tokens; embeddings have {dim} numbers.\n\n{table.grid(lines)}{bits}"
    )


def parity(figures: dict[str, Any]) -> str:
    """A table of the agreement of each variant with its checkpoint."""
    lines = [
        ["variant", "image: lowest (mean) row cosine", "text: lowest (mean) row cosine", "identical greedy captions"]
    ]
    for variant, found in figures.items():
        cells = [
            f"{found[tower]['lowest_cosine']:.5f} ({found[tower]['mean_cosine']:.5f}), {found[tower]['rows']} rows"
            for tower in ("image", "text")
        ]
        captions = found["captioner"]
        lines.append([variant, *cells, f"{captions['equal_captions']} of {captions['captions']}"])
    return table.grid(lines)


def drafts(metrics: dict[str, Any]) -> str:
    """A table of caption scores beside the baselines."""
    columns = ("captioner", "nearest_report", "most_frequent")
    scored = [name for name in columns if isinstance(metrics.get(name), dict)]
    if not scored:
        return "The captions of this bundle were not scored."
    shown = {
        "captioner": "this decoder",
        "nearest_report": "nearest training report",
        "most_frequent": "most frequent report",
    }
    names = list(metrics[scored[0]])
    lines = [["metric", *(shown[name] for name in scored)]]
    lines += [[name, *(score(metrics[column].get(name)) for column in scored)] for name in names]
    copying = metrics.get("copying_8_words")
    note = ""
    if copying is not None:
        note = (
            f"\n\nShare of captions with 8 or more consecutive words of a training text: {score(copying)}; the app "
            "removes such sentences from drafts."
        )
    count = metrics.get("captions", "Some")
    return f"{count} captions of held-out images, before quantisation.\n\n{table.grid(lines)}{note}"


def score(value: Any) -> str:
    """A score, with its interval if there is one."""
    if isinstance(value, dict):
        shown = score(value.get("value"))
        return f"{shown} ({score(value['low'])} to {score(value['high'])})" if "low" in value else shown
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def facts(manifest: dict[str, Any]) -> list[str]:
    """The section with a table of how well the models tell modality, region and view, by class; none without them."""
    measured = manifest.get("fact_heads", {}).get("val", {})
    if not measured:
        return []
    lines = [["kind", "value", "held-out images", "right, of what is said", "said"]]
    for kind, found in measured.items():
        lines.append([kind, "all", found["images"], percent(found["accuracy"]), percent(found["coverage"])])
        lines += [
            [kind, value, one["images"], percent(one["precision"]), f"{percent(one['recall'])} rightly"]
            for value, one in found["classes"].items()
        ]
    errors = ", ".join(f"{kind} {found['calibration_error']:.3f}" for kind, found in measured.items())
    return [
        "## Facts by the models\n\nLinear classifiers on the features say modality, region and view where neither "
        "header nor words do, and mark them with a question mark. Nothing is said below a probability of one half. The "
        "labels come from columns and words of the held-out pairs, so that some are wrong.\n\n"
        f"{table.grid([[str(cell) for cell in line] for line in lines])}\n\nExpected calibration error: {errors}."
    ]


def audit(figures: dict[str, Any]) -> str:
    """A table of what hits and drafts make of another patient's picture, a half blackened, and a mirrored one."""
    k, unnoticed = figures["hits"], figures["unnoticed"]
    lines = [["source", "change", f"of the first {k} hits in common", f"{unnoticed} or more in common", "same draft"]]
    lines += [
        [
            one["source"],
            one["change"],
            percent(one["common"]),
            percent(one["unnoticed"]),
            f"{one['same_drafts']} of {one['drafts']}",
        ]
        for one in figures["changes"]
    ]
    return (
        f"{figures['archived']:,} training pairs are archived, validation pictures are asked. By chance two searches "
        f"have {k / figures['archived']:.1%} of their hits in common. A picture without the half that shows nothing, "
        "and a mirrored one of something without sides, may well keep its hits; that of another patient should not.\n\n"
        f"{table.grid(lines)}"
    )


def percent(value: float | None) -> str:
    """A share; "-" where nothing was counted."""
    return "-" if value is None else f"{value:.0%}"


def score_scale(manifest: dict[str, Any]) -> str:
    """A table of the score constants, and the threshold for unfamiliar images."""
    lines = [["pairs", "mean cosine", "deviation of the upper tail"]]
    lines += [[kind, f"{c['mean']:.4f}", f"{c['std']:.4f}"] for kind, c in manifest["calibration"].items()]
    known = manifest.get("familiarity")
    outside = ""
    if known:
        outside = (
            f"\n\nAn image is reported as unfamiliar if the part of its features outside the {known['directions']} "
            f"leading directions of {known['training_pictures']:,} training images exceeds {known['threshold']:.3f} "
            f"(squared length). {known.get('held_out_unfamiliar', 0)} of {known['held_out_pictures']} held-out images "
            "do."
        )
    return (
        "Cosines of unrelated held-out pairs, which put scores on one scale; the deviation is the distance of the 99th "
        f"percentile from the mean, divided by 2.33:\n\n{table.grid(lines)}{outside}"
    )
