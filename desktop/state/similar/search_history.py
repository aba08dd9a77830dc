"""The questions asked so far, to go back to and forward again. Knows no hits and asks nothing."""

from collections.abc import Callable
from dataclasses import replace

from desktop.state.similar.query import Question

MOST = 20
"""Questions that are kept in each direction; each holds its image, at most some megabytes."""


class SearchHistory:
    """Two stacks around the question that is answered now."""

    def __init__(self) -> None:
        self.back: list[Question] = []
        """Earlier questions, the latest at the end."""
        self.forward: list[Question] = []
        """Those that one went back from, the next at the end."""

    def clear(self) -> None:
        """Forget all questions."""
        self.back.clear()
        self.forward.clear()

    def leave(self, question: Question | None) -> None:
        """A new question replaces this one: there is nothing to go forward to any more."""
        self.forward.clear()
        if question is not None:
            self.back = [*self.back, _kept(question)][-MOST:]

    def go(self, back: bool, question: Question | None) -> Question:
        """The question to ask again, going back or forward from this one."""
        source, target = (self.back, self.forward) if back else (self.forward, self.back)
        if question is not None:
            target.append(_kept(question))
        return source.pop()

    def keep_only(self, wanted: Callable[[Question], bool]) -> None:
        """Forget all other questions."""
        self.back = list(filter(wanted, self.back))
        self.forward = list(filter(wanted, self.forward))


def _kept(question: Question) -> Question:
    """The question without the picture on screen, once its query was made of it."""
    return question if question.query is None else replace(question, picture=None)
