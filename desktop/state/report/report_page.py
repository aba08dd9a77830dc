"""The report of one open study as it is shown. Knows no widgets and no database."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.reports.draft import Draft, Sentence
from engine.reports.workspace import StoredReport

Span = tuple[int, int]
"""[start, end) in characters of a text."""


@dataclass(eq=False)
class ReportPage:
    """The report of one open study: its text, its draft and its stored state."""

    study: str
    """StudyInstanceUID."""
    text: str = ""
    stored: StoredReport | None = None
    """The report as last read from or written to the workspace; None when there is none."""
    draft: Draft | None = None
    frame: str = ""
    """The image that the draft was made from, in words."""
    silence: str = ""
    """Why the last request gave no draft; "" when it gave one."""
    sentence: int = -1
    """Index of the selected sentence of the draft; -1 for none."""
    signing: bool = False
    """Whether the signature is being written; the text is locked until then."""

    @property
    def signed(self) -> bool:
        """Whether the report is signed and final."""
        return self.stored is not None and self.stored.state == "signed"

    @property
    def closed(self) -> bool:
        """Whether the text can no longer be changed."""
        return self.signed or self.signing

    @property
    def dirty(self) -> bool:
        """Whether the text has unsaved changes."""
        return self.text != (self.stored.text if self.stored else "")

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The sentences of the draft."""
        return self.draft.sentences if self.draft else ()

    @property
    def status(self) -> str:
        """The status for the panel; "" for an empty report."""
        if self.signing:
            return "Signing…"
        if self.dirty:
            return "Edited, not saved"
        if self.stored is None:
            return ""
        return {"drafted": "Drafted", "edited": "Edited", "signed": "Signed"}[self.stored.state]

    @property
    def destination(self) -> str:
        """Where a signed report is stored; "" for an unsigned one."""
        if self.stored is None or not self.signed:
            return ""
        if self.stored.case_id is not None:
            return f"Archived as case {self.stored.case_id} in {self.stored.archive}, de-identified."
        if self.stored.waiting:
            return "Stored on this computer. It will be added to the next archive you open."
        return "Stored on this computer."

    def sentence_spans(self) -> list[Span | None]:
        """Where each sentence of the draft is in the text; None for one that was changed or removed."""
        return locate(self.text, [sentence.text for sentence in self.sentences])


def locate(text: str, sentences: Sequence[str]) -> list[Span | None]:
    """The span of each sentence in the text, in reading order; None for one that does not occur verbatim."""
    spans: list[Span | None] = []
    start = 0
    for sentence in sentences:
        found = text.find(sentence, start)
        spans.append((found, found + len(sentence)) if found >= 0 else None)
        start = found + len(sentence) if found >= 0 else start
    return spans
