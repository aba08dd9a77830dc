"""A proposed report for a picture, sentence by sentence, each with what supports it. Knows no study and no editor.

A draft is words of a model. Its confidence says how sure the decoder was of its words, its evidence which imported or
signed reports word it alike; neither proves that the sentence is true of this patient.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.archive import Archive
from engine.captioner import Caption
from engine.errors import Cancelled
from engine.evidence import Evidence, find_evidence
from engine.fusion import Encoder, QueryVectors
from engine.progress import IsCancelled, never
from engine.sentences import as_written, sentences, token_confidences

__all__ = ["NOTICE", "Draft", "Drafter", "Evidence", "Sentence", "draft", "with_notice"]

NOTICE = "research draft, not for clinical use"
CAPTIONER = "captioner"
NEAREST = "nearest report"


class Drafter(Encoder, Protocol):
    """What drafting needs of a bundle besides embeddings."""

    @property
    def evidence_threshold(self) -> float: ...

    def caption(self, image: NDArray[np.uint8], /, *, beams: int, cancelled: IsCancelled) -> Caption: ...

    def copies_training_text(self, sentence: str, /) -> bool: ...


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a draft.

    confidence: geometric mean of its token probabilities, 0 to 1; None when no decoder wrote it.
    evidence: archived reports with similar wording, best first; supported: there is some.
    """

    text: str
    confidence: float | None
    evidence: tuple[Evidence, ...] = ()

    @property
    def supported(self) -> bool:
        return bool(self.evidence)


@dataclass(frozen=True, slots=True)
class Draft:
    """What is proposed for one picture. `study_uid` is the study it was made for; it can be stored with no other.

    model: which bundle and which part of it wrote the sentences. note: in words, what the reader should know of how the
    draft came about; "" when there is nothing to say. suppressed: sentences left out as copies of training text.
    """

    sentences: tuple[Sentence, ...]
    model: str
    note: str = ""
    suppressed: int = 0
    study_uid: str | None = None

    @property
    def text(self) -> str:
        """The sentences in one paragraph, as the editor takes them."""
        return " ".join(sentence.text for sentence in self.sentences)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: evidence as case ids, most similar first, and in full under `evidence_details`."""
        return {
            "text": self.text,
            "sentences": [
                {
                    "text": sentence.text,
                    "confidence": sentence.confidence,
                    "supported": sentence.supported,
                    "evidence": [evidence.case_id for evidence in sentence.evidence],
                    "evidence_details": [evidence.as_dict() for evidence in sentence.evidence],
                }
                for sentence in self.sentences
            ],
            "model": self.model,
            "note": self.note,
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
) -> Draft:
    """Propose a report for a displayed frame.

    The decoder writes; what repeats eight or more consecutive training words is left out. If nothing usable remains,
    the sentences of the nearest archived report are proposed instead, and `model` and `note` say so.

    Args:
        bundle: the models.
        archive: where evidence is looked for; None leaves every sentence unsupported.
        gray: uint8 [H, W], the displayed frame at its displayed window.
        cancelled: asked before every token and every sentence.
        exclude_study: StudyInstanceUID the draft is for; its own archived case is never evidence.
        beams: width of the search for words.

    Raises:
        Cancelled: the caller said so.
        UserError: the archive belongs to another bundle.
    """
    if archive is not None:
        archive.require_bundle(bundle.id)
    own_case = archive.find_case(exclude_study) if archive is not None and exclude_study else None
    caption = bundle.caption(gray, beams=beams, cancelled=cancelled)
    texts = sentences(as_written(caption.text))
    sure = token_confidences(texts, caption.tokens, caption.log_probs)
    original = [not bundle.copies_training_text(text) for text in texts]
    kept = [(text, confidence) for text, confidence, keep in zip(texts, sure, original, strict=True) if keep]
    suppressed = len(texts) - len(kept)
    note = f"{suppressed} sentence(s) that repeated training text were left out." if suppressed else ""
    source, nearest = CAPTIONER, None
    proposed: Sequence[tuple[str, float | None]] = kept
    if not kept and archive is not None:
        nearest = _nearest_report(bundle, archive, gray, own_case)
        if nearest is not None:
            source = NEAREST
            proposed = [(text, None) for text in sentences(nearest[1])]
            note = (
                f"The decoder found no words of its own; these are from the report of case {nearest[0]}. {note}".strip()
            )
    written = []
    for text, confidence in proposed:
        if cancelled():
            raise Cancelled
        found = () if archive is None else find_evidence(bundle, archive, text, bundle.evidence_threshold, own_case)
        written.append(Sentence(text, confidence, found))
    return Draft(tuple(written), f"{source} of bundle {bundle.id}", note, suppressed, exclude_study)


def _nearest_report(
    bundle: Encoder, archive: Archive, gray: NDArray[np.uint8], own_case: int | None
) -> tuple[int, str] | None:
    """(case id, text) of the report whose vector is nearest to the picture's."""
    query = QueryVectors(image=bundle.embed_images([gray])[0])
    for case_id in archive.index.nearest(query.composed, "report", 16).cases.tolist():
        report = archive.case(case_id).report
        if report is not None and case_id != own_case:
            return case_id, report.text
    return None
