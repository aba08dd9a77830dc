"""The score scale of one archive, measured on its own vectors and kept in a file. Knows no query and no ranking.

It is measured on the first n vectors, n being the highest step of a ladder that rises by a tenth (`step`): adding a
case rarely changes it, and it depends on the content of the archive alone, so that processes agree and the file may be
deleted at any time. The file is derived: it is checked when it is read, and measured again when it is missing, damaged,
or of another bundle or other rows.
"""

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from engine.store.encryption.derived_file import open_derived, write_derived
from engine.store.folder.vectors.index_file import checksum
from engine.store.nearest_index import NearestIndex, Rows, Stamp
from engine.store.safety.json_file import parse_json
from engine.store.score_scale import KINDS, Sample, ScoreScale, Spread, measured

_log = logging.getLogger("kindred")

FILE = "score_scale.json"
VERSION = 1
SAMPLE = 2_000
"""Vectors of each kind that are measured, drawn by a fixed seed. More change z by less than 0.01."""
GROWTH = 1.1
"""A scale is measured again when the archive has a tenth more vectors than it was measured on."""


def step(count: int) -> int:
    """The highest step up to `count` of a ladder that rises by one, from 20 on by a tenth: 1, 2, ... 20, 22, 24, 26."""
    reached = 0
    while (following := max(reached + 1, int(reached * GROWTH))) <= count:
        reached = following
    return reached


class ArchiveScale:
    """The score scale of one archive; threads may share it."""

    def __init__(self, folder: Path, index: NearestIndex) -> None:
        self.path = folder / FILE
        self._index = index
        self._lock = threading.Lock()
        self._made_of: tuple[Stamp, str] | None = None
        self._scale: ScoreScale | None = None

    def current(self, constants: Mapping[str, Any], bundle_id: str) -> ScoreScale:
        """The score scale of the archive as it is now.

        Args:
            constants: the bundle's own score scale, which counts while the archive has few cases.
            bundle_id: the bundle that the search uses.

        Raises:
            UserError: another bundle made the vectors of the archive.
        """
        with self._lock:
            while True:
                rows = self._index.rows(bundle_id)
                first = rows.first(step(len(rows.ids)))
                made_of = (first.stamp, json.dumps(constants, sort_keys=True))
                if self._scale is not None and self._made_of == made_of:
                    return self._scale
                found = _read(self.path, made_of)
                if found is None:
                    samples = {kind: self._sample(first, kind == "image") for kind in KINDS}
                    if None in samples.values():
                        continue  # rows were replaced meanwhile
                    found = measured({kind: one for kind, one in samples.items() if one is not None}, constants)
                    self._try_save(found, made_of)
                self._made_of, self._scale = made_of, found
                return found

    def _sample(self, rows: Rows, images: bool) -> Sample | None:
        """At most SAMPLE vectors of one kind, the same for the same rows; None if one no longer exists."""
        chosen = np.flatnonzero(rows.is_image == images)
        if len(chosen) > SAMPLE:
            chosen = np.sort(np.random.default_rng(0).choice(chosen, SAMPLE, replace=False))
        vectors = self._index.vectors(rows.ids[chosen])
        return None if vectors is None else Sample(vectors, rows.cases[chosen])

    def _try_save(self, scale: ScoreScale, made_of: tuple[Stamp, str]) -> None:
        """Save if possible: the next session can measure it again."""
        try:
            _write(self.path, scale, made_of)
        except OSError as error:
            _log.warning("The score scale was not saved: %s.", error.strerror)


def as_document(scale: ScoreScale, made_of: tuple[Stamp, str]) -> dict[str, Any]:
    """A scale and what it was made of, for JSON."""
    return {
        "version": VERSION,
        "stamp": asdict(made_of[0]),
        "constants": made_of[1],
        "means": {kind: mean.tolist() for kind, mean in scale.means.items()},
        "spreads": {pair: asdict(spread) for pair, spread in scale.spreads.items()},
    }


def from_document(content: Any, made_of: tuple[Stamp, str]) -> ScoreScale | None:
    """The scale in a document; None when it was made of something else.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: it is not one of ours.
    """
    if content["version"] != VERSION or (Stamp(**content["stamp"]), content["constants"]) != made_of:
        return None
    return ScoreScale(
        {kind: np.array(mean, np.float32) for kind, mean in content["means"].items()},
        {pair: Spread(**spread) for pair, spread in content["spreads"].items()},
    )


def _write(path: Path, scale: ScoreScale, made_of: tuple[Stamp, str]) -> None:
    """Write the file in one step, readable by its owner only. Raises OSError."""
    body = json.dumps(as_document(scale, made_of)).encode()
    write_derived(path, [checksum(b"", body), b"\n", body])


def _read(path: Path, made_of: tuple[Stamp, str]) -> ScoreScale | None:
    """The content of the file; None when it is missing, damaged, or was made of something else."""
    try:
        with open_derived(path) as file:
            expected, _, body = file.read().partition(b"\n")
    except OSError:
        return None
    if expected != checksum(b"", body):
        return None
    try:
        return from_document(parse_json(body), made_of)
    except (AttributeError, KeyError, TypeError, ValueError):  # someone else's file, with a checksum of its own
        return None
