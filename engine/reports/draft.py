"""Drafts a report for an image from the archived reports that agree on its findings, or says why there is no draft.

Does not know the study's data, the editor or the screen.

Silent by default. A sentence is copied from the report of another patient only if the image is familiar, the report is
near enough and of the same kind of examination, and independent near reports agree on the finding of that sentence.
None of this proves that a sentence is true of this patient.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.archive import Archive
from engine.errors import Cancelled
from engine.facts import fact
from engine.facts.fact import NO_FACTS, Facts, value_of
from engine.models.burned_in import without_text
from engine.models.confidence import DraftSettings
from engine.models.familiarity import BLANK, FAMILIAR, FamiliarityResult, check_familiarity
from engine.models.roles import Drafter, Encoder
from engine.models.text_detector import text_detector
from engine.progress import IsCancelled, never
from engine.reports import silence
from engine.reports.agreement import Contradiction, Evidence, agreement
from engine.reports.nearest_report import NearReport, near_reports, undivided
from engine.reports.silence import Silence
from engine.text.deidentify import clean
from engine.text.findings import findings
from engine.text.not_in_image import not_in_image, other_examination
from engine.text.notice import NOTICE as NOTICE
from engine.text.sentences import restore_formatting, sentence_confidences, sentences
from engine.text.words import counted


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a draft with its evidence and contradictions."""

    text: str
    confidence: float | None
    """Estimated share of such sentences that are right, 0 to 1 (confidence.py). None when the sentence was copied from
    a report, and when the bundle has no calibration: a raw token probability means nothing to a reader."""
    evidence: tuple[Evidence, ...] = ()
    """Independent archived reports with the same finding, nearest first; never the report it was copied from."""
    source: int | None = None
    """The case whose report it was copied from; None when the captioner wrote it."""
    contradictions: tuple[Contradiction, ...] = ()
    """Sentences of other near reports that contradict it."""

    @property
    def supported(self) -> bool:
        """Whether any other archived report has the same finding."""
        return bool(self.evidence)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: evidence as case ids, nearest first, and in full under `evidence_details`."""
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
    silence: Silence = ""
    """Why there is no draft, as a code; "" when there is one."""
    reason: str = ""
    """What is known of the image and why there is no draft, in one line; "" when there is one."""
    note: str = ""
    """What the reader must know about how the draft was made, ready to show; "" for nothing."""
    facts: Facts = field(default_factory=dict)
    """Of the image."""
    familiarity: FamiliarityResult = FAMILIAR
    """Whether the image resembles the models' training images."""
    start: NearReport | None = None
    """The archived report that the sentences were copied from."""
    offered: tuple[Sentence, ...] = ()
    """Further findings of the captioner that near reports agree on; not part of the draft."""
    suppressed: int = 0
    """Number of the captioner's sentences removed because they repeat training text."""
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
            start = {
                "case_id": near.case_id,
                "matched": near.matched,
                "score": near.score,
                "cosine": near.cosine,
                "facts": fact.as_dict(near.facts),
            }
        return {
            "text": self.text,
            "reason": self.reason,
            "facts": fact.as_dict(self.facts),
            "start": start,
            "sentences": [sentence.as_dict() for sentence in self.sentences],
            "model": self.model,
            "note": self.note,
            "abstained": self.silence,
            "look": self.familiarity.as_dict(),
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
    pictures: Sequence[NDArray[np.uint8]],
    *,
    facts: Facts = NO_FACTS,
    body_part: str = "",
    exclude_study: str | None = None,
    patient: str | None = None,
    offer: bool = False,
    beams: int = 3,
    cancelled: IsCancelled = never,
) -> Draft:
    """Draft a report for a frame, or give the reason for not drafting one.

    Args:
        bundle: the models.
        archive: whose reports the draft is made of; with None there is no draft.
        pictures: uint8 [H, W] each: the frame as `engine.image.renditions` renders it, which does not depend on the
            displayed window.
        facts: of the image.
        body_part: of the image (0018,0015), to name it.
        exclude_study: StudyInstanceUID the draft is for; its own archived case is neither start nor evidence.
        patient: Patient ID of the study; other cases of this patient are neither start nor evidence.
        offer: whether to ask the captioner for further findings; it takes as long as all the rest.
        beams: width of the captioner's beam search.
        cancelled: polled before every token and every sentence.

    Raises:
        Cancelled: `cancelled` returned True.
        UserError: the archive was indexed with another bundle, or the detector of text is missing or damaged.
    """
    if archive is not None:
        archive.require_bundle(bundle.id)
    familiarity = most_familiar([check_familiarity(bundle, one) for one in pictures])

    def silent(why: Silence) -> Draft:
        reason = silence.line(why, facts, body_part)
        made_by = f"bundle {bundle.id}"
        return Draft(
            (), made_by, study_uid=exclude_study, silence=why, reason=reason, facts=facts, familiarity=familiarity
        )

    if not familiarity.familiar:
        return silent("blank" if familiarity.notice == BLANK else "unfamiliar")
    if archive is None:
        return silent("no archive")
    settings = bundle.draft_settings
    embedding = embedded(bundle, pictures)
    nearest = near_reports(archive, bundle, embedding, cases_of(archive, exclude_study, patient), facts)
    near = (names_nobody(nearest.reports[0]), *nearest.reports[1:]) if nearest.reports else ()
    if not near or near[0].score < settings.near:
        return silent("other examinations" if len(nearest.conflicts) > len(near) else "far")
    if not undivided(near):
        return silent("divided")
    start = near[0]
    copied = [
        made for text in start.sentences if (made := _agreed(text, near, settings, cancelled, source=start)) is not None
    ]
    if not copied:
        return silent("disagree")
    offered: tuple[Sentence, ...] = ()
    suppressed = 0
    if offer and settings.captioner:
        offered, suppressed = _offered(bundle, embedding, near, copied, value_of(facts, "modality"), beams, cancelled)
    return Draft(
        tuple(copied),
        f"nearest report of bundle {bundle.id}",
        study_uid=exclude_study,
        note=_note(start, len(start.sentences) - len(copied)),
        facts=facts,
        familiarity=familiarity,
        start=start,
        offered=offered,
        suppressed=suppressed,
        calibrated=settings.calibrated,
    )


def embedded(bundle: Encoder, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """The vector of a frame, float32 [D] of unit length: the mean of its renditions, uint8 [H, W] each.

    Text burned into them is blacked out first, as in the archive and in a search.

    Raises:
        UserError: the detector of text is missing or damaged.
    """
    detector = text_detector()
    return mean_vector(bundle.embed_images([without_text(one, detector)[0] for one in pictures]))


def names_nobody(report: NearReport) -> NearReport:
    """The report without sentences that name somebody: rules may know more than those it was archived with."""
    kept = tuple(text for text in report.sentences if not clean(text).removed)
    left_out = len(report.sentences) - len(kept)
    return replace(report, sentences=kept, omitted_sentences=report.omitted_sentences + left_out)


def mean_vector(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The normalized mean of unit vectors, float32 [N, D] -> float32 [D]."""
    total = vectors.sum(axis=0)
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-12), np.float32)


def most_familiar(results: Sequence[FamiliarityResult]) -> FamiliarityResult:
    """The result for a frame from those of its renditions: that of the most familiar one, since a window hides much."""
    return min(results, key=lambda one: (not one.familiar, one.score is None, one.score or 0.0))


def cases_of(archive: Archive, study: str | None, patient: str | None) -> frozenset[int]:
    """The archived case of a study and all cases of a patient, by StudyInstanceUID and Patient ID."""
    own = archive.find_case(study) if study else None
    return archive.cases_of_patient(patient) | (frozenset() if own is None else {own})


def _agreed(
    text: str,
    near: Sequence[NearReport],
    settings: DraftSettings,
    cancelled: IsCancelled,
    *,
    source: NearReport | None = None,
    confidence: float | None = None,
) -> Sentence | None:
    """The sentence with its evidence, or None if the nearest reports do not agree on its findings."""
    if cancelled():
        raise Cancelled
    found = agreement(text, near, source)
    if not found.enough(settings.share, settings.normal):
        return None
    case = None if source is None else source.case_id
    return Sentence(text, confidence, found.evidence, case, found.contradictions)


def _offered(
    bundle: Drafter,
    embedding: NDArray[np.float32],
    near: Sequence[NearReport],
    copied: Sequence[Sentence],
    modality: str,
    beams: int,
    cancelled: IsCancelled,
) -> tuple[tuple[Sentence, ...], int]:
    """The captioner's sentences that add an agreed finding, and how many were removed as copies of training text."""
    settings = bundle.draft_settings
    caption = bundle.caption_embedding(embedding, beams=beams, cancelled=cancelled)
    texts = sentences(restore_formatting(caption.text))
    probabilities = sentence_confidences(texts, caption.tokens, caption.log_probs)
    said = set().union(*(findings(one.text).all for one in copied))
    found: list[Sentence] = []
    suppressed = 0
    for text, probability in zip(texts, probabilities, strict=True):
        if bundle.copies_training_text(text):
            suppressed += 1
        elif (
            not clean(text).removed
            and not_in_image(text) is None
            and not other_examination(text, modality)
            and not findings(text).all <= said
        ):
            confidence = settings.confidence(probability) if settings.calibrated else None
            made = _agreed(text, near, settings, cancelled, confidence=confidence)
            found += [made] if made is not None else []
    return tuple(found), suppressed


def _note(start: NearReport, disputed: int) -> str:
    """Which report the text was copied from, why that one, and what was left out."""
    why = "most similar image" if start.matched == "image" else "best match by wording"
    parts = [f"Text copied from case {start.case_id} (another patient): {why}."]
    for number, which in (
        (disputed, "that the nearest reports do not agree on"),
        (start.omitted_sentences, "about history, size, change, a person, the other side or another examination"),
    ):
        if number:
            parts.append(f"{counted(number, 'sentence')} {which} {'was' if number == 1 else 'were'} left out.")
    return " ".join(parts)
