"""Re-indexes an archive with another bundle: embeds every image and report again. Knows no screens and no ranking.

The new embeddings are kept beside those in use until none is missing; then one transaction replaces the old ones and
binds the archive to the new bundle. An interrupted run can be resumed, and each embedding is made once. What the old
models said of a case is replaced by what the new ones say.
"""

from dataclasses import dataclass
from functools import partial

from engine.archive import Archive
from engine.models.roles import Encoder
from engine.progress import IsCancelled, Progress, ignore, never
from engine.store.case import Kind
from engine.store.new_embeddings import ALL

BATCH = 16
KINDS: tuple[Kind, ...] = ("image", "report")


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
    while not (complete := new.adopt(bundle.id)):
        for kind in KINDS:
            done, total = new.count(bundle.id), new.needed()  # counting many rows takes a server long
            told = partial(_told, progress, done, total)
            embed_missing(archive, bundle, kind, progress=told, cancelled=cancelled)
        if cancelled():
            break
    if complete:
        archive.index.refresh(save=True)
    return reindex_progress(archive, bundle.id)


def _told(progress: Progress, before: int, total: int, made: int, _: int, what: str) -> None:
    progress(before + made, max(total, before + made), what)


def embed_missing(
    archive: Archive,
    bundle: Encoder,
    kind: Kind,
    ids: tuple[int, int] = ALL,
    progress: Progress = ignore,
    cancelled: IsCancelled = never,
) -> int:
    """Embed the images or reports from one id to another that have no embedding of a bundle yet; how many it were.

    Several processes may do that at the same time: of two embeddings of one image, one is kept.
    """
    new, made = archive.new_embeddings, 0
    while not cancelled():
        if kind == "image":
            images = new.missing_images(bundle.id, BATCH, ids)
            found = [image_id for image_id, _ in images]
            vectors = bundle.embed_images([gray for _, gray in images]) if images else None
            asked = new.cases_to_ask(found) if images else {}
            facts = {asked[image_id]: bundle.facts_of_image(gray) for image_id, gray in images if image_id in asked}
        else:
            reports, facts = new.missing_reports(bundle.id, BATCH, ids), {}
            found = [report_id for report_id, _ in reports]
            vectors = bundle.embed_texts([text for _, text in reports]) if reports else None
        if vectors is None:
            break
        new.add(kind, bundle.id, found, vectors, facts)
        made += len(found)
        progress(made, 0, "Re-indexing")
    return made
