"""Brings signed reports into the archive once one is open. Knows no screen; the workspace keeps what waits.

Nothing is lost on the way: a report waits until its case is committed, and one that was archived just before a crash
is archived again into the same case.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from engine.archive import Archive
from engine.errors import UserError
from engine.models.roles import Encoder
from engine.reports.workspace import ReportFacts, Submission, Workspace
from engine.store.case import CaseFacts, NewCase, NewImage, NewReport
from engine.store.thumbnail import shrink
from engine.study import FrameRef, Series, Study
from engine.text.deidentify import clean


@dataclass(frozen=True, slots=True)
class ArchivedReport:
    """One report that was archived: `removed` counts the names, numbers and dates that were taken out of its text."""

    study_uid: str
    case_id: int
    removed: int
    known: bool
    """Its study was in the archive already; the case got the signed report."""
    picture: bool
    """The displayed frame went with it."""


@dataclass(frozen=True, slots=True)
class OutboxResult:
    """What became of the waiting reports: those archived, and for the others one sentence each."""

    archive: str
    sent: tuple[ArchivedReport, ...] = ()
    refused: tuple[UserError, ...] = ()


def submission(
    study: Study,
    series: Series | None = None,
    ref: FrameRef | None = None,
    gray: NDArray[np.uint8] | None = None,
    window: tuple[float, float] | None = None,
) -> Submission:
    """What a study's report is signed with.

    Args:
        study: whose identifiers are removed from the text, and whose sex and age go with it.
        series, ref, gray, window: the displayed frame, uint8 [H, W], and its centre and width; without them the
            report is archived without a picture, and so it is when text may be burned into the frame (0028,0301).
    """
    if ref is not None and ref.image.burned_in:
        gray = None
    shown = series if series is not None or not study.series else study.series[0]
    facts = ReportFacts(
        modality=shown.modality.upper() if shown else "",
        sex=study.patient.sex,
        age=study.patient.age,
        body_part=shown.body_part if shown else "",
        patient=study.patient.id,
        window=window,
        image_key=f"{ref.image.sop_uid or ref.image.name} {ref.frame}" if ref else "",
        identifiers=(study.patient.name, study.patient.id, study.accession),
    )
    return Submission(facts, None if gray is None else shrink(gray))


def archive_waiting(
    workspace: Workspace, archive: Archive, bundle: Encoder, only: Sequence[str] | None = None
) -> OutboxResult:
    """Archive the waiting reports, each in its own transaction; one that is refused waits on and holds up no other.

    Args:
        workspace: where they wait.
        archive, bundle: where they go, and the models it is bound to.
        only: study UIDs to send; None sends all that wait.
    """
    sent: list[ArchivedReport] = []
    refused: list[UserError] = []
    for study_uid in workspace.waiting():
        report, out = workspace.load(study_uid), workspace.submission(study_uid)
        if report is None or out is None or (only is not None and study_uid not in only):
            continue
        facts = out.facts
        known = archive.find_case(study_uid) is not None
        try:
            case_id = archive_signed(
                archive,
                bundle,
                study_uid,
                report.text,
                out.gray,
                modality=facts.modality,
                sex=facts.sex,
                age=facts.age,
                body_part=facts.body_part,
                patient=facts.patient or None,
                window=facts.window,
                image_key=facts.image_key,
                identifiers=facts.identifiers,
            )
        except UserError as problem:
            refused.append(problem)
            continue
        workspace.archived(study_uid, archive.folder.name, case_id)
        removed = clean(report.text, facts.identifiers).removed
        sent.append(ArchivedReport(study_uid, case_id, removed, known, out.gray is not None and not known))
    return OutboxResult(archive.folder.name, tuple(sent), tuple(refused))


def archive_signed(
    archive: Archive,
    bundle: Encoder,
    study_uid: str,
    text: str,
    gray: NDArray[np.uint8] | None = None,
    *,
    modality: str = "",
    sex: str = "",
    age: int | None = None,
    body_part: str = "",
    patient: str | None = None,
    window: tuple[float, float] | None = None,
    image_key: str = "",
    identifiers: Iterable[str] = (),
) -> int:
    """Add a signed report, with the picture it was written on, as a de-identified case and return its id.

    A study that is archived already keeps its images and gets the signed report in place of an earlier one.

    Args:
        archive, bundle: where to, and the models it is bound to.
        study_uid: StudyInstanceUID, stored as a keyed hash.
        text: the signed text; cleaned here.
        gray: uint8 [H, W], the displayed frame; None for the report alone.
        modality, sex, age, body_part, patient: as in NewCase.
        window: centre and width the frame was displayed at.
        image_key: SOP Instance UID and frame.
        identifiers: names and numbers of this patient to remove from the text.

    Raises:
        UserError: no text, or an archive of another bundle.
    """
    cleaned = clean(text, identifiers).text.strip()
    if not cleaned:
        raise UserError("The report is empty; sign a report with text before it goes into the archive.")
    archive.bind(bundle.id)
    report = NewReport(cleaned, bundle.embed_texts([cleaned])[0], "signed")
    known = archive.find_case(study_uid)
    if known is not None:
        archive.set_report(known, report, "signed in Kindred", bundle.id)
        return known
    small = None if gray is None else shrink(gray)
    images = () if small is None else (NewImage(small, bundle.embed_images([small])[0], image_key, window),)
    facts = CaseFacts(study_uid, modality, sex, age, body_part, source="signed in Kindred", patient=patient)
    return archive.add_case(NewCase(**asdict(facts), images=images, report=report), bundle.id)
