"""List captions of the first images that have a report: `python -m training examples ...`. Computes no scores.

Images and reports come from a folder that may be published (the sample archive). Captions that repeat training text are
left out, as in the application.
"""

import argparse
import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UserError
from engine.text.sentences import restore_formatting
from training.captions import scores
from training.captions.material import training_texts
from training.data.pairs import read_gray, read_manifest
from training.metrics.embedders import FromCheckpoint
from training.networks import checkpoint
from training.networks.captioner import CaptionDecoder, drafts
from training.tables import caption_tables
from training.tables.table import grid

COUNT = 20
TITLE = f"The first {COUNT} examples"
MANIFESTS = {"†": "pairs/pairs.csv", "‡": "pairs-more/pairs.csv", "§": "pairs-roco/pairs.csv"}
LEFT_OUT = "(left out: repeats training text)"


@dataclass(frozen=True)
class ArchiveExample:
    """An image with its report and licence."""

    path: Path
    report: str
    licence: str


def first(folder: Path, count: int = COUNT) -> list[ArchiveExample]:
    """The first `count` rows of cases.csv, in its order, that have a report.

    Raises:
        UserError: there is no such file.
    """
    try:
        with (folder / "cases.csv").open(encoding="utf-8", newline="") as stream:
            rows = [row for row in csv.DictReader(stream) if row["text"].strip()][:count]
    except OSError as problem:
        raise UserError(f"Cannot read cases.csv in {folder}; give the sample archive.") from problem
    return [ArchiveExample(folder / row["image"], " ".join(row["text"].split()), row["licence"]) for row in rows]


def known_texts(root: Path) -> dict[str, set[str]]:
    """The texts of the train rows of each manifest of MANIFESTS, by its mark.

    Raises:
        UserError: one of the manifests is missing.
    """
    return {
        mark: {row.text for row in read_manifest(root / name)[0] if row.split == "train"}
        for mark, name in MANIFESTS.items()
    }


def section(
    shown: Sequence[ArchiveExample], written: Mapping[str, Sequence[str]], known: Mapping[str, set[str]]
) -> str:
    """The section of docs/captions.md.

    Args:
        written: by captioner, its captions of the images.
        known: by mark, the texts of a manifest's train rows.
    """
    lines = [["image", "report", *written]]
    counts = dict.fromkeys(known, 0)
    for number, one in enumerate(shown):
        drafted = [texts[number] for texts in written.values()]
        marks = [mark for mark, texts in known.items() if one.report in texts]
        counts |= {mark: counts[mark] + 1 for mark in marks}
        name = " ".join([f"{one.path.name} ({one.licence})", *marks])
        lines.append([name, *(text.replace("|", "/") for text in (one.report, *drafted))])
    legend = "; ".join(f"{mark} ({count}): of {MANIFESTS[mark]}" for mark, count in counts.items())
    return (
        f"The first {len(shown)} rows of the sample archive that have a report, in file order, with the caption "
        "generated from the image alone. The sample archive is not a test set: "
        f"marked reports are verbatim train rows ({legend}).\n\n{grid(lines)}"
    )


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m training examples", description=__doc__)
    parser.add_argument("--captioners", nargs="+", required=True, metavar="NAME=CHECKPOINT")
    parser.add_argument("--encoders", type=Path, required=True, help="best.pt of the encoders they were trained on")
    parser.add_argument("--archive", type=Path, default=Path("resources/sample-archive"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--markdown", type=Path, required=True, help="write the section to this file")
    options = parser.parse_args(argv)
    shown, known = first(options.archive), known_texts(options.data)
    encoders = FromCheckpoint(options.encoders)
    rows = encoders.images([read_gray(one.path) for one in shown])
    written = {}
    for entry in options.captioners:
        name, _, path = entry.partition("=")
        saved = checkpoint.load(path)
        decoder = checkpoint.build(saved)
        if not isinstance(decoder, CaptionDecoder) or saved.extra.get("encoders_sha256") != checkpoint.digest(
            options.encoders
        ):
            raise UserError(f"{path} was not trained on {options.encoders}; give captioners of these encoders.")
        texts = [restore_formatting(caption.text) for caption in drafts(decoder, encoders.tokenizer, rows)]
        learned = training_texts(saved.data_files("pairs"), saved.data_files("texts"), options.data)
        copies = scores.copying(texts, learned)
        written[name] = [LEFT_OUT if copied else text for text, copied in zip(texts, copies)]
    caption_tables.put(options.markdown, TITLE, section(shown, written, known))
    return 0
