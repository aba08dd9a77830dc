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
        ("cannot exclude pneumonia", "cannot exclude pneumonia", set()),
        ("Pneumonia could not be ruled out", "Pneumonia could not be ruled out", set()),
        ("CT head without contrast", "CT head without contrast", set()),
        ("CT chest with and without contrast", "CT chest with and without contrast", set()),
        ("no focal consolidation", "normal", {"consolidation"}),
        ("no large effusion", "normal", {"effusion"}),
        ("no significant abnormality", "normal", {"abnormality"}),
        ("65 year old", "65 year old", set()),
        ("aged 3 months hydrocephalus", "aged 3 months hydrocephalus", set()),
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
        ("CT chest with and without contrast", {"modality": "CT", "region": "chest"}),
        ("sagittal T2-weighted image of the knee", {"modality": "MR", "region": "limb", "view": "sagittal"}),
        ("right hip fracture, no dislocation on the left", {"region": "limb", "laterality": "right"}),
        ("no pneumothorax", {"region": "chest"}),
        ("tumor", {}),
    ],
)
def test_facts_are_those_of_what_is_affirmed(query: str, facts: dict[str, str]) -> None:
    assert values_of(understand(query).facts) == facts


def test_a_pasted_report_is_embedded_as_it_is_and_excludes_nothing() -> None:
    report = "Heart size is normal. No focal consolidation, effusion or pneumothorax. There is a left rib fracture."
    assert understand(report).text == report
    assert understand(report).negated == frozenset()
    assert values_of(understand(report).facts) == {"modality": "CR", "region": "chest", "laterality": "left"}


def test_facts_of_the_image_stand_above_those_of_the_text_and_these_above_the_models() -> None:
    given = {"region": Fact("limb", "header"), "modality": Fact("MR", "models", 0.7)}
    found = facts_of_query(given, "CT of the left chest")  # type: ignore[arg-type]
    assert values_of(found) == {"modality": "CT", "region": "limb", "laterality": "left"}
    assert facts_of_query(given, None) == given  # type: ignore[arg-type]
