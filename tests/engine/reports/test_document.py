"""A report knows whose words it is made of: proposed, accepted unchanged, edited or own."""

import json
import random

import pytest

from engine.errors import UserError
from engine.reports.agreement import Contradiction, Evidence
from engine.reports.document import LOST, Document, provenance
from engine.reports.draft import Draft, Sentence
from engine.reports.links import Link

HEART = Sentence("The heart is enlarged.", 0.8, (Evidence(3, "Heart enlarged.", 0.9),), 7)
LUNGS = Sentence("The lungs are clear.", None, (), 7, (Contradiction(9, "Opacity.", "negation"),))
EFFUSION = Sentence("There is no effusion.", 0.6)
DRAFT = Draft((HEART, LUNGS, EFFUSION), "bundle x", study_uid="1.2")


def drafted(text: str = "") -> Document:
    return Document(text).proposing(DRAFT, "1.2", "chest")


def marked(document: Document) -> list[tuple[str, str]]:
    return [(document.text[mark.start : mark.end], document.wording(mark)) for mark in document.marks]


def test_a_draft_changes_no_text() -> None:
    document = drafted("Own words.")
    assert (document.text, document.marks, document.open) == ("Own words.", (), (0, 1, 2))
    with pytest.raises(UserError, match="another study"):
        Document().proposing(DRAFT, "9.9")


@pytest.mark.parametrize("gap", ["\n\n", "\n"])
def test_accepted_sentences_stand_below_the_findings_of_a_template_and_not_in_its_impression(gap: str) -> None:
    text = f"Findings:\nHeart: {gap}Impression: [Impression]"
    field = Link(text.index("["), len(text), "field", "Impression", rule="required")
    document = Document(text, links=(field,)).proposing(DRAFT, "1.2")
    accepted = document.accepting([2]).accepting([0])
    assert accepted.text == (
        f"Findings:\nHeart: \nThe heart is enlarged. There is no effusion.{gap}Impression: [Impression]"
    )
    assert [how for _, how in marked(accepted)] == ["unchanged"] * 2
    (moved,) = accepted.links
    assert accepted.text[moved.start : moved.end] == "[Impression]"


def test_odd_spaces_of_a_report_do_not_count_as_an_edit() -> None:
    draft = Draft((Sentence("No\u00a0mass\u2028 seen.", None),), "x", study_uid="1.2")
    document = Document().proposing(draft, "1.2").accepting([0])
    assert marked(document.edited("No mass seen. Own.")) == [("No mass seen.", "unchanged")]


def test_accepted_sentences_stand_in_the_order_of_the_draft_after_own_words() -> None:
    document = drafted("Own words").accepting([2]).accepting([0]).edited("Own words\nThe heart is enlarged. X")
    assert drafted("Own words").accepting([2, 0]).text == "Own words\nThe heart is enlarged. There is no effusion."
    assert marked(document) == [("The heart is enlarged.", "unchanged")]
    everything = drafted().accepting(drafted().open)
    assert everything.text == DRAFT.text
    assert [how for _, how in marked(everything)] == ["unchanged"] * 3
    assert everything.open == ()


def test_an_edit_marks_only_the_sentence_that_it_touches() -> None:
    document = drafted().accepting([0, 1])
    for text, expected in (
        ("The heart is not enlarged. The lungs are clear.", [("The heart is not enlarged.", "edited"), "lungs"]),
        ("The heart is enlarged. Own. The lungs are clear.", ["heart", "lungs"]),
        ("The heart is enlarged. The lungs are clear. Own.", ["heart", "lungs"]),
        ("Note: The heart is enlarged. The lungs are clear.", ["heart", "lungs"]),
        ("The lungs are clear.", ["lungs"]),
        ("The heart is enlarged.", ["heart"]),
        ("", []),
        ("All of it is rewritten.", []),
        ("There is a mass. The lungs are clear.", ["lungs"]),
    ):
        known = {"heart": (HEART.text, "unchanged"), "lungs": (LUNGS.text, "unchanged")}
        assert marked(document.edited(text))[-2:] == [known.get(one, one) for one in expected][-2:], text  # type: ignore[arg-type]


def test_evidence_of_a_deleted_sentence_goes_with_it_and_comes_back_with_it() -> None:
    document = drafted().accepting([0, 1]).dismissing([2])
    assert document.shown == (0, 1)
    deleted = document.edited(LUNGS.text)
    assert deleted.shown == (1,)
    assert [bool(one["evidence"]) for one in deleted.as_dict()["proposals"]] == [False, False, False]
    assert document.as_dict()["proposals"][0]["evidence"][0]["case_id"] == 3
    pasted = deleted.edited(f"{LUNGS.text} Own. {HEART.text}")  # moving a sentence does not make it one's own
    assert marked(pasted) == [(LUNGS.text, "unchanged"), (HEART.text, "unchanged")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{LUNGS.text} {HEART.text}", [LUNGS, HEART]),
        (f"Own. {LUNGS.text}\n{HEART.text} Own.", [LUNGS, HEART]),
        (f"{HEART.text} {HEART.text} {LUNGS.text}", [HEART, HEART, LUNGS]),
        (f"{HEART.text} {LUNGS.text} {LUNGS.text}", [HEART, LUNGS, LUNGS]),
        (f"{LUNGS.text} {LUNGS.text}", [LUNGS, LUNGS]),
        (f"{EFFUSION.text} {LUNGS.text} {HEART.text}", [EFFUSION, LUNGS, HEART]),
    ],
)
def test_a_sentence_that_is_swapped_or_doubled_keeps_its_mark(text: str, expected: list[Sentence]) -> None:
    document = drafted().accepting([0, 1]).edited(text)
    assert marked(document) == [(one.text, "unchanged") for one in expected]
    assert [document.proposals[mark.proposal].sentence for mark in document.marks] == expected
    assert document.machine_words == sum(len(one.text.split()) for one in expected)


def test_sentences_that_differ_in_a_word_keep_their_own_marks_when_they_are_swapped() -> None:
    left, right = Sentence("No left effusion.", None, (), 3), Sentence("No right effusion.", None, (), 4)
    document = Document().proposing(Draft((left, right), "x", study_uid="1.2"), "1.2").accepting([0, 1])
    swapped = document.edited(f"{right.text} {left.text}")
    assert [swapped.proposals[mark.proposal].sentence for mark in swapped.marks] == [right, left]
    assert marked(swapped) == [(right.text, "unchanged"), (left.text, "unchanged")]


def test_who_types_a_dismissed_sentence_has_written_it() -> None:
    document = drafted().dismissing([0, 1, 2])
    for end in range(1, len(HEART.text) + 1):
        document = document.edited(HEART.text[:end])
    assert document.marks == ()


def test_a_new_draft_replaces_what_is_open_and_repeats_nothing_that_stands() -> None:
    document = drafted().accepting([0])
    again = document.proposing(DRAFT, "1.2", "chest")
    assert [again.proposals[number].sentence for number in again.open] == [LUNGS, EFFUSION]
    assert marked(again) == [(HEART.text, "unchanged")]


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("", 0.0),
        (HEART.text, 1.0),
        (f"{HEART.text} One two three four.", 0.5),
        ("The heart is slightly enlarged.", 0.8),
        ("Own words only.", 0.0),
    ],
)
def test_unchanged_words_are_counted_also_in_edited_sentences(text: str, share: float) -> None:
    document = drafted().accepting([0]).edited(text)
    total = len(text.split())
    assert document.machine_words == round(share * total)


def test_marks_and_evidence_survive_json_and_an_export_names_them() -> None:
    document = drafted("Own.").accepting([0, 1]).edited("Own. The heart is not enlarged. The lungs are clear.")
    again = Document.from_dict(document.text, json.loads(json.dumps(document.as_dict())))
    assert again == document
    assert provenance(document) == [
        'Edited, from case 7 in chest: "The heart is not enlarged."',
        'Accepted unchanged, from case 7 in chest: "The lungs are clear."',
        "Everything else: own words.",
    ]
    assert provenance(Document("Own.")) == []
    with pytest.raises(ValueError, match="outside"):
        Document.from_dict("short", document.as_dict())


def test_lost_marks_are_told_until_nothing_of_the_text_is_left() -> None:
    document = Document("The heart is enlarged.", lost=True)
    edited = document.edited("The heart is enlarged. Own.").proposing(DRAFT, "1.2").accepting([1])
    assert edited.lost
    assert Document.from_dict(edited.text, edited.as_dict()) == edited
    assert provenance(edited) == [LOST]
    assert Document("Own.").followed_by(document).lost
    assert not document.edited("").lost


def test_two_documents_become_one_with_the_marks_of_both() -> None:
    first, second = drafted().accepting([0]), drafted("Typed early.").accepting([1])
    both = first.followed_by(second)
    assert both.text == f"{HEART.text}\n\nTyped early. {LUNGS.text}"
    assert marked(both) == [(HEART.text, "unchanged"), (LUNGS.text, "unchanged")]
    assert both.open == (1, 2, 3, 5)
    assert Document().followed_by(second) == second


def test_random_edits_never_leave_marks_outside_the_text_or_over_each_other() -> None:
    chance = random.Random(7)
    for _ in range(300):
        document = drafted("Own words.").accepting([0, 1, 2])
        for _ in range(8):
            start = chance.randint(0, len(document.text))
            end = chance.randint(start, len(document.text))
            new = chance.choice(["", "x", " ", HEART.text, document.text[:9]])
            document = document.edited(document.text[:start] + new + document.text[end:])
            assert document == Document.from_dict(document.text, document.as_dict()) or document.shown != (0, 1, 2)
            assert not document.lost
            edges = [edge for mark in document.marks for edge in (mark.start, mark.end)]
            assert edges == sorted(edges)
            assert all(document.text[mark.start : mark.end].strip() for mark in document.marks)
