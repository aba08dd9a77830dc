"""Moves an archive to another bundle: every picture and report embedded anew. Knows no screens and no ranking.

The new vectors gather in a table of their own while the old ones go on serving; when none is missing, one transaction
puts them in place and binds the archive to the new bundle. What is stored is all that a later run needs, so that a
killed one is gone on with, and every vector is made once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlite_utils import Database

from engine.archive import Archive
from engine.models.roles import Encoder
from engine.progress import IsCancelled, Progress, ignore, never
from engine.store.database import insert, now
from engine.store.thumbnail import from_png

BATCH = 16
# What still lacks a vector of the bundle, in the order of ids: pictures as PNG, reports as text.
MISSING = {
    kind: f"""SELECT id, {content} FROM {table} WHERE NOT EXISTS (SELECT 1 FROM new_embeddings AS made
        WHERE made.{kind}_id = {table}.id AND made.bundle_id = ?) ORDER BY id LIMIT ?"""
    for kind, table, content in (("image", "images", "png"), ("report", "reports", "text"))
}
# A report that was replaced meanwhile is no row any more, and its vector is dropped here.
KEEP = {
    kind: f"""INSERT OR IGNORE INTO new_embeddings (case_id, kind, {kind}_id, bundle_id, vector)
        SELECT case_id, '{kind}', id, ?, ? FROM {table} WHERE id = ?"""
    for kind, table in (("image", "images"), ("report", "reports"))
}


@dataclass(frozen=True, slots=True)
class ReindexProgress:
    """How far the re-indexing of an archive with one bundle has come."""

    done: int
    """Vectors of that bundle."""
    total: int
    """Images and reports in the archive."""
    complete: bool
    """The archive is bound to that bundle."""


def reindex_progress(archive: Archive, bundle_id: str) -> ReindexProgress:
    """How far the archive is on its way to a bundle."""
    if archive.bundle_id == bundle_id:
        count = archive.read("SELECT count(*) FROM embeddings")[0][0]
        return ReindexProgress(count, count, True)
    done = archive.read("SELECT count(*) FROM new_embeddings WHERE bundle_id = ?", [bundle_id])[0][0]
    return ReindexProgress(done, _total(archive), False)


def reindex(
    archive: Archive, bundle: Encoder, progress: Progress = ignore, cancelled: IsCancelled = never
) -> ReindexProgress:
    """Embed all that the archive stores with another bundle, and bind it to that one when the last vector is there.

    Searches with the old bundle go on until then, imports too: what they add is embedded before the change. Stopped or
    killed, it keeps what it has made; run again with the same bundle, it goes on there. Vectors that an unfinished run
    made with a third bundle are dropped.

    Args:
        archive: what to move; nothing is done when it is bound to the bundle already.
        bundle: the models to move to.
        progress: called with (vectors made, vectors in all, what).
        cancelled: asked before every batch.

    Raises:
        UserError: the disk is full or the archive cannot be written; what was made so far stays.
    """
    if archive.bundle_id == bundle.id:
        return reindex_progress(archive, bundle.id)
    with archive.write() as db:
        db.execute("DELETE FROM new_embeddings WHERE bundle_id != ?", [bundle.id])
    done = reindex_progress(archive, bundle.id).done
    while not (complete := _switch(archive, bundle.id)):
        for kind in ("image", "report"):
            while not cancelled() and (rows := archive.read(MISSING[kind], [bundle.id, BATCH])):
                _embed(archive, bundle, kind, rows)
                done += len(rows)
                progress(done, _total(archive), "Embedding with the new models")
        if cancelled():
            break
    if complete:
        archive.index.refresh(save=True)
    return reindex_progress(archive, bundle.id)


def _total(archive: Archive) -> int:
    return int(archive.read("SELECT (SELECT count(*) FROM images) + (SELECT count(*) FROM reports)")[0][0])


def _embed(archive: Archive, bundle: Encoder, kind: str, rows: Sequence[tuple[int, bytes | str]]) -> None:
    """Make and keep the vectors of some pictures or reports, in one transaction."""
    vectors: NDArray[np.float32]
    if kind == "image":
        vectors = bundle.embed_images([from_png(content) for _, content in rows if isinstance(content, bytes)])
    else:
        vectors = bundle.embed_texts([content for _, content in rows if isinstance(content, str)])
    with archive.write() as db:
        for (row_id, _), vector in zip(rows, np.ascontiguousarray(vectors, dtype="<f2"), strict=True):
            db.execute(KEEP[kind], [bundle.id, vector.tobytes(), row_id])


def _switch(archive: Archive, bundle_id: str) -> bool:
    """Put the new vectors in place if none is missing; nobody can add a case between the check and the change."""
    with archive.write() as db:
        if any(db.execute(MISSING[kind], [bundle_id, 1]).fetchone() for kind in MISSING):
            return False
        _replace(db, bundle_id)
    return True


def _replace(db: Database, bundle_id: str) -> None:
    """Ids of embeddings are never used twice, so an index of the old rows knows that it is stale."""
    before = db.execute("SELECT value FROM settings WHERE name = 'bundle_id'").fetchone()
    db.execute("DELETE FROM embeddings")
    db.execute(
        """INSERT INTO embeddings (case_id, kind, image_id, report_id, bundle_id, vector)
        SELECT case_id, kind, image_id, report_id, bundle_id, vector FROM new_embeddings WHERE bundle_id = ?
        ORDER BY id""",
        [bundle_id],
    )
    db.execute("DELETE FROM new_embeddings")
    db.execute("INSERT OR REPLACE INTO settings (name, value) VALUES ('bundle_id', ?)", [bundle_id])
    detail = f"from {before[0] if before else 'no model'} to {bundle_id}"
    insert(db, "audit", at=now(), action="moved to another model", case_id=None, detail=detail)
