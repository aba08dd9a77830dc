"""Blacks out text in images that are archived already, as an import does with new ones. Knows no screens.

Stored images have a longest side of 512, so that small text is found less surely than on import; importing the sources
into a new archive is better. Each image is checked once, in transactions of a few: a run that was stopped goes on.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from engine.archive import Archive
from engine.errors import Rejected, UserError
from engine.models.burned_in import without_text
from engine.models.roles import Encoder
from engine.models.text_detector import text_detector
from engine.progress import IsCancelled, Progress, ignore, never
from engine.store.safety.text_checks import CleanedImage

BATCH = 16


@dataclass(slots=True)
class RedactResult:
    """What a run did."""

    images: int = 0
    """Checked ones."""
    text_boxes: int = 0
    """Boxes of text blacked out."""
    text_images: int = 0
    """Images in which they were."""
    rejected: list[Rejected] = field(default_factory=list)
    """Images that are damaged."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "rejected": [one.as_dict() for one in self.rejected]}


def redact(
    archive: Archive, bundle: Encoder, progress: Progress = ignore, cancelled: IsCancelled = never
) -> RedactResult:
    """Check the images of an archive that were not checked for text, and replace those that have some.

    Args:
        archive: its old pixels and vectors are removed from its files, too.
        bundle: the models that the archive is bound to, for the new vectors.
        progress: called with (images done, images in all, what).
        cancelled: asked before every batch; what is done by then is kept.

    Raises:
        UserError: the archive is bound to another bundle or read-only, the detector of text is missing or damaged, or
            another program has the archive open, so that its files keep traces until the next run.
    """
    archive.require_writable()
    archive.require_bundle(bundle.id)
    detector, result = text_detector(), RedactResult()
    total, last = archive.text_checks.missing(), 0
    while not cancelled() and (batch := archive.text_checks.next(last, BATCH)):
        last = batch[-1]
        found = []
        for image_id in batch:
            try:
                gray, boxes = without_text(archive.image(image_id), detector)
            except UserError as error:
                result.rejected.append(Rejected(f"image {image_id}", str(error)))
                continue
            result.images += 1
            result.text_boxes += boxes
            if boxes:
                found.append((image_id, gray))
        result.text_images += len(found)
        vectors = bundle.embed_images([gray for _, gray in found]) if found else ()
        asked = archive.text_checks.cases_to_ask([image_id for image_id, _ in found]) if found else {}
        facts = {asked[image_id]: bundle.facts_of_image(gray) for image_id, gray in found if image_id in asked}
        cleaned = [CleanedImage(image_id, gray, row) for (image_id, gray), row in zip(found, vectors, strict=True)]
        damaged = {one.path for one in result.rejected}
        checked = [image_id for image_id in batch if f"image {image_id}" not in damaged]
        archive.text_checks.record(checked, cleaned, facts, bundle.id)
        progress(result.images, total, "Checking images for text")
    archive.forget_replaced()
    return result
