"""Undo goes back by words and by decisions, with the marks of the text."""

from desktop.state.report.history import History
from engine.reports.document import Document
from engine.reports.draft import Draft, Sentence

DRAFT = Draft((Sentence("No mass.", None, source=3), Sentence("Clear.", None)), "x", study_uid="1")


def type_in(history: History, text: str) -> None:
    for letter in text:
        history.push(history.now.edited(history.now.text + letter))


def undone(history: History) -> list[str]:
    found = []
    while history.can_undo:
        history.undo()
        found.append(history.now.text)
    return found


def test_typing_is_undone_by_words() -> None:
    history = History()
    type_in(history, "One two")
    for _ in "wo":
        history.push(history.now.edited(history.now.text[:-1]))
    assert undone(history) == ["One two", "One ", ""]


def test_a_word_typed_elsewhere_is_another_step() -> None:
    history = History(Document("a c"))
    history.push(history.now.edited("a bc"))
    history.push(history.now.edited("xa bc"))
    assert undone(history) == ["a bc", "a c"]


def test_decisions_and_marks_are_undone_and_done_again() -> None:
    history = History()
    history.push(history.now.proposing(DRAFT, "1"))
    history.push(history.now.accepting([0]))
    history.push(history.now.dismissing([1]))
    history.push(history.now.edited("No large mass."))
    last = history.now
    history.undo()
    assert [history.now.wording(mark) for mark in history.now.marks] == ["unchanged"]
    history.undo()
    assert history.now.open == (1,)
    history.undo()
    assert (history.now.text, history.now.open) == ("", (0, 1))
    for _ in range(9):
        history.redo()
    assert history.now == last
    history.undo()
    history.push(history.now.edited("Other."))
    assert not history.can_redo
