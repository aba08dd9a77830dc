"""Keeps answers of a database until something is committed, for questions that are asked again and again."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.store.database import Database
from engine.store.filters import Filters, condition

MOST = 8
"""Answers that are kept; the one that was asked for least lately goes first."""
Answer = TypeVar("Answer")


class KeptAnswers(Generic[Answer]):
    """The last answers of one database; threads may share them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._version: object = None
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()

    def of(self, question: Hashable, ask: Callable[[], Answer]) -> Answer:
        """The kept answer, or that of `ask`."""
        version = self._database.version()  # before it is asked: what changes meanwhile is noticed the next time
        with self._lock:
            if version != self._version:
                self._answers.clear()
                self._version = version
            if question in self._answers:
                self._answers.move_to_end(question)
                return self._answers[question]
        answer = ask()
        with self._lock:
            if version == self._version:
                self._answers[question] = answer
                if len(self._answers) > MOST:
                    self._answers.popitem(last=False)
        return answer


def allowed_by(
    database: Database, answers: KeptAnswers[NDArray[np.int64]], filters: Filters
) -> NDArray[np.int64] | None:
    """Ids of the cases that filters allow, int64 [N]; None when they allow all."""
    where = condition(filters)
    if where is None:
        return None
    sql = f"SELECT id FROM cases WHERE {where[0]}"
    return answers.of((sql, *where[1]), lambda: database.ids(sql, where[1]))
