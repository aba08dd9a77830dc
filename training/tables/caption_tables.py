"""Writes docs/captions.md section by section. Knows no models and computes no scores."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from training.tables.table import grid

SHOWN = (
    ("cider", "CIDEr-D"),
    ("term_f1", "term F1"),
    ("bleu1", "BLEU-1"),
    ("bleu2", "BLEU-2"),
    ("bleu3", "BLEU-3"),
    ("bleu4", "BLEU-4"),
    ("rouge_l", "ROUGE-L"),
    ("chrf", "chrF"),
)
SHARES = (("copied", "copies 8+ words"), ("history", "mentions history"))
TITLES = {"nearest_report": "nearest training report", "most_frequent": "most frequent training text"}
MATRIX = "Training modes on each shared space"


def put(document: Path, title: str, body: str) -> None:
    """Replace the section `## title`, or append it."""
    text = document.read_text(encoding="utf-8") if document.is_file() else "# Captions\n"
    section = f"## {title}\n\n{body.strip()}\n"
    found = re.search(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    if found is None:
        text = f"{text.rstrip()}\n\n{section}"
    else:
        rest = text[found.end() :]
        text = text[: found.start()] + section + (f"\n{rest}" if rest else "")
    document.write_text(text, encoding="utf-8")


def write(document: Path, found: Mapping[str, Any]) -> None:
    """Write the result of `training.commands.caption_matrix` into the document."""
    put(document, MATRIX, matrix(found))


def matrix(found: Mapping[str, Any]) -> str:
    """How everything was trained, tables over encoders and rows, and paired differences."""
    train = found["settings"]["train"]
    budget = f"{train['epochs']} epochs of {train['steps']} steps with batch {train['batch']}"
    start = found["settings"]["start"]
    if start:
        budget += (
            ", starting from one decoder that was trained on the wording of all training texts without any embedding"
        )
    parts = [
        f"Val split: {found['captions']} images in {found['groups']} groups. All trainings have the same budget: "
        f"{budget}; the epoch is chosen by the loss on this split, so all rows are slightly optimistic. Seeds: "
        f"{', '.join(map(str, found['seeds']))} (finished runs only). Generated with the beam search of "
        "the application (3 beams), before quantisation. All in %, CIDEr-D up to 1000. ±: standard deviation "
        "over the seeds; in brackets: 95% interval of a bootstrap over groups, of the mean over seeds.",
        table(found, SHOWN[:2] + SHARES),
        table(found, SHOWN[2:]),
        "### Paired differences\n\n" + differences(found["differences"]),
    ]
    return "\n\n".join(parts)


def table(found: Mapping[str, Any], columns: Sequence[tuple[str, str]]) -> str:
    """One row per shared space and training mode or baseline; `columns`: scores and their headings."""
    lines = [["shared space", "gap", "trained on", "seeds", *(shown for _, shown in columns)]]
    for name, part in found["encoders"].items():
        for row, entry in part["rows"].items():
            values = [cell(entry["scores"].get(score), entry["seeds"]) for score, _ in columns]
            lines.append([name, f"{part['space']['gap']:.3f}", TITLES.get(row, row), str(entry["seeds"]), *values])
    return grid(lines)


def cell(score: Mapping[str, float] | None, seeds: int = 1) -> str:
    """Cell of value ± standard deviation (low to high)."""
    if score is None:
        return ""
    spread = f" ± {score['deviation']:.1f}" if seeds > 1 else ""
    return f"{score['value']:.1f}{spread} ({score['low']:.1f} to {score['high']:.1f})"


def differences(found: Sequence[Mapping[str, Any]]) -> str:
    """The table of paired differences."""
    lines = [["candidate", "baseline", "CIDEr-D", "term F1"]]
    for entry in found:
        names = [
            " / ".join(TITLES.get(part, part) for part in entry[side].split("/")) for side in ("candidate", "baseline")
        ]
        lines.append([*names, *(verdict(entry[score]) for score in ("cider", "term_f1"))])
    return grid(lines) + "\n\nbetter, worse: the interval of the difference excludes 0; undecided: it does not."


def verdict(entry: Mapping[str, Any]) -> str:
    """verdict: difference (low to high)."""
    return f"{entry['verdict']}: {entry['difference']:+.1f} ({entry['low']:+.1f} to {entry['high']:+.1f})"
