"""What became of proposals is counted, and what a person wrote is told from what was put there."""

import pytest

from engine.reports.decisions import Decisions, decisions, is_written
from engine.reports.document import Document
from engine.reports.draft import Draft, Sentence
from engine.reports.insertion import taken_over
from engine.reports.templates.notation import parts_of
from engine.reports.templates.template import Template, with_template

DRAFT = Draft(
    tuple(Sentence(text, None) for text in ("Heart normal.", "Lungs clear.", "No bone lesion.")), "m", study_uid="1"
)


def test_accepted_edited_and_dismissed_sentences_are_counted_but_not_those_taken_over() -> None:
    document = Document().proposing(DRAFT, "1").accepting([0, 1]).dismissing([2])
    document = document.edited("Heart normal. Lungs are clear.")
    document, _ = taken_over(document, 0, ["Old sentence."], "case 3")
    assert decisions([document, Document("Own.")]) == Decisions(1, 1, 1, 1)


def test_the_count_is_told_in_one_sentence() -> None:
    assert Decisions(2, 3, 1, 1).text == (
        "Of 5 proposed sentences in 2 signed reports, 3 were accepted unchanged, 1 edited, and 1 dismissed or deleted."
    )
    assert Decisions().text == "No draft was proposed for a signed report yet."


@pytest.mark.parametrize(("text", "written"), [("", False), ("Chest.", False), ("Small left effusion.", True)])
def test_a_few_own_words_count_as_written(text: str, written: bool) -> None:
    assert is_written(Document(text)) == written


def test_neither_a_template_nor_words_of_others_count_as_written() -> None:
    document = with_template(
        Document(), Template("T", parts_of("Lungs and pleura: [Lungs]")), {"lungs": "as before now"}
    )
    assert not is_written(document)
    assert is_written(document.edited("Lungs and pleura: no effusion seen"))
    assert not is_written(taken_over(Document(), 0, ["Small left effusion."], "case 3")[0])
