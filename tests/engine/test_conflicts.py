"""Sentences that contradict each other are no evidence for each other."""

import pytest

from engine.conflicts import conflict


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        ("Large pleural effusion.", "No pleural effusion.", "negation"),
        ("There is no evidence of pneumothorax or fracture.", "Displaced fracture.", "negation"),
        ("Effusion without consolidation.", "Consolidation.", "negation"),
        ("Normal chest radiograph.", "Chest radiograph with infiltrates.", "negation"),
        ("The lungs are clear.", "The lungs show nodules.", "negation"),
        ("No pneumothorax.", "Bilateral pneumothoraces.", "negation"),
        ("No metastasis.", "Metastases and masses.", "negation"),
        ("The lungs are not clear.", "The lungs are clear.", "negation"),
        ("Left pleural effusion.", "Right pleural effusion.", "laterality"),
        ("Bilateral effusions.", "Left effusion.", "laterality"),
        ("Fracture of the femur.", "Fracture of the humerus.", "body part"),
        ("Mass in the liver.", "Mass in the brain.", "body part"),
    ],
)
def test_contradictions_are_named(one: str, other: str, what: str) -> None:
    assert conflict(one, other) == what
    assert conflict(other, one) == what


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Large left pleural effusion.", "A left-sided pleural effusion is seen."),
        ("No pneumothorax.", "There is no pneumothorax or effusion."),
        ("No acute abnormality.", "Normal chest radiograph."),
        ("Left and right effusions.", "Bilateral effusions."),
        ("Consolidation but no effusion.", "Consolidation in the left lung."),
        ("Mass in the pelvis.", "Mass of the bladder."),
        ("Hepatic cyst.", "Cysts of the liver."),
        ("CT of the chest.", "Chest CT image."),
    ],
)
def test_agreeing_sentences_do_not_conflict(one: str, other: str) -> None:
    assert conflict(one, other) is None
    assert conflict(other, one) is None
