"""The report of one open study as it is shown. Knows no widgets and no database."""

from dataclasses import dataclass, field
from typing import Literal

from desktop.state.report.history import History
from engine.reports.change import Span
from engine.reports.document import Document, Proposal, provenance
from engine.reports.draft import Draft, with_notice
from engine.reports.stored_report import StoredReport, signature
from engine.text.words import counted


@dataclass(frozen=True, slots=True)
class Row:
    """A machine sentence as it is listed: still proposed, or in the text."""

    number: int
    """Among the proposals of the document."""
    proposal: Proposal
    status: Literal["open", "unchanged", "edited"]


@dataclass(eq=False)
class ReportPage:
    """The report of one open study: its document, its draft and its stored state."""

    study: str
    """StudyInstanceUID."""
    history: History = field(default_factory=History)
    stored: StoredReport | None = None
    """The report as last read from or written to the workspace; None when there is none."""
    loaded: bool = False
    """Whether the workspace was asked for a stored report; nothing is written before that."""
    touched: bool = False
    """Whether it was changed since it was last saved other than while typing."""
    draft: Draft | None = None
    frame: str = ""
    """The image that the draft was made from, in words."""
    silence: str = ""
    """Why the last request gave no draft; "" when it gave one."""
    selected: int = -1
    """Number of the selected proposal; -1 for none."""
    seen: set[int] = field(default_factory=set)
    """Numbers of the proposals that were on screen to their end."""
    addendum: str | None = None
    """The addendum that is being written; None for none."""
    cursor: int = -1
    """Characters before the text cursor, once it was in the text; -1 before."""
    signing: bool = False
    """Whether a signature is being written; the text is locked until then."""

    @property
    def document(self) -> Document:
        """The report with its marks and proposals."""
        return self.history.now

    @property
    def text(self) -> str:
        """The text of the report, without proposals and addenda."""
        return self.document.text

    @property
    def position(self) -> int:
        """Where something is put into the text: at the cursor, or at the end if it was never in the text."""
        return len(self.text) if self.cursor < 0 else min(self.cursor, len(self.text))

    @property
    def shown_text(self) -> str:
        """The text with the signed addenda below it, each with its name and time."""
        return "\n\n".join([self.text, *self._addenda()])

    def _addenda(self) -> list[str]:
        return [
            f"Addendum, {signature(addendum.signed_by, addendum.signed)}\n{addendum.text}"
            for addendum in (self.stored.addenda if self.stored else ())
        ]

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
        """Whether there are changes that are not in the workspace."""
        if self.signed:
            return (self.addendum or None) != (self.stored.addendum if self.stored else None)
        return self.document != (self.stored.document if self.stored else Document())

    @property
    def rows(self) -> tuple[Row, ...]:
        """The proposals that are open or in the text, as they were proposed."""
        document, found = self.document, []
        for number in document.shown:
            mark = document.mark_of(number)
            found.append(Row(number, document.proposals[number], document.wording(mark) if mark else "open"))
        return tuple(found)

    @property
    def all_seen(self) -> bool:
        """Whether every open proposal was on screen to its end."""
        return self.seen.issuperset(self.document.open)

    def span_of(self, proposal: int) -> Span | None:
        """Where a proposal first is in the text; None unless it was accepted."""
        mark = self.document.mark_of(proposal)
        return (mark.start, mark.end) if mark else None

    @property
    def status(self) -> str:
        """The status for the panel; "" for an empty report."""
        if self.signing:
            return "Signing…"
        if self.signed:
            return "Signed" if self.addendum is None else "Signed, addendum open"
        if self.document.open:
            return f"{counted(len(self.document.open), 'proposal')} open"
        if self.dirty:
            return "Edited, not saved"
        return "Edited" if self.stored is not None else ""

    @property
    def destination(self) -> str:
        """Who signed a report and where it is stored; "" for an unsigned one."""
        if self.stored is None or not self.signed:
            return ""
        signed = f"Signed, {signature(self.stored.signed_by, self.stored.changed)}."
        if self.stored.case_id is not None and not self.stored.waiting:
            return f"{signed} Archived as case {self.stored.case_id} in {self.stored.archive}, de-identified."
        if self.stored.waiting:
            return f"{signed} Stored on this computer until an open archive takes it."
        return f"{signed} Stored on this computer."

    def copied(self) -> str:
        """The text with signature, research notice and marks, for the clipboard; "" for an empty report."""
        if not self.text.strip():
            return ""
        parts = [self.text.rstrip()]
        if self.stored is not None and self.signed:
            parts.append(f"Signed, {signature(self.stored.signed_by, self.stored.changed)}")
        marks = "".join(f"{line}\n" for line in provenance(self.document))
        return with_notice("\n\n".join([*parts, *self._addenda()])) + (f"\n{marks}" if marks else "")
