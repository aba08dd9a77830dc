"""What a report or a caption says of the kind of its image."""

import pytest

from engine.facts.fact import Facts
from engine.facts.from_words import facts_of_words


def said(text: str) -> dict[str, str]:
    facts: Facts = facts_of_words(text)
    assert {fact.source for fact in facts.values()} <= {"words"}
    return {kind: fact.value for kind, fact in facts.items()}


@pytest.mark.parametrize(
    ("text", "modality"),
    [
        ("Axial CT of the abdomen.", "CT"),
        ("Contrast-enhanced computed tomography shows a mass.", "CT"),
        ("CT angiogram of the chest with a filling defect.", "CT"),
        ("Sagittal T2-weighted image of the knee.", "MR"),
        ("FLAIR hyperintensity in the left temporal lobe.", "MR"),
        ("MR cholangiopancreatography with a stone in the duct.", "MR"),
        ("Chest X-ray: clear lungs.", "CR"),
        ("Panoramic radiograph after treatment.", "CR"),
        ("Transvaginal sonogram of an ovarian cyst.", "US"),
        ("Echocardiogram, apical four-chamber view.", "US"),
        ("Colour Doppler of the carotid artery.", "US"),
        ("Mammogram of the left breast.", "MG"),
        ("Coronary angiogram showing occlusion of the LAD.", "XA"),
        ("Barium swallow with a stricture.", "XA"),
        ("FDG PET/CT with intense uptake.", "PT"),
        ("Bone scintigraphy with increased uptake.", "NM"),
        ("Endoscopy of the stomach.", "ES"),
        ("Intraoperative photograph of the mass.", "ES"),
        ("A hypoechoic mass with posterior shadowing.", "US"),
        ("The cardiomediastinal silhouette is normal.", "CR"),
    ],
)
def test_an_examination_that_is_named_is_the_modality(text: str, modality: str) -> None:
    assert said(text)["modality"] == modality


@pytest.mark.parametrize(
    "text",
    [
        "MRI was recommended.",
        "Compared with the prior CT there is no change.",
        "No ultrasound was performed.",
        "Further evaluation with CT is suggested.",
        "CT and MRI show the same mass.",
        "The patient felt well.",
        "Mr. Smith presented with cough.",
    ],
)
def test_examinations_that_are_recommended_earlier_or_several_are_no_fact(text: str) -> None:
    assert "modality" not in said(text)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("Radiograph of the hip.", "limb"),
        ("Fracture of the femoral head.", "limb"),
        ("Mass in the head of the pancreas.", "abdomen"),
        ("Degenerative changes of the lumbar spine.", "spine"),
        ("Frontal view: the lungs are clear.", "chest"),
        ("CT of the abdomen and pelvis.", "abdomen"),
        ("Left ventricle is dilated.", "chest"),
        ("Dilated third ventricle.", "head"),
        ("Scattered fibroglandular densities.", "breast"),
        ("Pelvis and left hip: fracture of the femur.", "limb"),
    ],
)
def test_the_region_is_what_most_names_mean(text: str, region: str) -> None:
    assert said(text)["region"] == region


def test_far_regions_in_one_text_are_no_fact() -> None:
    assert "region" not in said("Metastases in the brain and in the liver.")


def test_a_mammogram_is_of_the_breast() -> None:
    assert said("Craniocaudal mammogram with calcifications.")["region"] == "breast"


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("Left pleural effusion.", "left"),
        ("Fracture of the right wrist, no fracture on the left.", "right"),
        ("Bilateral infiltrates.", "both"),
        ("Effusion on the left, pneumothorax on the right.", None),
        ("Dilated right ventricle.", None),
        ("Normal film.", None),
    ],
)
def test_a_side_is_one_that_is_affirmed_alone(text: str, side: str | None) -> None:
    assert said(text).get("laterality") == side


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("Axial CT of the chest.", "axial"),
        ("Coronal reconstruction.", "coronal"),
        ("Thrombosis of the sagittal sinus.", None),
        ("Posteroanterior chest radiograph.", "frontal"),
        ("Lateral radiograph of the knee.", "lateral"),
        ("PA and lateral views of the chest.", None),
        ("A nodule seen on the lateral view.", None),
    ],
)
def test_a_view_is_the_only_one_named_as_that_of_the_image(text: str, view: str | None) -> None:
    assert said(text).get("view") == view


@pytest.mark.parametrize(
    ("text", "contrast"),
    [
        ("Contrast-enhanced CT of the liver.", "with"),
        ("Non-contrast CT of the head.", "without"),
        ("CT without intravenous contrast.", "without"),
        ("T1 post-gadolinium image.", "with"),
        ("CT of the head with and without contrast.", None),
    ],
)
def test_contrast_is_told_from_words(text: str, contrast: str | None) -> None:
    assert said(text).get("contrast") == contrast
