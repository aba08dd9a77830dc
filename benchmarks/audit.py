"""Audits whether hits and drafts look at the picture: swap it, blacken one half, mirror it.

    python -m benchmarks.audit --data DATA [--bundle DIR] [--markdown docs/drafts.md]

A search that gives the same hits for another patient's picture, or without the half that shows the finding, does not
look where it should. Archived are training pairs, asked are validation pictures. No data set here marks where a finding
is, so each half is blackened in turn: one of them hides a finding on one side. Archive, pictures and cached vectors are
those of `benchmarks.drafts`.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks import _section
from benchmarks._cached_models import CachedModels
from benchmarks._draft_traces import fill, read, temporary_archive
from engine.archive import Archive
from engine.bundle import Bundle
from engine.image.renditions import picture_renditions
from engine.reports.draft import draft
from engine.retrieval.search import Query, SearchOptions, search
from training.data.pairs import Gray, Pair
from training.tables.table import grid

TITLE = "Do hits and drafts look at the picture?"
K = 5
UNNOTICED = 4
"""As many of the K hits in common count as a change that was not noticed."""


@dataclass
class Tally:
    """What one change did to the hits and drafts of a number of pictures."""

    overlaps: list[float] = field(default_factory=list)
    """Share of the K hits that the changed picture has in common with the picture as it is."""
    drafts: list[bool] = field(default_factory=list)
    """Of the pictures with a draft: whether the changed picture has the same one."""

    def cells(self) -> list[str]:
        """Mean overlap, share of changes that were not noticed, share of equal drafts."""
        unnoticed = [overlap * K >= UNNOTICED for overlap in self.overlaps]
        return [percent(self.overlaps), percent(unnoticed), f"{percent(self.drafts)} of {len(self.drafts)}"]


def changed(gray: Gray) -> dict[str, Gray]:
    """The picture uint8 [H, W] with either half blackened, and mirrored."""
    middle = gray.shape[1] // 2
    left, right = gray.copy(), gray.copy()
    left[:, :middle] = 0
    right[:, middle:] = 0
    return {"left half black": left, "right half black": right, "mirrored": np.ascontiguousarray(gray[:, ::-1])}


def another(rows: Sequence[Pair], number: int) -> int:
    """The next row of another group, of the same modality if there is one."""
    order = [*range(number + 1, len(rows)), *range(number)]
    strangers = [i for i in order if rows[i].group != rows[number].group]
    alike = [i for i in strangers if rows[i].values.get("modality") == rows[number].values.get("modality")]
    return next(iter(alike or strangers), number)


def overlap(some: Sequence[int], others: Sequence[int]) -> float:
    """Share of K hits (case ids) that two searches have in common."""
    return len(set(some) & set(others)) / K


def percent(values: Sequence[float] | Sequence[bool]) -> str:
    """The mean in percent, "–" of nothing."""
    return f"{100 * float(np.mean(values)):.0f} %" if len(values) else "–"


def asked(archive: Archive, bundle: CachedModels, gray: Gray) -> tuple[list[int], str]:
    """The case ids of the first K hits of a picture, and the text of its draft, "" if there is none."""
    hits = search(archive, bundle, Query(image=gray), SearchOptions(k=K)).hits
    return [hit.case_id for hit in hits], draft(bundle, archive, picture_renditions(gray)).text


def audit(archive: Archive, bundle: CachedModels, queries: Sequence[tuple[Pair, Gray]]) -> dict[str, Tally]:
    """What each change does to the hits and drafts of some pictures."""
    rows = [row for row, _ in queries]
    answers = [asked(archive, bundle, gray) for _, gray in queries]
    found: dict[str, Tally] = {}
    for number, (_, gray) in enumerate(queries):
        hits, text = answers[number]
        changes = {name: asked(archive, bundle, picture) for name, picture in changed(gray).items()}
        for name, (others, other_text) in {"another patient": answers[another(rows, number)], **changes}.items():
            tally = found.setdefault(name, Tally())
            tally.overlaps.append(overlap(hits, others))
            if text:
                tally.drafts.append(text == other_text)
    return found


def markdown(found: dict[str, dict[str, Tally]], cases: int, bundle: str) -> str:
    """The table by source and change."""
    lines = [
        ["source", "change", f"of the first {K} hits in common", f"{UNNOTICED} or more in common", "the same draft"]
    ]
    for source, tallies in found.items():
        lines += [[source, change, *tally.cells()] for change, tally in tallies.items()]
    return (
        f"Bundle {bundle}; {cases} training pairs are archived, validation pictures are asked. By chance two searches "
        f"have {100 * K / cases:.1f} % of their hits in common. A picture without the half that shows nothing, and a "
        "mirrored one of something without sides, may well keep its hits; that of another patient should not.\n\n"
        f"{grid(lines)}\n"
    )


def main() -> None:
    """Run the audit."""
    parser = argparse.ArgumentParser(description="Audit whether hits and drafts look at the picture.")
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder with the folders of the sources")
    add("--bundle", type=Path, help="folder of a bundle; default: the one that ships")
    add("--cache", type=Path, default=Path("runs/cache"), help="folder for vectors")
    add("--archived", type=int, default=300, help="training pairs to archive, of each source")
    add("--asked", type=int, default=40, help="validation pictures to ask, of each source")
    add("--markdown", type=Path, help="document whose section to write")
    add("--output", type=Path, help="also write the shares as JSON")
    options = parser.parse_args()
    bundle = CachedModels(Bundle.open(options.bundle), options.cache)
    material = read(options.data)
    with temporary_archive(bundle.id) as archive:
        cases = len(fill(archive, bundle, material, options.archived))
        found = {source.name: audit(archive, bundle, list(source.queries(options.asked))) for source in material}
    bundle.save()
    text = markdown(found, cases, bundle.id)
    print(text)
    if options.markdown:
        _section.put(options.markdown, TITLE, text)
    if options.output:
        shares = {source: {name: vars(tally) for name, tally in tallies.items()} for source, tallies in found.items()}
        options.output.write_text(json.dumps(shares) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
