"""A proposed report for a picture, sentence by sentence, each with what supports it. Knows no study and no editor.

A draft is words of a model or of another patient's report. Confidence, where a bundle was calibrated, estimates how
often such sentences are right; evidence is which imported or signed reports word it alike. Neither proves that the
sentence is true of this patient.
"""

from dataclasses import asdict, dataclass
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
from engine.text.sentences import as_written, sentences, token_confidences

NOTICE = "research draft, not for clinical use"
CAPTIONER = "captioner"
NEAREST = "nearest report"
Abstained = Literal["", "blank", "unfamiliar", "unsure"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a draft.

    confidence: estimated share of such sentences that are right, 0 to 1 (confidence.py); None when no decoder wrote it
    and when the bundle was not calibrated: a bare token probability says nothing that a reader may act on.
    evidence: archived reports with similar wording, best first; supported: there is some, its own source aside.
    source: the case whose report it was taken from; None when the decoder wrote it.
    disputes: what other near reports say against it.
    """

    text: str
    confidence: float | None
    evidence: tuple[Evidence, ...] = ()
    source: int | None = None
    contradictions: tuple[Contradiction, ...] = ()

    @property
    def supported(self) -> bool:
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
    """What is proposed for one picture. `study_uid` is the study it was made for; it can be stored with no other.

    model: which bundle and which part of it wrote the sentences. note: in words, what the reader should know of how the
    draft came about; "" when there is nothing to say. suppressed: sentences left out as copies of training text.
    abstained: why nothing is proposed, "" when something is. look: what the picture looks like to the models.
    start: the report that the draft starts from. offered: sentences of the decoder that are no part of the text.
    calibrated: whether confidence estimates how often such a sentence is right.
    """

    sentences: tuple[Sentence, ...]
    model: str
    note: str = ""
    suppressed: int = 0
    study_uid: str | None = None
    abstained: Abstained = ""
    familiarity: FamiliarityResult = FAMILIAR
    start: NearReport | None = None
    offered: tuple[Sentence, ...] = ()
    calibrated: bool = False

    @property
    def text(self) -> str:
        """The sentences in one paragraph, as the editor takes them."""
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
    """The text as it may leave Kindred, by copy or export: followed by the line that says what it is."""
    return f"{text.rstrip()}\n\n({NOTICE})\n"


def draft(
    bundle: Drafter,
    archive: Archive | None,
    gray: NDArray[np.uint8],
    cancelled: IsCancelled = never,
    exclude_study: str | None = None,
    beams: int = 3,
    patient: str | None = None,
    modality: str = "",
) -> Draft:
    """Propose a report for a displayed frame, or say why none is proposed.

    A bundle says whether its decoder begins or the nearest archived report does (confidence.py). What the decoder
    repeats of eight or more consecutive training words is left out; if it has nothing usable to say, the nearest
    report begins. A picture unlike all that the models know gets no draft, nor does one that the decoder describes
    without confidence when it is the decoder's turn.

    Args:
        bundle: the models.
        archive: where evidence and the nearest report are looked for; None leaves every sentence unsupported.
        gray: uint8 [H, W], the displayed frame at its displayed window.
        cancelled: asked before every token and every sentence.
        exclude_study: StudyInstanceUID the draft is for; its own archived case is neither start nor evidence.
        beams: width of the search for words.
        patient: Patient ID of the study; other cases of this patient are neither start nor evidence.
        modality: of the picture (0008,0060); a near report's sentences about other kinds of examination are left out.

    Raises:
        Cancelled: the caller said so.
        UserError: the archive belongs to another bundle.
    """
    if archive is not None:
        archive.require_bundle(bundle.id)
    seen = check_familiarity(bundle, gray)
    if not seen.familiar:
        why: Abstained = "blank" if seen.notice == BLANK else "unfamiliar"
        return Draft((), f"bundle {bundle.id}", seen.notice, study_uid=exclude_study, abstained=why, familiarity=seen)
    embedding = bundle.embed_images([gray])[0]
    return _Draft(bundle, archive, embedding, seen, cancelled, exclude_study, patient, modality).make(beams)


class _Draft:
    """One draft in the making."""

    def __init__(
        self,
        bundle: Drafter,
        archive: Archive | None,
        embedding: NDArray[np.float32],
        seen: FamiliarityResult,
        cancelled: IsCancelled,
        study: str | None,
        patient: str | None,
        modality: str,
    ) -> None:
        self._bundle, self._archive, self._embedding, self._seen = bundle, archive, embedding, seen
        self._cancelled, self._study, self._modality = cancelled, study, modality
        self._settings = bundle.draft_settings
        self._excluded = frozenset() if archive is None else cases_of(archive, study, patient)
        self._suppressed = 0

    def make(self, beams: int) -> Draft:
        described = self._describe(beams)
        sure = not self._settings.abstains([confidence for _, confidence in described])
        near = self._near() if self._settings.start == "nearest-report" or not described else ()
        copies = (
            f"{self._suppressed} sentence(s) that repeated training text were left out." if self._suppressed else ""
        )
        if near:
            taken = [self._sentence(text, None, near[0].case_id, near[1:]) for text in near[0].sentences]
            known = {sentence.text.lower() for sentence in taken}
            offered = [self._sentence(*one) for one in described if sure and one[0].lower() not in known]
            return self._draft(NEAREST, taken, f"{_started(near[0])} {copies}".strip(), near[0], offered)
        if described and not sure:
            mean = sum(confidence for _, confidence in described) / len(described)
            value = f" ({mean:.0%})" if self._settings.calibrated else ""
            note = f"No confident description: the model's confidence{value} is too low to be shown."
            return self._draft(CAPTIONER, [], note, abstained="unsure")
        return self._draft(CAPTIONER, [self._sentence(*one) for one in described], copies)

    def _describe(self, beams: int) -> list[tuple[str, float]]:
        """The decoder's sentences with their confidence, without those that repeat training text."""
        caption = self._bundle.caption_embedding(self._embedding, beams=beams, cancelled=self._cancelled)
        texts = sentences(as_written(caption.text))
        sure = token_confidences(texts, caption.tokens, caption.log_probs)
        kept = [
            (text, self._settings.confidence(probability))
            for text, probability in zip(texts, sure, strict=True)
            if not self._bundle.copies_training_text(text)
        ]
        self._suppressed = len(texts) - len(kept)
        return kept

    def _near(self) -> tuple[NearReport, ...]:
        if self._archive is None:
            return ()
        return near_reports(self._archive, self._bundle, self._embedding, self._excluded, self._modality)

    def _sentence(
        self, text: str, confidence: float | None, source: int | None = None, others: tuple[NearReport, ...] = ()
    ) -> Sentence:
        if self._cancelled():
            raise Cancelled
        found: tuple[Evidence, ...] = ()
        if self._archive is not None:
            excluded = self._excluded | ({source} if source is not None else set())
            least = self._bundle.evidence_threshold
            found = find_evidence(self._bundle, self._archive, text, least, excluded, self._modality)
        shown = confidence if self._settings.calibrated else None
        return Sentence(text, shown, found, source, contradictions(text, others))

    def _draft(
        self,
        source: str,
        written: list[Sentence],
        note: str,
        start: NearReport | None = None,
        offered: list[Sentence] | None = None,
        abstained: Abstained = "",
    ) -> Draft:
        return Draft(
            tuple(written), f"{source} of bundle {self._bundle.id}", note, self._suppressed, self._study, abstained,
            self._seen, start, tuple(offered or ()), self._settings.calibrated,
        )  # fmt: skip


def cases_of(archive: Archive, study: str | None, patient: str | None) -> frozenset[int]:
    """The archived case of a study and all cases of a patient, by StudyInstanceUID and Patient ID."""
    own = archive.find_case(study) if study else None
    found = {own} if own is not None else set()
    hashed = archive.identity.patient(patient)
    if hashed is not None:
        found |= {row[0] for row in archive.read("SELECT id FROM cases WHERE patient = ?", [hashed])}
    return frozenset(found)


def _started(near: NearReport) -> str:
    """Where the sentences come from, plainly."""
    why = "its picture looks most like this one" if near.matched == "image" else "its wording fits this picture best"
    passed = near.passed_over
    if passed:
        why = f"the nearest one that describes such a picture ({passed} nearer do not)"
    left = near.left_out
    rest = f" {left} of its sentences tell of history, age or other examinations and were left out." if left else ""
    return f"These are sentences from the report of case {near.case_id}, another patient: {why}.{rest}"
