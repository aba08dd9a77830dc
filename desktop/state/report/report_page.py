"""One study's report as it stands on screen. Knows no widgets and no store."""

from dataclasses import dataclass

from engine.reports.draft import Draft
from engine.reports.workspace import StoredReport


@dataclass(eq=False)
class ReportPage:
    """The report of one open study as it stands on screen."""

    study: str
    text: str = ""
    stored: StoredReport | None = None
    draft: Draft | None = None
    frame: str = ""
    """What the draft was made from."""
    sentence: int = -1
    """The chosen sentence of the draft."""
    signing: bool = False
    """It is on its way to be signed, as it stands."""

    @property
    def signed(self) -> bool:
        return self.stored is not None and self.stored.state == "signed"

    @property
    def closed(self) -> bool:
        """No word of it may change any more."""
        return self.signed or self.signing

    @property
    def dirty(self) -> bool:
        return self.text != (self.stored.text if self.stored else "")

    @property
    def status(self) -> str:
        if self.signing:
            return "Signing …"
        if self.dirty:
            return "Edited, not saved"
        if self.stored is None:
            return ""
        return {"drafted": "Drafted", "edited": "Edited", "signed": "Signed"}[self.stored.state]

    @property
    def whereabouts(self) -> str:
        """Where a signed report is; "" for one that is not signed."""
        if self.stored is None or not self.signed:
            return ""
        if self.stored.case_id is not None:
            return f"Archived as case {self.stored.case_id} of {self.stored.archive}, de-identified."
        if self.stored.waiting:
            return "Kept on this computer. It is added to the next archive that is opened."
        return "Kept on this computer."
