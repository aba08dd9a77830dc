"""Results as lines for a person at a terminal. Knows no commands and computes nothing."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from textwrap import shorten
from typing import Any

from engine.dicom.listing import Listing
from engine.importing.importer import ImportResult
from engine.models.familiarity import FAMILIAR, FamiliarityResult
from engine.progress import Progress, ignore
from engine.reports.draft import NOTICE, Draft, Sentence
from engine.retrieval.hit import Hit

WIDTH = 100
SHOWN = 20


@contextmanager
def progress_line() -> Iterator[Progress]:
    """A progress callback that rewrites one line of stderr; silent when stderr is no terminal."""
    if not sys.stderr.isatty():
        yield ignore
        return

    def show(done: int, total: int, what: str) -> None:
        sys.stderr.write(f"\r\x1b[K{done}/{total or '?'} {shorten(what, 60)}")
        sys.stderr.flush()

    try:
        yield show
    finally:
        sys.stderr.write("\r\x1b[K")


def study_lines(listing: Listing) -> list[str]:
    """Studies with their series, then what was refused."""
    lines = []
    for study in listing.studies:
        lines.append(f"{study.date or 'undated'}  {study.description or 'study'}  {study.uid}")
        for series in study.series:
            part = f" ({series.part})" if series.part else ""
            lines.append(f"    {series.modality:3} {len(series.frames):5} frame(s)  {series.description}{part}")
    lines += [f"{one.title}: {len(one.key_images)} image(s) (Key Object Selection)" for one in listing.key_objects]
    lines.append(f"{len(listing.studies)} studies, {len(listing.rejected)} files refused.")
    return lines + _refused([(rejected.path, rejected.reason) for rejected in listing.rejected])


def import_lines(result: ImportResult, stats: dict[str, Any], seconds: float) -> list[str]:
    """What came in, what was refused, what stayed without images."""
    lines = [
        f"{result.added} cases added, {result.completed} completed, {result.skipped} known already, "
        f"{len(result.rejected)} refused, in {seconds:.1f} s.",
        f"The archive holds {stats['cases']} cases, {stats['images']} images, {stats['reports']} reports.",
        str(result.as_dict()["warning"]),
    ]
    if result.report_only:
        lines.append(f"{len(result.report_only)} rows of the reports file match no image and are cases of their own:")
        lines += [f"    {name}" for name in result.report_only[:SHOWN]]
    return lines + _refused([(rejected.path, rejected.reason) for rejected in result.rejected])


def hit_lines(hits: Sequence[Hit], milliseconds: float, look: FamiliarityResult = FAMILIAR) -> list[str]:
    """What the models do not know of the picture, if so; then one paragraph a hit."""
    lines = [look.notice] if look.notice else []
    for rank, hit in enumerate(hits, start=1):
        facts = [hit.modality, hit.sex, "" if hit.age is None else f"{hit.age} y"]
        about = ", ".join(fact for fact in facts if fact)
        cosine = "" if hit.cosine is None else f"  cosine {hit.cosine:.3f}"
        lines.append(f"{rank:3}. case {hit.case_id}  {hit.kind:6}  score {hit.score:.3f}{cosine}  {about}".rstrip())
        lines.append(f"     {hit.why}")
        if hit.text:
            lines.append(f"     {shorten(hit.text, WIDTH)}")
    return [*lines, f"{len(hits)} hits in {milliseconds:.0f} ms."]


def draft_lines(draft: Draft) -> list[str]:
    """Each sentence with how often such ones are right, where that was measured, and where similar wording stands."""
    lines = []
    for sentence in draft.sentences:
        lines.append(_worded(sentence))
        for one in sentence.evidence:
            lines.append(
                f"    similar wording in case {one.case_id} ({one.similarity:.2f}): {shorten(one.text, WIDTH)}"
            )
        for other in sentence.contradictions:
            lines.append(f"    case {other.case_id} says otherwise ({other.kind}): {shorten(other.text, WIDTH)}")
        if not sentence.supported:
            where = "" if sentence.source is None else f"; from the report of case {sentence.source} alone"
            lines.append(f"    unsupported: no similar wording in the archive{where}")
    if draft.offered:
        lines.append("The model also offers, not part of the draft:")
        lines += [f"    {_worded(sentence)}" for sentence in draft.offered]
    if draft.abstained:
        lines.append("No draft.")
    elif not draft.sentences:
        lines.append("No draft: nothing usable was found.")
    return [*lines, *([draft.note] if draft.note else []), f"({NOTICE}; {draft.model})"]


def _worded(sentence: Sentence) -> str:
    return sentence.text if sentence.confidence is None else f"{sentence.text} [{sentence.confidence:.0%}]"


def _refused(pairs: Sequence[tuple[str, str]]) -> list[str]:
    lines = [f"    {path}: {reason}" for path, reason in pairs[:SHOWN]]
    if len(pairs) > SHOWN:
        lines.append(f"    and {len(pairs) - SHOWN} more (--json lists all)")
    return lines
