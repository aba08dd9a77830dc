"""Links of a report follow their words; fields of a template keep their place."""

import pytest

from engine.reports.checks.check import Known
from engine.reports.checks.run import checks
from engine.reports.document import Document
from engine.reports.draft import Draft, Sentence
from engine.reports.insertion import confirmed, linked, replaced, taken_over
from engine.reports.links import Link

MEASURED = Link(0, 0, "measurement", "id", state="as drawn")
TEMPLATE = "Findings: [Findings]\nImpression: [Impression]"
FIELDS = (
    Link(10, 20, "field", "Findings", "[Findings]", rule="required"),
    Link(33, 45, "field", "Impression", "[Impression]", rule="warn"),
)


def measured(text: str = "A nodule.") -> Document:
    """With a length put in before the full stop."""
    return linked(Document(text), len(text) - 1, "length 23.0 mm, image 14/60", MEASURED)[0]


def fields(document: Document) -> list[str]:
    return [document.text[link.start : link.end] for link in document.links]


def kinds(document: Document, now: dict[str, str] | None = None) -> list[tuple[str, str]]:
    return [(check.kind, check.action) for check in checks(document, Known(), now)]


def test_a_measurement_is_set_apart_and_follows_what_is_typed_around_it() -> None:
    document = measured()
    assert document.text == "A nodule length 23.0 mm, image 14/60."
    typed = document.edited("There is a nodule length 23.0 mm, image 14/60.").edited(
        "There is a nodule length 23.0 mm, image 14/60. New."
    )
    assert fields(typed) == ["length 23.0 mm, image 14/60"]
    assert typed.edited("There is a nodule. New.").links == ()


def test_a_measurement_that_was_changed_or_deleted_is_found() -> None:
    document = measured()
    assert kinds(document, {"id": "as drawn"}) == []
    assert kinds(document, None) == []  # not read yet
    assert kinds(document, {"id": "longer"}) == [("measurement", "update")]
    assert kinds(document, {}) == [("measurement", "")]
    assert kinds(replaced(document, 0, "length 25.0 mm, image 14/60", "longer"), {"id": "longer"}) == []


@pytest.mark.parametrize(("now", "found"), [("23 mm", 0), ("2.3 cm", 0), ("25 mm", 1), ("nodule", 1)])
def test_a_measurement_may_be_rounded_but_not_changed_in_the_text(now: str, found: int) -> None:
    document = measured()
    edited = document.edited(document.text.replace("23.0 mm", now))
    assert len(kinds(edited, {"id": "as drawn"})) == found


def test_a_sentence_taken_over_is_marked_until_it_is_edited_or_confirmed() -> None:
    document, end = taken_over(
        Document("Heart normal."), 13, ["Nodule of 5 mm  on the left.", "Normal liver."], "case 12 in chest"
    )
    assert document.text == "Heart normal. Nodule of 5 mm on the left. Normal liver."
    assert end == len(document.text)
    (check,) = checks(document, Known())
    assert check.message == 'Taken over from case 12 in chest: "5 mm", "left" not confirmed for this patient.'
    assert kinds(confirmed(document, check.target)) == []
    assert kinds(document.edited(document.text.replace("5 mm", "7 mm"))) == []
    assert document.model == ""


def test_links_and_confirmations_survive_storing() -> None:
    document, _ = taken_over(measured(), 0, ["Nodule of 5 mm."], "case 12")
    document = confirmed(document, 0)
    assert Document.from_dict(document.text, document.as_dict()) == document


def test_a_document_of_an_older_version_has_no_links() -> None:
    stored = Document("Text.").as_dict()
    del stored["links"], stored["confirmed"]
    assert Document.from_dict("Text.", stored) == Document("Text.")


def test_a_stored_link_outside_the_text_is_refused() -> None:
    stored = measured().as_dict()
    with pytest.raises(ValueError, match="outside"):
        Document.from_dict("short", stored)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (["Findings: x\nImpression: [Impression]"], ["x", "[Impression]"]),
        (["Findings: \nImpression: [Impression]", "Findings: y\nImpression: [Impression]"], ["y", "[Impression]"]),
        (["Findings: \n\nImpression: [Impression]"], ["\n", "[Impression]"]),
        (["Impression: [Impression]"], ["", "[Impression]"]),
        (["Findings: [Findings]\nImpression: normal"], ["[Findings]", "normal"]),
        (["Findings: [Findings]\nSize: 3. Impression: [Impression]"], ["[Findings]", "[Impression]"]),
        ([""], []),
    ],
)
def test_a_field_keeps_its_place_while_it_is_filled_and_emptied(steps: list[str], expected: list[str]) -> None:
    document = Document(TEMPLATE, links=FIELDS)
    for text in steps:
        document = document.edited(text)
    assert fields(document) == expected


def test_an_empty_field_blocks_or_warns_by_its_rule() -> None:
    document = Document(TEMPLATE, links=FIELDS)
    assert [check.blocks for check in checks(document, Known())] == [True, False]
    filled = document.edited("Findings: x\nImpression: [Impression]").edited("Findings: x\nImpression: y")
    assert checks(filled, Known()) == ()


def test_what_is_put_into_an_empty_field_takes_the_place_of_its_placeholder() -> None:
    document, _ = linked(Document(TEMPLATE, links=FIELDS), 12, "length 23.0 mm", MEASURED)
    assert document.text == "Findings: length 23.0 mm\nImpression: [Impression]"
    assert fields(document) == ["length 23.0 mm", "length 23.0 mm", "[Impression]"]


def test_an_accepted_proposal_moves_the_links_behind_it() -> None:
    draft = Draft((Sentence("Heart normal.", None),), "model", study_uid="1")
    document = Document("Lungs clear.").proposing(draft, "1")
    document, _ = linked(document, 12, "length 3 mm", MEASURED)
    both = Document("A.").followed_by(document)
    assert both.text[both.links[0].start : both.links[0].end] == "length 3 mm"
    accepted = document.accepting([0])
    assert accepted.text[accepted.links[0].start : accepted.links[0].end] == "length 3 mm"
