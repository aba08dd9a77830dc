"""The facts of all cases in memory, a column for each kind, so that a search can weigh every case. Knows no ranking.

The database is the only truth: the columns are read when they are first needed, extended by the facts of later cases,
and read again when a fact of an earlier case has changed.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.facts.fact import KINDS, VALUES, FactKind
from engine.store.fact_bonus import FactBonus
from engine.store.folder.local_database import LocalDatabase
from engine.store.safety.connection import damaged

# The checksums change with the facts, and are quicker to read.
STAMP = "SELECT count(*), coalesce(sum(crc), 0) FROM checksums WHERE name = 'facts' AND id <= ?"
LAST = "SELECT coalesce(max(case_id), 0) FROM facts"
# The index of facts by value has the cases too, and one text is read sooner than many rows.
VALUES_THERE = "SELECT DISTINCT kind, value FROM facts"
CASES = "SELECT group_concat(case_id) FROM facts WHERE kind = ? AND value = ? AND case_id > ? AND case_id <= ?"
UNSURE = "SELECT case_id, kind, probability FROM facts WHERE probability != 1 AND case_id > ? AND case_id <= ?"

CODES: Mapping[FactKind, Mapping[str, int]] = {
    kind: {value: code for code, value in enumerate(VALUES[kind], start=1)} for kind in KINDS
}
"""The code of each value; 0 is that of a case without this fact."""
OTHER: Mapping[FactKind, int] = {kind: len(VALUES[kind]) + 1 for kind in KINDS}
"""The code of a value that no version of ours writes."""


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One kind of fact; entry n of each array is that of case n, and what is beyond the end is not known."""

    codes: NDArray[np.uint8]
    """CODES or OTHER, uint8 [n]; 0 for no fact."""
    probabilities: NDArray[np.float32]
    """float32 [n]; 0 for no fact."""


MOST_CASES = 100_000_000
"""A case with a higher number was not written by us, and there would be no memory for its columns."""
Columns = Mapping[FactKind, Column]


class FactColumns:
    """The columns of one archive; threads may share them."""

    def __init__(self, database: LocalDatabase) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._version: object = None
        self._last = 0
        self._stamp: tuple[int, int] = (0, 0)
        self._columns = _empty(0)
        self._last_bonus: tuple[Columns, FactBonus, NDArray[np.float32]] | None = None

    def current(self) -> Columns:
        """The facts of all cases as they are now.

        Raises:
            UserError: the facts in the database are damaged.
        """
        with self._lock:
            version = self._database.version()
            if version != self._version:
                self._update()
                self._version = version
            return self._columns

    def bonus(self, bonus: FactBonus) -> NDArray[np.float32]:
        """What a bonus adds to each case: entry n for case n, float32 [n]; cases beyond its end get nothing.

        Raises:
            UserError: the facts in the database are damaged.
        """
        columns = self.current()
        last = self._last_bonus
        if last is not None and last[0] is columns and last[1] == bonus:
            return last[2]
        total = np.zeros(max(len(column.codes) for column in columns.values()), np.float32)
        for kind in bonus.weights.keys() | bonus.other.keys():
            weights = np.full(OTHER[kind] + 1, bonus.other.get(kind, 0.0), np.float32)
            weights[0] = 0.0
            for value, code in CODES[kind].items():
                weights[code] = bonus.of(kind, value)
            total += weights[columns[kind].codes] * columns[kind].probabilities
        self._last_bonus = columns, bonus, total
        return total

    def _update(self) -> None:
        last = self._database.read(LAST)[0][0]
        if not isinstance(last, int) or last > MOST_CASES:
            raise damaged(self._database.path.parent)
        if self._stamp_of(self._last) != self._stamp:
            self._last, self._columns = 0, _empty(0)
        if last > self._last:
            stamp = self._stamp_of(last)  # before the rows: what changes meanwhile is noticed the next time
            self._columns = self._with_rows(last)
            self._last, self._stamp = last, stamp

    def _stamp_of(self, last: int) -> tuple[int, int]:
        count, total = self._database.read(STAMP, [last])[0]
        return int(count), int(total)

    def _with_rows(self, last: int) -> Columns:
        columns = _empty(last + 1)
        for kind, column in columns.items():
            known = self._columns[kind]
            column.codes[: len(known.codes)] = known.codes
            column.probabilities[: len(known.codes)] = known.probabilities
        try:
            for kind, value in self._database.read(VALUES_THERE):
                if kind in columns:
                    text = self._database.read(CASES, [kind, value, self._last, last])[0][0]
                    cases = np.fromstring(text or "", np.int64, sep=",")
                    columns[kind].codes[cases] = CODES[kind].get(value, OTHER[kind])
                    columns[kind].probabilities[cases] = 1.0
            for case_id, kind, probability in self._database.read(UNSURE, [self._last, last]):
                if kind in columns:
                    columns[kind].probabilities[case_id] = probability
        except (IndexError, TypeError, ValueError):  # a text where a number belongs
            raise damaged(self._database.path.parent) from None
        return columns


def _empty(size: int) -> Columns:
    return {kind: Column(np.zeros(size, np.uint8), np.zeros(size, np.float32)) for kind in KINDS}
