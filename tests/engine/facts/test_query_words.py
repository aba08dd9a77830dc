"""What a typed query asks for."""

import pytest

from engine.facts.fact import Fact, values_of
from engine.facts.query_words import facts_of_query, understand


@pytest.mark.parametrize(
    ("query", "text", "negated"),
    [
        ("no pneumothorax", "normal chest", {"pneumothorax"}),
        ("pleural effusion without consolidation", "pleural effusion", {"consolidation"}),
        ("cardiomegaly, no effusion", "cardiomegaly", {"effusion"}),
        ("no effusion but cardiomegaly", "cardiomegaly", {"effusion"}),
        ("no effusion with cardiomegaly", "cardiomegaly", {"effusion"}),
        ("fracture not seen", "normal", {"fracture"}),
        ("No effusion or pneumothorax", "normal chest", {"effusion", "pneumothorax"}),
        ("pneumonia", "pneumonia", set()),
        ("Normal chest", "Normal chest", set()),
    ],
)
def test_negated_findings_are_named_and_not_embedded(query: str, text: str, negated: set[str]) -> None:
    found = understand(query)
    assert (found.text, set(found.negated)) == (text, negated)


@pytest.mark.parametrize(
    ("query", "facts"),
    [
        ("left pleural effusion", {"region": "chest", "laterality": "left"}),
        ("CT of the abdomen without contrast", {"modality": "CT", "region": "abdomen", "contrast": "without"}),
        ("sagittal T2-weighted image of the knee", {"modality": "MR", "region": "limb", "view": "sagittal"}),
        ("right hip fracture, no dislocation on the left", {"region": "limb", "laterality": "right"}),
        ("no pneumothorax", {"region": "chest"}),
        ("tumor", {}),
    ],
)
def test_facts_are_those_of_what_is_affirmed(query: str, facts: dict[str, str]) -> None:
    assert values_of(understand(query).facts) == facts


@pytest.mark.parametrize(
    ("query", "age", "text"),
    [
        ("65-year-old with pneumonia", 65, "with pneumonia"),
        ("hip fracture, aged 80", 80, "hip fracture"),
        ("infant with hydrocephalus", 0, "infant with hydrocephalus"),
        ("5 years after surgery", None, "5 years after surgery"),
        ("pneumonia", None, "pneumonia"),
    ],
)
def test_an_age_is_taken_out_of_the_words(query: str, age: int | None, text: str) -> None:
    assert (understand(query).age, understand(query).text) == (age, text)


def test_contrast_that_was_not_given_is_no_negated_finding() -> None:
    assert understand("CT of the head without contrast").negated == frozenset()


def test_facts_of_the_image_stand_above_those_of_the_text_and_these_above_the_models() -> None:
    given = {"region": Fact("limb", "header"), "modality": Fact("MR", "models", 0.7)}
    found = facts_of_query(given, "CT of the left chest")  # type: ignore[arg-type]
    assert values_of(found) == {"modality": "CT", "region": "limb", "laterality": "left"}
    assert facts_of_query(given, None) == given  # type: ignore[arg-type]
