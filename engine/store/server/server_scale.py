"""The score scale of an archive on a server, measured once and kept for all desks. Knows no query and no ranking.

It is measured as in the folder (archive_scale.py), on the first n vectors, n being the highest step of a ladder, and
kept in the table `derived` by whoever may write; who may only read measures it for itself. Replaced vectors change it
with the next step only; a deletion drops what is kept.
"""

import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from engine.errors import UserError
from engine.store.folder.archive_scale import SAMPLE, as_document, from_document, step
from engine.store.nearest_index import NearestIndex, Stamp, require_bundle
from engine.store.safety.json_file import parse_json
from engine.store.score_scale import KINDS, Sample, ScoreScale, measured
from engine.store.server.server_database import ServerDatabase
from engine.store.shared_sql import put

NAME = "score_scale"
COUNT = "SELECT vectors, (SELECT value FROM settings WHERE name = 'bundle_id') FROM revision"
SAMPLED = "SELECT id, case_id FROM embeddings WHERE kind = ? AND id <= ? ORDER BY id"
LAST = "SELECT id FROM embeddings ORDER BY id OFFSET ? LIMIT 1"


class ServerScale:
    """The score scale of one archive; threads may share it."""

    def __init__(self, database: ServerDatabase, index: NearestIndex) -> None:
        self._database, self._index = database, index
        self._lock = threading.Lock()
        self._version: object = None
        self._kept: tuple[tuple[Stamp, str], ScoreScale] | None = None

    def current(self, constants: Mapping[str, Any], bundle_id: str) -> ScoreScale:
        """As Scale."""
        with self._lock:
            while True:
                version = self._database.version()
                stated = json.dumps(constants, sort_keys=True)
                if self._kept is not None and self._version == version and self._kept[0][1] == stated:
                    return self._kept[1]
                stamp = self._stamp(bundle_id)
                made_of = (stamp, stated)
                found = self._stored(made_of) if self._kept is None or self._kept[0] != made_of else self._kept[1]
                if found is None:
                    samples = {kind: self._sample(kind == "image", stamp) for kind in KINDS}
                    if None in samples.values():
                        continue  # rows were replaced meanwhile
                    found = measured({kind: one for kind, one in samples.items() if one is not None}, constants)
                    self._keep(found, made_of)
                self._version, self._kept = version, (made_of, found)
                return found

    def _stamp(self, bundle_id: str) -> Stamp:
        count, bound = self._database.read(COUNT)[0]
        require_bundle(self._database.where, bound, bundle_id)
        return Stamp(step(count), 0, bound)

    def _sample(self, images: bool, stamp: Stamp) -> Sample | None:
        """At most SAMPLE vectors of one kind, the same for the same rows; None if one no longer exists."""
        last = self._database.read(LAST, [stamp.count - 1]) if stamp.count else []
        if not last:
            return Sample(np.zeros((0, 0), np.float32), np.zeros(0, np.int64))
        kind = "image" if images else "report"
        rows = np.array(self._database.read(SAMPLED, [kind, last[0][0]]), np.int64).reshape(-1, 2)
        if len(rows) > SAMPLE:
            rows = rows[np.sort(np.random.default_rng(0).choice(len(rows), SAMPLE, replace=False))]
        vectors = self._index.vectors(rows[:, 0])
        return None if vectors is None else Sample(vectors, rows[:, 1])

    def _stored(self, made_of: tuple[Stamp, str]) -> ScoreScale | None:
        rows = self._database.read("SELECT content FROM derived WHERE name = ?", [NAME])
        try:
            return from_document(parse_json(rows[0][0]), made_of) if rows else None
        except (AttributeError, KeyError, TypeError, ValueError):
            return None

    def _keep(self, scale: ScoreScale, made_of: tuple[Stamp, str]) -> None:
        if self._database.read_only:
            return
        with suppress(UserError), self._database.write() as db:  # others write: it is kept by a later search
            put(db, "derived", ("name",), name=NAME, content=json.dumps(as_document(scale, made_of)).encode())
