"""Which archived images were checked for burned-in text, and their replacement without it. Knows no detector.

Images of an import that keeps their text, and those archived before the detector existed, are not checked.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.facts.fact import Facts
from engine.store.case_facts import images_to_ask, set_models
from engine.store.database import Database
from engine.store.safety.checksums import seal
from engine.store.shared_sql import Connection, StoredVector, insert, now
from engine.store.thumbnail import to_png

MISSING = "FROM images WHERE id NOT IN (SELECT image_id FROM text_checked)"


@dataclass(frozen=True, slots=True, eq=False)
class CleanedImage:
    """A stored image without its text."""

    image_id: int
    gray: NDArray[np.uint8]
    """uint8 [H, W]."""
    embedding: NDArray[np.floating]
    """float [D] of it, unit length."""


def mark_checked(db: Connection, image_ids: Sequence[int]) -> None:
    """Note images as checked, inside a transaction that the caller has open."""
    for image_id in image_ids:
        marked = "INSERT INTO text_checked (image_id) SELECT id FROM images WHERE id = ? ON CONFLICT DO NOTHING"
        db.execute(marked, [image_id])


class TextChecks:
    """The checks of one archive."""

    def __init__(self, database: Database, require_bundle: Callable[[str], None]) -> None:
        """`require_bundle` raises UserError unless the archive is bound to a bundle."""
        self._database, self._require_bundle = database, require_bundle

    def missing(self) -> int:
        """How many images were not checked."""
        return int(self._database.read(f"SELECT count(*) {MISSING}")[0][0])

    def next(self, after: int, limit: int) -> list[int]:
        """The first images with a greater id than `after` that were not checked."""
        rows = self._database.read(f"SELECT id {MISSING} AND id > ? ORDER BY id LIMIT ?", [after, limit])
        return [row[0] for row in rows]

    def cases_to_ask(self, image_ids: Sequence[int]) -> dict[int, int]:
        """Of some images those by which models are asked for the facts of a case, with the id of the case."""
        return images_to_ask(self._database.read, image_ids)

    def record(
        self, checked: Sequence[int], cleaned: Sequence[CleanedImage], facts: Mapping[int, Facts], bundle_id: str
    ) -> None:
        """Note images as checked and replace some of them with their embeddings, in one transaction.

        Args:
            checked: ids of all of them.
            cleaned: those in which text was found.
            facts: what the models say of cases now, by case id.
            bundle_id: the bundle of the embeddings.

        Raises:
            UserError: the archive was re-indexed with another bundle meanwhile; nothing was changed.
        """
        with self._database.write() as db:
            self._require_bundle(bundle_id)
            for one in cleaned:
                _replace(db, one, bundle_id)
            for case_id, said in facts.items():
                set_models(db, case_id, said)
                seal(db, "facts", case_id)
            mark_checked(db, checked)


def _replace(db: Connection, image: CleanedImage, bundle_id: str) -> None:
    row = db.execute("SELECT case_id FROM images WHERE id = ?", [image.image_id]).fetchone()
    if row is None:  # deleted meanwhile
        return
    db.execute("UPDATE images SET png = ? WHERE id = ?", [to_png(image.gray).data, image.image_id])
    seal(db, "images", image.image_id)
    for table in ("embeddings", "new_embeddings"):
        db.execute(f"DELETE FROM {table} WHERE image_id = ?", [image.image_id])
    vector = StoredVector.of(image.embedding)
    values = {"case_id": row[0], "kind": "image", "image_id": image.image_id, "bundle_id": bundle_id, "vector": vector}
    seal(db, "embeddings", insert(db, "embeddings", **values))
    detail = f"image {image.image_id}"
    seal(db, "audit", insert(db, "audit", at=now(), action="text blacked out", case_id=row[0], detail=detail))
