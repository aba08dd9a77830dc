"""Archives signed reports as soon as an archive is open. Does not know the screen; the workspace stores the queue.

Nothing is lost on the way: a report stays in the queue until its case is committed, and one that was archived just
before a crash is archived again into the same case.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.archive import Archive
from engine.errors import UserError
from engine.facts.body_part import body_part_term
from engine.facts.fact import Fact, values_of
from engine.facts.from_header import facts_of_frame
from engine.models.burned_in import without_text
from engine.models.roles import Encoder
from engine.models.text_detector import text_detector
from engine.reports.stored_report import ReportFacts, Submission
from engine.reports.workspace import Workspace
from engine.store.case import NewCase, NewImage, NewReport
from engine.store.thumbnail import shrink
from engine.study import FrameRef, Series, Study
from engine.text.deidentify import clean

SOURCE = "signed in Kindred"


@dataclass(frozen=True, slots=True, eq=False)
class DisplayedFrame:
    """The frame that a report is signed with."""

    series: Series
    ref: FrameRef
    gray: NDArray[np.uint8]
    """uint8 [H, W], the frame at its displayed window."""
    window: tuple[float, float] | None = None
    """Window center and width."""


@dataclass(frozen=True, slots=True)
class ArchivedReport:
    """A report that was archived from the queue."""

    study_uid: str
    case_id: int
    removed: int
    """How many names, numbers and dates were removed from its text."""
    already_archived: bool
    """Its study was in the archive before; the case got the signed report."""
    with_image: bool
    """The displayed frame was archived with it."""


@dataclass(frozen=True, slots=True)
class OutboxResult:
    """The outcome of archiving the queue."""

    archive: str
    """Name of the archive folder."""
    archived: tuple[ArchivedReport, ...] = ()
    refused: tuple[UserError, ...] = ()
    """Why the others stay in the queue."""


def submission_for(study: Study, displayed: DisplayedFrame | None = None) -> Submission:
    """What is archived with the report of a study.

    Args:
        study: its identifiers are removed from the text; patient's sex and age go into the case.
        displayed: the frame to archive with the report, without text that is burned into it. Without a frame, when its
            header says that it has burned-in text (0028,0301), and when the detector of text is missing or damaged, the
            report is archived without an image.
    """
    gray = None if displayed is None or displayed.ref.image.burned_in else _without_text(displayed.gray)
    ref = displayed.ref if displayed else None
    series = displayed.series if displayed else next(iter(study.series), None)
    facts = ReportFacts(
        modality=series.modality.upper() if series else "",
        sex=study.patient.sex,
        age=study.patient.age,
        body_part=body_part_term(series.body_part) if series else "",
        patient=study.patient.id,
        date=study.date,
        window=displayed.window if displayed else None,
        image_key=f"{ref.image.sop_uid or ref.image.name} {ref.frame}" if ref else "",
        identifiers=study.identifiers,
        header={} if ref is None or series is None else values_of(facts_of_frame(study, series, ref)),
    )
    return Submission(facts, None if gray is None else shrink(gray))


def _without_text(gray: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    try:
        return without_text(gray, text_detector())[0]
    except UserError:  # the report must not wait for an image
        return None


def archive_waiting(
    workspace: Workspace, archive: Archive, bundle: Encoder, only: Sequence[str] | None = None
) -> OutboxResult:
    """Archive the reports in the queue, each in its own transaction; one that fails stays there and delays no other.

    Args:
        workspace: stores the queue.
        archive: where the reports go.
        bundle: the models that the archive is bound to.
        only: StudyInstanceUIDs to archive; None archives the whole queue.
    """
    archived: list[ArchivedReport] = []
    refused: list[UserError] = []
    bugs: list[Exception] = []
    for study_uid in workspace.waiting():
        if only is not None and study_uid not in only:
            continue
        try:
            report, submission = workspace.load(study_uid), workspace.submission(study_uid)
            if report is None or submission is None:
                continue
            already_archived = archive.find_case(_key(archive, study_uid, submission.facts)) is not None
            case_id = archive_signed(
                archive, bundle, study_uid, report.full_text, submission, machine_share=report.machine_share
            )
        except UserError as problem:
            refused.append(problem)
            continue
        except Exception as bug:  # told once the others are archived
            bugs.append(bug)
            continue
        workspace.mark_archived(study_uid, archive.name, case_id, len(report.addenda))
        removed = clean(report.full_text, submission.facts.identifiers).removed
        with_image = submission.gray is not None and not already_archived
        archived.append(ArchivedReport(study_uid, case_id, removed, already_archived, with_image))
    if bugs:
        raise bugs[0]
    return OutboxResult(archive.name, tuple(archived), tuple(refused))


def _key(archive: Archive, study_uid: str, facts: ReportFacts) -> str:
    """The key of a study's case: its UID, or one of its own where another patient's case has that."""
    images = (facts.image_key,) if facts.image_key else ()
    taken = archive.is_of_another(study_uid, facts.patient, facts.sex, images)
    return f"{study_uid} {facts.patient} {facts.sex}" if taken else study_uid


def archive_signed(
    archive: Archive,
    bundle: Encoder,
    study_uid: str,
    text: str,
    submission: Submission,
    *,
    machine_share: float = 0.0,
) -> int:
    """Add a signed report, with the frame it was written on, as a de-identified case and return the case id.

    A study that is already archived keeps its images and gets the signed report in place of an earlier one.

    Args:
        archive: where the report goes.
        bundle: the models that the archive is bound to.
        study_uid: StudyInstanceUID, stored as a keyed hash.
        text: the signed text with its addenda; cleaned of identifiers here.
        submission: the displayed frame and the facts of the case.
        machine_share: share of its words that are unchanged machine wording, 0 to 1, or UNKNOWN.

    Raises:
        UserError: the text is empty, or the archive is bound to another bundle.
    """
    facts = submission.facts
    cleaned = clean(text, facts.identifiers).text.strip()
    if not cleaned:
        raise UserError("The report is empty. Write the report, then sign it.")
    archive.bind(bundle.id)
    report = NewReport(cleaned, bundle.embed_texts([cleaned])[0], "signed", machine_share)
    key = _key(archive, study_uid, facts)
    known = archive.find_case(key)
    if known is not None:
        archive.set_report(known, report, SOURCE, bundle.id)
        return known
    images: tuple[NewImage, ...] = ()
    if submission.gray is not None:
        small = shrink(submission.gray)
        images = (NewImage(small, bundle.embed_images([small])[0], facts.image_key, facts.window, text_checked=True),)
    case = NewCase(
        key,
        facts.modality,
        facts.sex,
        facts.age,
        body_part_term(facts.body_part),  # also of one that an earlier version queued
        source=SOURCE,
        patient=facts.patient or None,
        date=facts.date,
        identifiers=facts.identifiers,
        facts={kind: Fact(value, "header") for kind, value in facts.header.items()},
    )
    case_id = archive.add_case(replace(case, images=images, report=report), bundle.id)
    stored = archive.case(case_id).report
    if stored is None or (stored.text, stored.state) != (
        cleaned,
        "signed",
    ):  # another desk archived the study meanwhile
        archive.set_report(case_id, report, SOURCE, bundle.id)
    return case_id
