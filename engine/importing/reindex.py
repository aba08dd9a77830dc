"""Re-indexes an archive with another bundle: embeds every image and report again. Knows no screens and no ranking.

The new embeddings are kept beside those in use until none is missing; then one transaction replaces the old ones and
binds the archive to the new bundle. An interrupted run can be resumed, and each embedding is made once. What the old
models said of a case is replaced by what the new ones say.
"""

from dataclasses import dataclass

from engine.archive import Archive
from engine.models.roles import Encoder
from engine.progress import IsCancelled, Progress, ignore, never

BATCH = 16


@dataclass(frozen=True, slots=True)
class ReindexProgress:
    """How far the re-indexing of an archive with one bundle has come."""

    done: int
    """Embeddings of that bundle."""
    total: int
    """Images and reports in the archive."""
    complete: bool
    """The archive is bound to that bundle."""


def reindex_progress(archive: Archive, bundle_id: str) -> ReindexProgress:
    """How far the re-indexing with this bundle has come."""
    if archive.bundle_id == bundle_id:
        count = archive.stats()["embeddings"]
        return ReindexProgress(count, count, True)
    return ReindexProgress(archive.new_embeddings.count(bundle_id), archive.new_embeddings.needed(), False)


def reindex(
    archive: Archive, bundle: Encoder, progress: Progress = ignore, cancelled: IsCancelled = never
) -> ReindexProgress:
    """Embed all images and reports of an archive with another bundle, then bind the archive to that bundle.

    Until then, searches and imports with the old bundle go on; what they add is embedded before the change. A cancelled
    or killed run keeps its embeddings and is resumed by the next one with the same bundle. Embeddings that an
    unfinished run with a third bundle has left are deleted.

    Args:
        archive: nothing is done when it is bound to the bundle already.
        bundle: the new models.
        progress: called with (embeddings made, embeddings needed, what).
        cancelled: asked before every batch.

    Raises:
        UserError: the disk is full or the archive cannot be written; the embeddings made so far are kept.
    """
    if archive.bundle_id == bundle.id:
        return reindex_progress(archive, bundle.id)
    new = archive.new_embeddings
    new.discard_others(bundle.id)
    done = new.count(bundle.id)
    while not (complete := new.adopt(bundle.id)):
        while not cancelled() and (images := new.missing_images(bundle.id, BATCH)):
            vectors = bundle.embed_images([gray for _, gray in images])
            asked = new.cases_to_ask([image_id for image_id, _ in images])
            facts = {asked[image_id]: bundle.facts_of_image(gray) for image_id, gray in images if image_id in asked}
            new.add("image", bundle.id, [image_id for image_id, _ in images], vectors, facts)
            done += len(images)
            progress(done, new.needed(), "Re-indexing")
        while not cancelled() and (reports := new.missing_reports(bundle.id, BATCH)):
            vectors = bundle.embed_texts([text for _, text in reports])
            new.add("report", bundle.id, [report_id for report_id, _ in reports], vectors)
            done += len(reports)
            progress(done, new.needed(), "Re-indexing")
        if cancelled():
            break
    if complete:
        archive.index.refresh(save=True)
    return reindex_progress(archive, bundle.id)
