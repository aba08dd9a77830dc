"""Drafts a report for an image, sentence by sentence, each with its evidence.

Does not know the study's data, the editor or the screen.

A draft is text written by a model or copied from another patient's report. Confidence, in a bundle that calibrates it,
estimates how often such sentences are right; evidence names the imported or signed reports with similar wording.
Neither proves that a sentence is true of this patient.
"""

from dataclasses import KW_ONLY, asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.archive import Archive
from engine.errors import Cancelled
from engine.models.familiarity import BLANK, FAMILIAR, FamiliarityResult, check_familiarity
from engine.models.roles import Drafter
from engine.progress import IsCancelled, never
from engine.reports.evidence import Evidence, find_evidence
from engine.reports.nearest_report import Contradiction, NearReport, contradictions, near_reports
from engine.text.sentences import restore_formatting, sentence_confidences, sentences
from engine.text.words import counted

NOTICE = "research draft, not for clinical use"
CAPTIONER = "captioner"
NEAREST_REPORT = "nearest report"
AbstainReason = Literal["", "blank", "unfamiliar", "unsure"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a draft with its evidence and contradictions."""

    text: str
    confidence: float | None
    """Estimated share of such sentences that are right, 0 to 1 (confidence.py). None when the sentence was copied from
    a report, and when the bundle has no calibration: a raw token probability means nothing to a reader."""
    evidence: tuple[Evidence, ...] = ()
    """Archived reports with similar wording, most similar first; never the report it was copied from."""
    source: int | None = None
    """The case whose report it was copied from; None when the captioner wrote it."""
    contradictions: tuple[Contradiction, ...] = ()
    """Sentences of other similar reports that contradict it."""

    @property
    def supported(self) -> bool:
        """Whether any other archived report has similar wording."""
        return bool(self.evidence)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: evidence as case ids, most similar first, and in full under `evidence_details`."""
        return {
            "text": self.text,
            "confidence": self.confidence,
            "supported": self.supported,
            "evidence": [evidence.case_id for evidence in self.evidence],
            "evidence_details": [evidence.as_dict() for evidence in self.evidence],
            "source": self.source,
            "disputes": [asdict(one) for one in self.contradictions],
        }


@dataclass(frozen=True, slots=True)
class Draft:
    """The proposed report for one image, or the reason why there is none."""

    sentences: tuple[Sentence, ...]
    model: str
    """The bundle, and the part of it that wrote the sentences."""
    _: KW_ONLY
    study_uid: str | None = None
    """StudyInstanceUID of the study it was made for; it can be stored with no other study."""
    note: str = ""
    """What the reader must know about how the draft was made, ready to show; "" for nothing."""
    abstained: AbstainReason = ""
    """Why there is no draft; "" when there is one."""
    familiarity: FamiliarityResult = FAMILIAR
    """Whether the image resembles the models' training images."""
    start: NearReport | None = None
    """The archived report that the sentences were copied from."""
    offered: tuple[Sentence, ...] = ()
    """Sentences of the captioner that are not part of the draft."""
    suppressed: int = 0
    """Number of sentences removed because they repeat training text."""
    calibrated: bool = False
    """Whether the confidence of a sentence estimates how often such a sentence is right."""

    @property
    def text(self) -> str:
        """The sentences as one paragraph."""
        return " ".join(sentence.text for sentence in self.sentences)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        start = None
        if self.start is not None:
            near = self.start
            start = {"case_id": near.case_id, "matched": near.matched, "score": near.score, "cosine": near.cosine}
        return {
            "text": self.text,
            "sentences": [sentence.as_dict() for sentence in self.sentences],
            "model": self.model,
            "note": self.note,
            "abstained": self.abstained,
            "look": self.familiarity.as_dict(),
            "start": start,
            "offered": [sentence.as_dict() for sentence in self.offered],
            "confidence_is_calibrated": self.calibrated,
            "suppressed": self.suppressed,
            "notice": NOTICE,
        }


def with_notice(text: str) -> str:
    """The text of a draft for copy or export, followed by the research notice."""
    return f"{text.rstrip()}\n\n({NOTICE})\n"


def draft(
    bundle: Drafter,
    archive: Archive | None,
    gray: NDArray[np.uint8],
    *,
    exclude_study: str | None = None,
    patient: str | None = None,
    modality: str = "",
    beams: int = 3,
    cancelled: IsCancelled = never,
) -> Draft:
    """Draft a report for a displayed frame, or give the reason for not drafting one.

    The bundle decides whether the draft starts from its captioner or from the nearest archived report (confidence.py).
    Sentences of the captioner that repeat eight or more consecutive training words are removed; when none is left, the
    draft starts from the nearest report. There is no draft for an image unlike the training images, nor when the draft
    would start from a captioner with too little confidence.

    Args:
        bundle: the models.
        archive: searched for evidence and for the nearest report; with None no sentence is supported.
        gray: uint8 [H, W], the displayed frame at its displayed window.
        exclude_study: StudyInstanceUID the draft is for; its own archived case is neither start nor evidence.
        patient: Patient ID of the study; other cases of this patient are neither start nor evidence.
        modality: of the image (0008,0060); sentences about other kinds of examination are not copied.
        beams: width of the captioner's beam search.
        cancelled: polled before every token and every sentence.

    Raises:
        Cancelled: `cancelled` returned True.
        UserError: the archive was indexed with another bundle.
    """
    if archive is not None:
        archive.require_bundle(bundle.id)
    familiarity = check_familiarity(bundle, gray)
    if not familiarity.familiar:
        reason: AbstainReason = "blank" if familiarity.notice == BLANK else "unfamiliar"
        return Draft(
            (),
            f"bundle {bundle.id}",
            study_uid=exclude_study,
            note=familiarity.notice,
            abstained=reason,
            familiarity=familiarity,
        )
    excluded = frozenset() if archive is None else cases_of(archive, exclude_study, patient)
    builder = _DraftBuilder(
        bundle=bundle,
        archive=archive,
        embedding=bundle.embed_images([gray])[0],
        modality=modality,
        excluded=excluded,
        cancelled=cancelled,
    )
    return replace(builder.build(beams), study_uid=exclude_study, familiarity=familiarity)


@dataclass(frozen=True, slots=True, kw_only=True)
class _DraftBuilder:
    """Drafts a report for one embedded image."""

    bundle: Drafter
    archive: Archive | None
    embedding: NDArray[np.float32]
    """float32 [D], unit vector of the image."""
    modality: str
    excluded: frozenset[int]
    """Cases that are neither start nor evidence."""
    cancelled: IsCancelled

    def build(self, beams: int) -> Draft:
        settings = self.bundle.draft_settings
        described, suppressed = self._describe(beams)
        confident = not settings.abstains([confidence for _, confidence in described])
        near = self._near() if settings.start == "nearest-report" or not described else ()
        removed = _left_out(suppressed, "repeating training text")
        made = Draft((), self._model(CAPTIONER), note=removed, suppressed=suppressed, calibrated=settings.calibrated)
        if near:
            copied = [self._sentence(text, None, near[0].case_id, near[1:]) for text in near[0].sentences]
            known = {sentence.text.lower() for sentence in copied}
            offered = [self._sentence(*one) for one in described if confident and one[0].lower() not in known]
            return replace(
                made,
                sentences=tuple(copied),
                model=self._model(NEAREST_REPORT),
                note=f"{_copied_from(near[0])} {removed}".strip(),
                start=near[0],
                offered=tuple(offered),
            )
        if described and not confident:
            mean = sum(confidence for _, confidence in described) / len(described)
            value = f" ({mean:.0%})" if settings.calibrated else ""
            return replace(made, note=f"The model's confidence{value} is too low for a draft.", abstained="unsure")
        return replace(made, sentences=tuple(self._sentence(*one) for one in described))

    def _describe(self, beams: int) -> tuple[list[tuple[str, float]], int]:
        """The captioner's sentences with their confidence, and how many were removed as copies of training text."""
        caption = self.bundle.caption_embedding(self.embedding, beams=beams, cancelled=self.cancelled)
        texts = sentences(restore_formatting(caption.text))
        probabilities = sentence_confidences(texts, caption.tokens, caption.log_probs)
        kept = [
            (text, self.bundle.draft_settings.confidence(probability))
            for text, probability in zip(texts, probabilities, strict=True)
            if not self.bundle.copies_training_text(text)
        ]
        return kept, len(texts) - len(kept)

    def _near(self) -> tuple[NearReport, ...]:
        if self.archive is None:
            return ()
        return near_reports(self.archive, self.bundle, self.embedding, self.excluded, self.modality)

    def _sentence(
        self, text: str, confidence: float | None, source: int | None = None, others: tuple[NearReport, ...] = ()
    ) -> Sentence:
        if self.cancelled():
            raise Cancelled
        evidence: tuple[Evidence, ...] = ()
        if self.archive is not None:
            excluded = self.excluded | ({source} if source is not None else set())
            threshold = self.bundle.evidence_threshold
            evidence = find_evidence(self.bundle, self.archive, text, threshold, excluded, self.modality)
        shown = confidence if self.bundle.draft_settings.calibrated else None
        return Sentence(text, shown, evidence, source, contradictions(text, others))

    def _model(self, part: str) -> str:
        return f"{part} of bundle {self.bundle.id}"


def cases_of(archive: Archive, study: str | None, patient: str | None) -> frozenset[int]:
    """The archived case of a study and all cases of a patient, by StudyInstanceUID and Patient ID."""
    own = archive.find_case(study) if study else None
    return archive.cases_of_patient(patient) | (frozenset() if own is None else {own})


def _copied_from(near: NearReport) -> str:
    """Which report the text was copied from, why that one, and what was left out."""
    why = "most similar image" if near.matched == "image" else "best match by wording"
    if near.skipped_reports:
        skipped = counted(near.skipped_reports, "more similar report")
        verb = "was" if near.skipped_reports == 1 else "were"
        why = f"most similar report with image findings; {skipped} without image findings {verb} skipped"
    left_out = _left_out(near.omitted_sentences, "about history, age or other examinations")
    return f"Text copied from case {near.case_id} (another patient): {why}. {left_out}".rstrip()


def _left_out(number: int, which: str) -> str:
    """How many sentences were left out, as one sentence; "" for none."""
    if not number:
        return ""
    return f"{counted(number, 'sentence')} {which} {'was' if number == 1 else 'were'} left out."
