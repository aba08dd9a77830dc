"""What captioners write of the first pictures that have a report: `python -m training examples ...`. Knows no scores.

Pictures and reports come from a folder that may be shown (the sample archive). Drafts that repeat training text are
left out, as in the product.
"""

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UserError
from engine.sentences import as_written
from training import caption_scores, caption_tables, checkpoint
from training.caption_material import digest, training_texts
from training.captioner import CaptionDecoder, drafts
from training.data import read_gray
from training.embedders import FromCheckpoint
from training.table import grid

TITLE = "Twenty unselected examples"
COUNT = 20
LEFT_OUT = "(left out: repeats training text)"


@dataclass(frozen=True)
class Shown:
    """A picture with its report, and who must be named for it."""

    path: Path
    report: str
    licence: str


def first(folder: Path, count: int = COUNT) -> list[Shown]:
    """The first `count` rows of cases.csv, in its order, that have a report.

    Raises:
        UserError: there is no such file.
    """
    try:
        with (folder / "cases.csv").open(encoding="utf-8", newline="") as stream:
            rows = [row for row in csv.DictReader(stream) if row["text"].strip()][:count]
    except OSError as problem:
        raise UserError(f"There is no readable cases.csv in {folder}; give the sample archive.") from problem
    return [Shown(folder / row["image"], " ".join(row["text"].split()), row["licence"]) for row in rows]


def section(shown: Sequence[Shown], written: dict[str, list[str]]) -> str:
    lines = [["picture", "report", *written]]
    for number, one in enumerate(shown):
        drafted = [texts[number] for texts in written.values()]
        lines.append([f"{one.path.name} ({one.licence})", *(text.replace("|", "/") for text in (one.report, *drafted))])
    return (
        f"The first {len(shown)} rows of the sample archive that have a report, in file order, with what is written of "
        "the picture alone. The sample archive is no test set: it holds two kinds of picture, and some of its patients "
        f"are in the training split.\n\n{grid(lines)}"
    )


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training examples", description=__doc__)
    parser.add_argument("--captioners", nargs="+", required=True, metavar="NAME=CHECKPOINT")
    parser.add_argument("--encoders", type=Path, required=True, help="best.pt of the encoders they were trained on")
    parser.add_argument("--archive", type=Path, default=Path("resources/sample-archive"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--markdown", type=Path, required=True, help="write the section into this file")
    options = parser.parse_args(argv)
    encoders, shown = FromCheckpoint(options.encoders), first(options.archive)
    rows = encoders.images([read_gray(one.path) for one in shown])
    written = {}
    for entry in options.captioners:
        name, _, path = entry.partition("=")
        kept = checkpoint.load(path)
        decoder = checkpoint.build(kept)
        if not isinstance(decoder, CaptionDecoder) or kept.extra.get("encoders_sha256") != digest(options.encoders):
            raise UserError(f"{path} is no captioner of {options.encoders}; give those that belong together.")
        texts = [as_written(caption.text) for caption in drafts(decoder, encoders.tokenizer, rows)]
        copies = caption_scores.copying(texts, training_texts(**kept.extra["learned_from"], root=options.data))
        written[name] = [LEFT_OUT if copied else text for text, copied in zip(texts, copies)]
    caption_tables.put(options.markdown, TITLE, section(shown, written))
    return 0
