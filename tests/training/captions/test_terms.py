"""Clinical terms and their negation on unambiguous sentences."""

import pytest

from training.captions.terms import plain, terms


def affirmed(text: str) -> set[str]:
    return {term for term, negated in terms(text) if not negated}


def negated(text: str) -> set[str]:
    return {term for term, absent in terms(text) if absent}


def test_an_effusion_and_no_effusion_have_nothing_in_common() -> None:
    assert not terms("There is a pleural effusion.") & terms("No pleural effusion.")
    assert terms("No pleural effusion.") & terms("There is no effusion.") == {("effusion", True)}


@pytest.mark.parametrize(
    ("text", "there", "absent"),
    [
        (
            "No focal consolidation, pneumothorax or effusion. There is edema.",
            {"edema"},
            {"consolidation", "pneumothorax", "effusion"},
        ),
        ("There is no evidence of pneumonia; consolidation in a lung.", {"consolidation", "lung"}, {"pneumonia"}),
        ("A fracture is not seen, but there is a mass.", {"mass"}, {"fracture"}),
        ("The effusion has resolved.", set(), {"effusion"}),
        ("CT without contrast demonstrates a mass.", {"mass"}, set()),
        ("Pneumonia cannot be excluded.", {"pneumonia"}, set()),
        ("Axial T2-weighted MR image.", set(), set()),
        ("A 50-year-old man with fever and cough.", set(), set()),
    ],
)
def test_each_term_has_its_polarity(text: str, there: set[str], absent: set[str]) -> None:
    assert affirmed(text) == there
    assert negated(text) == absent


def test_a_longer_term_includes_the_shorter_ones_in_it() -> None:
    assert {"pleural effusion", "effusion", "pleura"} <= affirmed("small pleural effusions")


def test_terms_are_found_in_the_spelling_of_the_decoder() -> None:
    assert affirmed("ground - glass opacities in both lungs") == affirmed("Ground-glass opacity of the lung.")
    assert affirmed("renal masses") == affirmed("mass of the kidney") | {"renal mass"}


def test_singular_forms_keep_words_that_only_end_in_s() -> None:
    assert (
        plain("Masses, opacities and biopsies of the pelvis; stenosis")
        == "mass opacity and biopsy of the pelvis ; stenosis"
    )
