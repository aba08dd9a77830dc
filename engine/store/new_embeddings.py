"""Embeddings and facts of another bundle, kept beside those in use until all are there. Knows no models.

Searches and imports go on with the embeddings in use. `adopt` replaces them in one transaction once every image and
report has a new one.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.facts.fact import Facts
from engine.store.case import Kind
from engine.store.case_facts import images_to_ask
from engine.store.database import Database
from engine.store.safety.checksums import WHOLE, seal, seal_all, seal_many
from engine.store.shared_sql import Connection, StoredVector, execute_many, insert, now, put
from engine.store.thumbnail import from_png

ALL = (0, 2**63 - 1)
"""The first and the last id of all rows."""
# What still lacks an embedding of the bundle, in the order of ids: images as PNG, reports as text.
MISSING = {
    kind: f"""SELECT id, {content} FROM {table} WHERE NOT EXISTS (SELECT 1 FROM new_embeddings AS made
        WHERE made.{kind}_id = {table}.id AND made.bundle_id = ?) AND id BETWEEN ? AND ? ORDER BY id LIMIT ?"""
    for kind, table, content in (("image", "images", "png"), ("report", "reports", "text"))
}
# The id of a report that was replaced meanwhile selects no row, so that its embedding is dropped here.
ADD = {
    kind: f"""INSERT INTO new_embeddings (case_id, kind, {kind}_id, bundle_id, vector)
        SELECT case_id, '{kind}', id, ?, ? FROM {table} WHERE id = ? ON CONFLICT DO NOTHING"""
    for kind, table in (("image", "images"), ("report", "reports"))
}
# Every other source is trusted more (case_facts.SOURCES), so that what is there stays.
ADOPT_FACTS = """INSERT INTO facts (case_id, kind, value, source, probability)
    SELECT case_id, kind, value, 'models', probability FROM new_facts WHERE bundle_id = ? AND value != ''
    ON CONFLICT (case_id, kind) DO NOTHING"""
ADD_FACT = """INSERT INTO new_facts (case_id, bundle_id, kind, value, probability)
    SELECT id, ?, ?, ?, ? FROM cases WHERE id = ? ON CONFLICT (case_id, bundle_id, kind)
    DO UPDATE SET value = excluded.value, probability = excluded.probability"""


class NewEmbeddings:
    """The embeddings that a re-indexing of one archive has made so far."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, bundle_id: str) -> int:
        """How many embeddings of this bundle are kept."""
        return int(self._database.read("SELECT count(*) FROM new_embeddings WHERE bundle_id = ?", [bundle_id])[0][0])

    def needed(self) -> int:
        """How many embeddings the archive needs: one per image and report."""
        return int(self._database.read("SELECT (SELECT count(*) FROM images) + (SELECT count(*) FROM reports)")[0][0])

    def discard_others(self, bundle_id: str) -> None:
        """Delete what an unfinished re-indexing with another bundle has left."""
        with self._database.write() as db:
            for table in ("new_embeddings", "new_facts"):
                db.execute(f"DELETE FROM {table} WHERE bundle_id != ?", [bundle_id])

    def missing_images(
        self, bundle_id: str, limit: int, ids: tuple[int, int] = ALL
    ) -> list[tuple[int, NDArray[np.uint8]]]:
        """The first (image id, stored uint8 [H, W]) from one id to another without an embedding of this bundle."""
        rows = self._database.read(MISSING["image"], [bundle_id, *ids, limit])
        return [(image_id, from_png(png)) for image_id, png in rows]

    def missing_reports(self, bundle_id: str, limit: int, ids: tuple[int, int] = ALL) -> list[tuple[int, str]]:
        """The first (report id, text) without an embedding of this bundle, from one id to another."""
        rows = self._database.read(MISSING["report"], [bundle_id, *ids, limit])
        return [(report_id, text) for report_id, text in rows]

    def cases_to_ask(self, image_ids: Sequence[int]) -> dict[int, int]:
        """Of some images those by which models are asked for the facts of a case, with the id of the case."""
        return images_to_ask(self._database.read, image_ids)

    def add(
        self,
        kind: Kind,
        bundle_id: str,
        ids: Sequence[int],
        vectors: NDArray[np.floating],
        facts: Mapping[int, Facts] | None = None,
    ) -> None:
        """Keep the embeddings of N images or reports, and facts, in one transaction.

        Args:
            ids: of the images or reports.
            vectors: float [N, D].
            facts: what the models say of cases, by case id.
        """
        with self._database.write() as db:
            said = [
                [bundle_id, kind_of, fact.value, fact.probability, case_id]
                for case_id, its in (facts or {}).items()
                for kind_of, fact in its.items()
            ]
            execute_many(db, ADD_FACT, said)
            made = zip(ids, vectors, strict=True)
            execute_many(db, ADD[kind], [[bundle_id, StoredVector.of(vector), row_id] for row_id, vector in made])

    def adopt(self, bundle_id: str) -> bool:
        """Replace embeddings and facts in use and bind the archive to this bundle; False when some are still missing.

        Nothing can be imported between the check and the change. Ids of embeddings are never used twice, so that a
        vector index of the old rows is known to be stale. When another process has done it, nothing is left to do.
        """
        with self._database.write() as db:
            before = db.execute("SELECT value FROM settings WHERE name = 'bundle_id'").fetchone()
            if before and before[0] == bundle_id:
                db.execute("DELETE FROM new_embeddings WHERE bundle_id = ?", [bundle_id])
                db.execute("DELETE FROM new_facts WHERE bundle_id = ?", [bundle_id])
                return True
            if any(db.execute(missing, [bundle_id, *ALL, 1]).fetchone() for missing in MISSING.values()):
                return False
            db.execute("DELETE FROM embeddings")
            db.execute(
                """INSERT INTO embeddings (case_id, kind, image_id, report_id, bundle_id, vector)
                SELECT case_id, kind, image_id, report_id, bundle_id, vector FROM new_embeddings WHERE bundle_id = ?
                ORDER BY id""",
                [bundle_id],
            )
            db.execute("DELETE FROM new_embeddings")
            _adopt_facts(db, bundle_id)
            put(db, "settings", ("name",), name="bundle_id", value=bundle_id)
            seal_all(db, "embeddings")
            seal(db, "settings", WHOLE)
            detail = f"from {before[0] if before else 'no model'} to {bundle_id}"
            audit_id = insert(db, "audit", at=now(), action="moved to another model", case_id=None, detail=detail)
            seal(db, "audit", audit_id)
        return True


def _adopt_facts(db: Connection, bundle_id: str) -> None:
    """Replace what models said of all cases by what this bundle says, inside the transaction that is open.

    All cases at once: statements for each would be ways to a server and back, while all other writers wait.
    """
    touched = (
        "SELECT case_id FROM facts WHERE source = 'models' UNION SELECT case_id FROM new_facts WHERE bundle_id = ?"
    )
    cases = [case_id for (case_id,) in db.execute(touched, [bundle_id]).fetchall()]
    db.execute("DELETE FROM facts WHERE source = 'models'")
    db.execute(ADOPT_FACTS, [bundle_id])
    seal_many(db, "facts", cases)
    db.execute("DELETE FROM new_facts")
