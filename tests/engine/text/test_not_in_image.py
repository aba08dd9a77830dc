"""Sentences that are not copied from another patient's report; wording of the sample archive and of common reports."""

import pytest

from engine.text.not_in_image import not_in_image, other_examination, without_marks


@pytest.mark.parametrize(
    ("sentence", "what"),
    [
        ("A 35-year-old man with fever.", "age"),
        ("Axial CT of a 4 year old boy shows a mass.", "age"),
        ("Chest radiograph of a 70-yo with an effusion.", "age"),
        ("The effusion has decreased compared with the prior study.", "comparison"),
        ("Unchanged position of the tube.", "comparison"),
        ("New mantle pneumothorax on the right side.", "comparison"),
        ("Chest X-ray 3 days later showing complete expansion of the lung.", "comparison"),
        ("Post-operative radiograph of the hip.", "comparison"),
        ("Follow-up CT shows no recurrence.", "comparison"),
        ("History of tuberculosis.", "history"),
        ("The patient presented with shortness of breath.", "history"),
        ("Our patient underwent resection.", "history"),
        ("CT scan of the patient\u2019s abdomen.", "history"),
        ("Reported by [name] on [date].", "history"),
        ("Axial CT shows a 3 cm mass in the right upper lobe.", "measurement"),
        ("The nodule measures 12 x 9 mm.", "measurement"),
        ("Ejection fraction of 35%.", "measurement"),
        ("Image courtesy of Dr. Smith.", "citation"),
        ("Lung rockets as described by Lichtenstein et al.", "citation"),
        ("B-lines are a sign of interstitial syndrome [12, 13].", "citation"),
        ("Reproduced with permission from Chest 2008; 134: 117.", "citation"),
        ("The arrow points to the mass.", "figure"),
        ("White arrowheads mark the appendix.", "figure"),
        ("(A) Axial image with a cyst.", "figure"),
    ],
)
def test_what_an_image_cannot_show_is_named(sentence: str, what: str) -> None:
    assert not_in_image(sentence) == what


@pytest.mark.parametrize(
    "sentence",
    [
        "There is a large left pleural effusion.",
        "Axial CT shows a mass in the right upper lobe.",
        "No pneumothorax.",
        "The heart is enlarged.",
        "Stable pedicle screws at L4 and L5.",
        "Irregular hypoechoic mass, BI-RADS 4b.",
        "Bilateral ground-glass opacities with peripheral distribution.",
    ],
)
def test_descriptions_of_an_image_are_kept(sentence: str) -> None:
    assert not_in_image(sentence) is None


@pytest.mark.parametrize(
    ("sentence", "modality", "other"),
    [
        ("Chest CT scan uncovered a tension pneumothorax.", "CR", True),
        ("Chest X-ray with an effusion.", "CR", False),
        ("Chest X-ray and CT with an effusion.", "CR", False),
        ("T2-weighted image of the knee.", "CT", True),
        ("Large left effusion.", "CR", False),
        ("Chest CT.", "OT", False),
        ("The petrous bone is intact.", "CT", False),
    ],
)
def test_sentences_about_another_examination_are_recognised(sentence: str, modality: str, other: bool) -> None:
    assert other_examination(sentence, modality) is other


def test_marks_of_a_figure_in_brackets_are_removed() -> None:
    assert without_marks("Mass (arrow) in the liver (white arrows in Fig. 2).") == "Mass in the liver."
    assert without_marks("Cyst (*) and abscess (A, B).") == "Cyst and abscess."
    assert without_marks("A mass (probably benign).") == "A mass (probably benign)."
