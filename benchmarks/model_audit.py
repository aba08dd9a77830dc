"""Audits whether hits and drafts of the models look at the picture: swap it, blacken one half, mirror it.

    python -m benchmarks.model_audit --data DATA [--bundle DIR] [--markdown docs/drafts.md] [--card]

A search that gives the same hits for another patient's picture, or without the half that shows the finding, does not
look where it should. Archived are training pairs, asked are validation pictures. No data set here marks where a finding
is, so each half is blackened in turn: one of them hides a finding on one side. Archive, pictures and cached vectors are
those of `benchmarks.drafts`.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _section
from benchmarks._cached_models import CachedModels
from benchmarks._draft_traces import fill, read, temporary_archive
from engine.archive import Archive
from engine.bundle import Bundle
from engine.image.renditions import picture_renditions
from engine.reports.draft import draft
from engine.retrieval.search import Query, SearchOptions, search
from export import bundle_writer, model_card
from training.data.pairs import Gray, Pair

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

    def figures(self) -> dict[str, Any]:
        """Mean overlap, share of changes that were not noticed, and equal drafts."""
        unnoticed = [overlap * K >= UNNOTICED for overlap in self.overlaps]
        return {
            "asked": len(self.overlaps),
            "common": float(np.mean(self.overlaps)),
            "unnoticed": float(np.mean(unnoticed)),
            "same_drafts": sum(self.drafts),
            "drafts": len(self.drafts),
        }


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


def figures(found: dict[str, dict[str, Tally]], archived: int) -> dict[str, Any]:
    """All figures, as a manifest keeps them."""
    changes = [
        {"source": source, "change": change, **tally.figures()}
        for source, tallies in found.items()
        for change, tally in tallies.items()
    ]
    return {"archived": archived, "hits": K, "unnoticed": UNNOTICED, "changes": changes}


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
    add("--card", action="store_true", help="also write the figures into the bundle and its card")
    options = parser.parse_args()
    shipped = Bundle.open(options.bundle)
    bundle = CachedModels(shipped, options.cache)
    material = read(options.data)
    with temporary_archive(bundle.id) as archive:
        cases = len(fill(archive, bundle, material, options.archived))
        found = {source.name: audit(archive, bundle, list(source.queries(options.asked))) for source in material}
    bundle.save()
    made = figures(found, cases)
    text = f"Bundle {bundle.id}. {model_card.audit(made)}"
    print(text)
    if options.markdown:
        _section.put(options.markdown, model_card.AUDIT, text)
    if options.card:
        with bundle_writer.changed(shipped.folder) as (folder, content):
            content["audit"] = made
            bundle_writer.rewrite_card(folder, content)


if __name__ == "__main__":
    main()
