"""MODEL_CARD.md of a bundle, written from its manifest. Knows no models: every number comes from what was measured."""

import re
from typing import Any

from training.tables import table

INTENDED_USE = (
    "Research on similar-case retrieval and report drafting in radiology. Not for diagnostic use, nor for any decision "
    "about a patient. Not a medical device."
)
NON_COMMERCIAL = "Weights: research use only, non-commercial, because most of the training data is."
AS_THE_DATA = (
    "Weights: research use only, and no further than the licences of their training data allow, which this export has "
    "not judged."
)
CODE = "The code that runs them is Apache-2.0. No training text, image or embedding is part of this bundle."
OF_SOURCES = {
    "covid-chestxray": "Radiographs of the chest are nearly all of COVID-19 patients, few are normal",
    "MedPix-2.0": "CT and MR are teaching cases, so rare diseases are over-represented",
}
"""What is known of public sources, by how their name begins; said only where no other pictures were learned from."""
LIMITS = (
    "Drafts are fluent before they are right. Read every sentence against the picture; evidence is similar wording in "
    "other reports, never proof.",
    "English only. One frame at a time: no volumes, no comparison with earlier studies.",
    "Training never mirrored a picture, so sides keep their meaning; pictures shown mirrored will mislead the models.",
    "Patients differ from the training data by age, sex, device and country; none of this was measured.",
)


def licence(sources: list[dict[str, Any]]) -> str:
    """What may be done with the weights, from the licences that the sources state."""
    restricted = sum(one["rows"] for one in sources if any(map(forbids_commerce, one["licences"])))
    most = 2 * restricted > sum(one["rows"] for one in sources)
    return f"{NON_COMMERCIAL if most else AS_THE_DATA} {CODE}"


def forbids_commerce(stated: str) -> bool:
    return bool(re.search(r"\bNC\b|non-?commercial", stated, re.IGNORECASE))


def limits(manifest: dict[str, Any]) -> list[str]:
    """What to expect: of the data as far as it is known, then what holds for any."""
    learned = manifest.get("learned_from")
    names = [one["name"] for one in manifest["data_provenance"] if one["used_for"].startswith("image")]
    known = [said for start, said in OF_SOURCES.items() if any(name.startswith(start) for name in names)]
    ours = bool(names) and all(name.startswith(tuple(OF_SOURCES)) for name in names)
    lines = []
    if learned and ours:
        about = int(float(f"{learned['texts']:.2g}"))
        lines.append(
            f"About {about:,} different training texts with pictures cannot teach fine findings: expect modality, "
            "region and broad findings, not details, sizes or sides."
        )
    elif learned:
        before = " before it was adapted" if "adapted" in manifest else ""
        lines.append(
            f"It learned from {learned['pictures']:,} pictures of {learned['patients']:,} patients with "
            f"{learned['texts']:,} different texts{before}; kinds of pictures and findings that are rare among them "
            "are told badly."
        )
    if ours:
        lines.append("; ".join(known) + ".")
    return [*lines, *LIMITS]


def card(manifest: dict[str, Any], command: str) -> str:
    """The whole card as markdown."""
    parts = [
        f"# Model card: {manifest['name']}",
        f"Made {manifest['created']} from commit `{manifest['git_commit']}` (seed {manifest['seed']}) by"
        f"\n\n    {command}",
        f"## Intended use\n\n{manifest['intended_use']}",
        f"## Licence\n\n{manifest['licence']}",
        "## Training data\n\n" + provenance(manifest["data_provenance"]),
        "## Limits\n\n" + "\n".join(f"- {line}" for line in limits(manifest)),
        "## Files\n\n" + files(manifest),
        "## Parity with the checkpoint\n\n" + parity(manifest["parity"]),
        "## Measured on held-out pairs, with the models of this bundle\n\n" + table.markdown(manifest["evaluation"]),
        "## Drafts\n\n" + drafts(manifest["captioner"].get("metrics", {})),
        "## Score scale\n\n" + score_scale(manifest),
    ]
    return "\n\n".join(parts).rstrip() + "\n"


def provenance(sources: list[dict[str, Any]]) -> str:
    lines = [["source", "texts", "used for", "licences as stated by the source"]]
    lines += [[s["name"], f"{s['rows']:,}", s["used_for"], "; ".join(s["licences"])] for s in sources]
    return table.grid(lines)


def files(manifest: dict[str, Any]) -> str:
    lines = [["variant", "model", "file", "MB"]]
    for variant, graphs in manifest["variants"].items():
        lines += [[variant, graph, entry["file"], f"{entry['bytes'] / 1e6:.1f}"] for graph, entry in graphs.items()]
    size, dim = manifest["preprocess"]["size"], manifest["embedding_size"]
    small = " or ".join(f"`{pattern}`" for pattern in manifest["four_bit_weights"])
    bits = f"\n\nThe int8 variant keeps weights whose name matches {small} in 4 bits, the others in 8." if small else ""
    return (
        f"Pictures are scaled to fit {size} x {size} pixels on black, texts cut to "
        f"{manifest['tokenizer']['max_length']} tokens; embeddings have {dim} numbers.\n\n{table.grid(lines)}{bits}"
    )


def parity(figures: dict[str, Any]) -> str:
    lines = [["variant", "image: lowest (mean) row cosine", "text: lowest (mean) row cosine", "equal greedy captions"]]
    for variant, found in figures.items():
        cells = [
            f"{found[tower]['lowest_cosine']:.5f} ({found[tower]['mean_cosine']:.5f}), {found[tower]['rows']} rows"
            for tower in ("image", "text")
        ]
        words = found["captioner"]
        lines.append([variant, *cells, f"{words['equal_captions']} of {words['captions']}"])
    return table.grid(lines)


def drafts(metrics: dict[str, Any]) -> str:
    """Scores of the captions against the reports, beside the baselines; plain figures where that is all there is."""
    columns = ("captioner", "nearest_report", "most_frequent")
    scored = [name for name in columns if isinstance(metrics.get(name), dict)]
    if not scored:
        return "The captions of this bundle were not scored."
    shown = {
        "captioner": "this decoder",
        "nearest_report": "nearest training report",
        "most_frequent": "commonest report",
    }
    names = list(metrics[scored[0]])
    lines = [["metric", *(shown[name] for name in scored)]]
    lines += [[name, *(score(metrics[column].get(name)) for column in scored)] for name in names]
    copying = metrics.get("copying_8_words")
    note = "" if copying is None else (
        f"\n\nShare of captions with 8 or more consecutive words of a training text: {score(copying)}; the product "
        "leaves such sentences out of a draft."
    )  # fmt: skip
    count = metrics.get("captions", "Some")
    return f"{count} captions of held-out pictures, before quantisation.\n\n{table.grid(lines)}{note}"


def score(value: Any) -> str:
    if isinstance(value, dict):
        shown = score(value.get("value"))
        return f"{shown} ({score(value['low'])} to {score(value['high'])})" if "low" in value else shown
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def score_scale(manifest: dict[str, Any]) -> str:
    lines = [["pairs", "mean cosine", "deviation of the upper tail"]]
    lines += [[kind, f"{c['mean']:.4f}", f"{c['std']:.4f}"] for kind, c in manifest["calibration"].items()]
    evidence = manifest["evidence"]
    known = manifest.get("familiarity")
    outside = "" if not known else (
        f"\n\nPictures whose features lie further outside {known['directions']} leading directions of "
        f"{known['training_pictures']:,} training pictures than {known['threshold']:.3f} (squared length) are told as "
        f"unfamiliar; none of {known['held_out_pictures']} held-out pictures does, the threshold is 5% above theirs."
    )  # fmt: skip
    return (
        "Cosines of unrelated held-out pairs, by which scores become comparable; the deviation is how far the 99th "
        f"percentile lies above the mean, over 2.33:\n\n{table.grid(lines)}\n\n"
        f"Sentences count as similar wording from a cosine of {evidence['threshold']:.3f} on"
        f"{worth(evidence)}{outside}"
    )


def worth(evidence: dict[str, Any]) -> str:
    """What is known of the threshold, as the end of a sentence."""
    if "not_measured" in evidence:
        return f". That was not measured on these models: {evidence['not_measured']}."
    return (
        f": {evidence['precision']:.0%} of {evidence['pairs']} such held-out pairs came from the "
        f"same case (chance {evidence['chance']:.1%}). The threshold was chosen on these very pairs, so that share is "
        "optimistic."
    )
