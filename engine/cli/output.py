"""Formats results as lines of text for the terminal. Knows no commands and computes nothing."""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from textwrap import shorten
from typing import Any

from engine.dicom.listing import Listing
from engine.facts.fact import Facts
from engine.importing.import_result import ImportResult
from engine.models.familiarity import FAMILIAR, FamiliarityResult
from engine.progress import Progress, ignore
from engine.reports.draft import NOTICE, Draft, Sentence
from engine.retrieval.case_text import archive_contents
from engine.retrieval.hit import Hit
from engine.text.words import counted

_NOT_UTF8 = re.compile("[\udc80-\udcff]")
"""How Python writes the bytes of file names that are not UTF-8 (PEP 383)."""
WIDTH = 100
"""Characters of a report that are shown."""
SHOWN = 20
"""Rejected files that are listed."""
NAMED_BY = "study UID, accession number, or patient ID and date (YYYY-MM-DD)"


@contextmanager
def progress_line() -> Iterator[Progress]:
    """A progress callback that rewrites one line of stderr; silent when stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield ignore
        return

    def show(done: int, total: int, what: str) -> None:
        sys.stderr.write(f"\r\x1b[K{done:,}/{f'{total:,}' if total else '?'} {shorten(what, 60)}")
        sys.stderr.flush()

    try:
        yield show
    finally:
        sys.stderr.write("\r\x1b[K")


def printable(value: Any) -> Any:
    """Text as valid UTF-8, also within lists and dictionaries: other bytes of file names are spelled out."""
    if isinstance(value, str):
        escaped = _NOT_UTF8.sub(lambda found: f"\\x{ord(found[0]) - 0xDC00:02x}", value)
        return escaped.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {printable(key): printable(one) for key, one in value.items()}
    return [printable(one) for one in value] if isinstance(value, list | tuple) else value


def study_lines(listing: Listing) -> list[str]:
    """Studies with their series, then the rejected files."""
    lines = []
    for study in listing.studies:
        lines.append(f"{study.date or 'undated'}  {study.description or 'study'}  {study.uid}")
        lines += [f"    {study.warning}"] if study.warning else []
        for series in study.series:
            frames = "frame " if len(series.frames) == 1 else "frames"
            part = f" ({series.part})" if series.part else ""
            lines.append(f"    {series.modality:3} {len(series.frames):5} {frames}  {series.description}{part}")
    lines += [
        f"{one.title}: {counted(len(one.key_images), 'image')} (Key Object Selection)" for one in listing.key_objects
    ]
    lines += [f"{one.kind[0].upper()}{one.kind[1:]}: {one.title}".removesuffix(": ") for one in listing.documents]
    lines.append(
        f"{counted(len(listing.studies), 'study', 'studies')}, {counted(len(listing.rejected), 'file')} rejected."
    )
    return lines + rejected_lines([(rejected.path, rejected.reason) for rejected in listing.rejected])


def text_blacked_out(result: ImportResult) -> str:
    """How much burned-in text was found, in one sentence."""
    boxes = counted(result.text_boxes, "box", "boxes")
    return f"Text was blacked out in {counted(result.text_images, 'image')} ({boxes})."


def import_lines(result: ImportResult, stats: dict[str, Any], seconds: float) -> list[str]:
    """What was imported, what was rejected, and which reports have no images."""
    nothing = not (result.added or result.completed or result.skipped) and bool(result.rejected)
    rejected = counted(len(result.rejected), "file or row was", "files or rows were")
    lines = [
        *([f"Nothing was imported: {rejected} rejected."] if nothing else []),
        f"{counted(result.added, 'case')} added, {result.completed:,} completed, {result.skipped:,} already archived, "
        f"{len(result.rejected):,} rejected, in {seconds:.1f} s.",
        *([text_blacked_out(result)] if result.text_boxes else []),
        f"The archive has {archive_contents(stats)}.",
        str(result.as_dict()["warning"]),
    ]
    if result.joined:
        lines.append(f"{counted(result.joined, 'case')} joined to what another import had archived.")
    if result.without_study:
        none = f", {result.naming_none:,} of them without {NAMED_BY}" if result.naming_none else ""
        lines.append(f"{counted(result.without_study, 'report')} archived without a study{none}.")
    if result.ambiguous:
        lines.append("Not joined, since several cases match:")
        lines += [f"    {name}" for name in result.ambiguous[:SHOWN]]
    if result.report_only:
        lines.append(f"Archived without images ({counted(len(result.report_only), 'report')}):")
        lines += [f"    {name}" for name in result.report_only[:SHOWN]]
    return lines + rejected_lines([(rejected.path, rejected.reason) for rejected in result.rejected])


def fact_lines(facts: Facts) -> list[str]:
    """What is known of the query, in one line; what only the models say carries a question mark."""
    return [f"Facts: {', '.join(f'{kind} {fact.text}' for kind, fact in facts.items())}"] if facts else []


def hit_lines(hits: Sequence[Hit], milliseconds: float, familiarity: FamiliarityResult = FAMILIAR) -> list[str]:
    """A notice if the image does not resemble the training images, then one paragraph per hit."""
    lines = [familiarity.notice] if familiarity.notice else []
    for rank, hit in enumerate(hits, start=1):
        facts = [hit.modality, hit.sex, "" if hit.age is None else f"{hit.age} y"]
        about = ", ".join(fact for fact in facts if fact)
        cosine = "" if hit.cosine is None else f"  cosine {hit.cosine:.3f}"
        lines.append(f"{rank:3}. case {hit.case_id}  {hit.kind:6}  score {hit.score:.3f}{cosine}  {about}".rstrip())
        lines.append(f"     {hit.why}")
        if hit.text:
            lines.append(f"     {shorten(hit.text, WIDTH)}")
    return [*lines, f"{counted(len(hits), 'hit')} in {milliseconds:.0f} ms."]


def draft_lines(draft: Draft) -> list[str]:
    """Why there is no draft, in one line; else each sentence with its evidence and its contradictions."""
    if draft.silence:
        return [draft.reason]
    lines = []
    for sentence in draft.sentences:
        lines += _sentence_lines(sentence)
    if draft.offered:
        lines.append("Also suggested by the model, not part of the draft:")
        lines += [f"    {line}" for sentence in draft.offered for line in _sentence_lines(sentence)]
    return [*lines, draft.note, f"({NOTICE}; {draft.model})"]


def _sentence_lines(sentence: Sentence) -> list[str]:
    return [
        _with_confidence(sentence),
        *(f"    Same finding in case {one.case_id}: {shorten(one.text, WIDTH)}" for one in sentence.evidence),
        *(
            f"    Case {one.case_id} contradicts this ({one.kind}): {shorten(one.text, WIDTH)}"
            for one in sentence.contradictions
        ),
    ]


def _with_confidence(sentence: Sentence) -> str:
    return sentence.text if sentence.confidence is None else f"{sentence.text} [{sentence.confidence:.0%}]"


def rejected_lines(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Paths with the reasons why they were rejected, the first ones."""
    lines = [f"    {path}: {reason}" for path, reason in pairs[:SHOWN]]
    if len(pairs) > SHOWN:
        lines.append(f"    ... and {len(pairs) - SHOWN:,} more; --json lists all.")
    return lines
