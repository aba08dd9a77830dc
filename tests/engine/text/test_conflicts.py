"""Conflicts between report sentences."""

import pytest

from engine.text.conflicts import conflict


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
        ("Pleural effusion not recognizable.", "Small pleural effusion.", "negation"),
        ("The consolidation has resolved.", "Consolidation at the base.", "negation"),
        ("A fracture is not seen.", "Displaced fracture.", "negation"),
        ("Opacity in the right lung.", "Opacity in the left lung.", "laterality"),
        ("Opacity in the upper lobe.", "Opacity in the lower lobe.", "body part"),
        ("Opacities in the upper and middle zones.", "Opacities in the lower zones.", "body part"),
        ("Mass in the left kidney.", "Mass in the left adrenal.", "body part"),
        ("Frontal meningioma.", "Occipital meningioma.", "body part"),
        ("Disc herniation of the cervical spine.", "Disc herniation of the lumbar spine.", "body part"),
        ("Fracture of the wrist.", "Fracture of the shoulder.", "body part"),
        ("CT shows a mass.", "Ultrasound shows a mass.", "examination"),
        ("Chest radiograph with opacity.", "Chest CT with opacity.", "examination"),
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
        ("No pleural effusion.", "Pleural effusion not recognizable."),
        ("No visible pleural effusions.", "No pleural effusion."),
        ("Cyst in the liver and the kidney.", "Renal cyst."),
        ("Opacities in the upper and lower lobes.", "Opacity in the lower lobe."),
        ("Chest x-ray with an opacity.", "Chest radiograph: opacity."),
        ("PET-CT shows a mass.", "CT shows a mass."),
        ("Fracture of the distal humerus.", "Fracture at the elbow."),
    ],
)
def test_agreeing_sentences_do_not_conflict(one: str, other: str) -> None:
    assert conflict(one, other) is None
    assert conflict(other, one) is None
