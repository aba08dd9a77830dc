"""Says what an export of images did, in numbers and in one sentence. Writes nothing."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from engine.errors import Rejected
from engine.text.words import counted

NOT_IMAGES = "Reports and other documents of the study were not exported."
WARNING = "The images themselves may identify a patient: a face can be reconstructed from a scan of the head."
SHOWN_REASONS = 3


@dataclass(slots=True)
class ExportResult:
    """What was exported, and what was refused while the rest went on."""

    images: int = 0
    text_images: int = 0
    """Images in which burned-in text was blacked out."""
    text_boxes: int = 0
    refused: list[Rejected] = field(default_factory=list)
    """Files of the study that were not exported, with reasons."""
    documents: int = 0
    """Reports, PDFs, presentation states, segmentations and key object selections, which are never exported."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "images": self.images,
            "text_images": self.text_images,
            "text_boxes": self.text_boxes,
            "refused": [one.as_dict() for one in self.refused],
            "documents": self.documents,
        }

    def sentence(self, name: str) -> str:
        """What happened, without names of files but that of the export.

        Args:
            name: of the file or folder.
        """
        said = f"Exported {counted(self.images, 'anonymised image')} to {name}"
        if self.text_images:
            said += f", {self.text_images:,} with text blacked out"
        return f"{said}; {self.reasons()}" if self.refused else f"{said}."

    def reasons(self) -> str:
        """How many files were refused, and the most common reasons."""
        common = Counter(one.reason.removesuffix(".") for one in self.refused).most_common()
        shown = [reason if len(common) == 1 else f"{reason} ({count:,})" for reason, count in common[:SHOWN_REASONS]]
        if len(common) > SHOWN_REASONS:
            shown.append(counted(len(common) - SHOWN_REASONS, "other reason"))
        was = "file was" if len(self.refused) == 1 else "files were"
        return f"{len(self.refused):,} {was} refused: {'; '.join(shown)}."
