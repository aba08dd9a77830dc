"""What an import did, in numbers and names. Knows no archive."""

from dataclasses import dataclass, field
from typing import Any

from engine.errors import Rejected
from engine.text.deidentify import WARNING


@dataclass(slots=True)
class ImportResult:
    """What an import did."""

    added: int = 0
    """New cases."""
    completed: int = 0
    """Known cases that got more images or their report."""
    skipped: int = 0
    """Known cases with nothing new."""
    images: int = 0
    reports: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    report_only: list[str] = field(default_factory=list)
    """Reports that matched no study, as "FILE line N"; they are archived as cases of their own until it comes."""
    joined: int = 0
    """Reports whose study was archived before or after them, in another import or file."""
    without_study: int = 0
    """New reports that no archived study was found for, `report_only` among them."""
    naming_none: int = 0
    """Those of them that state nothing to find a study by."""
    ambiguous: list[str] = field(default_factory=list)
    """Reports and studies that match several cases equally well; they are archived as cases of their own."""
    cleaned: int = 0
    """Names, numbers and dates removed from the reports."""
    text_boxes: int = 0
    """Boxes of burned-in text blacked out in the images."""
    text_images: int = 0
    """Images in which they were."""
    cancelled: bool = False
    """The import stopped early; run it again to complete it."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        counts = (
            "added",
            "completed",
            "skipped",
            "images",
            "reports",
            "joined",
            "without_study",
            "naming_none",
            "cleaned",
            "text_boxes",
            "text_images",
        )
        names = (*counts, "report_only", "ambiguous", "cancelled")
        values: dict[str, Any] = {name: getattr(self, name) for name in names}
        values["rejected"] = [rejected.as_dict() for rejected in self.rejected]
        values["warning"] = WARNING
        return values
