"""Findings of report sentences, with their negation; wording of real reports."""

import random
import string

import pytest

from engine.text.findings import ABNORMALITY, FINDINGS, findings, together


@pytest.mark.parametrize(
    ("sentence", "affirmed", "negated"),
    [
        ("No pneumothorax or pleural effusion.", "", "pneumothorax effusion"),
        ("Pneumothorax is not seen.", "", "pneumothorax"),
        ("Left lower lobe opacification, no effusion.", "opacity", "effusion"),
        ("The heart is mildly enlarged.", "cardiomegaly", ""),
        ("Cardiomegaly.", "cardiomegaly", ""),
        ("Enlarged liver.", "hepatomegaly", ""),
        ("The lungs are clear without evidence of infiltrate.", "", "opacity lung_abnormality"),
        ("Lungs are clear of focal airspace disease.", "", "opacity"),
        ("Heart size is normal.", "", "heart_abnormality"),
        ("Normal heart size with a small effusion.", "effusion", "heart_abnormality"),
        ("The tube is in normal position.", "tube", ""),
        ("Normal chest.", "", "abnormality"),
        ("No acute cardiopulmonary abnormality.", "", "abnormality"),
        ("No bony abnormality.", "", "bone_abnormality"),
        ("Heart size at the upper limits of normal.", "", ""),
        ("Heart size is normal and the lungs show an opacity.", "opacity", "heart_abnormality"),
        ("Normal heart size with left pleural effusion.", "effusion", "heart_abnormality"),
        ("Opacity in an otherwise normal lung.", "opacity", ""),
        ("No pneumothorax, mild cardiomegaly.", "cardiomegaly", "pneumothorax"),
        ("No pleural effusion and stable cardiomegaly.", "cardiomegaly", "effusion"),
        ("No effusion, no pneumothorax, the heart is enlarged.", "cardiomegaly", "effusion pneumothorax"),
        ("Mild cardiomegaly, effusion is not seen.", "cardiomegaly", "effusion"),
        ("The effusion, which was left, is not seen.", "", "effusion"),
        ("No pneumothorax, small effusion or mass.", "", "pneumothorax effusion mass"),
        ("No consolidation, effusion, pneumothorax.", "", "consolidation effusion pneumothorax"),
        ("No acute, displaced fracture.", "", "fracture"),
        ("No opacity consistent with a fracture.", "", "opacity fracture"),
        ("No suspicious mass.", "", "mass"),
        ("CT without contrast shows an abscess.", "abscess", ""),
        ("Calcification of the basal ganglia.", "calcification", ""),
        ("Measurement points at the basal ganglia level.", "", ""),
        ("Axial CT of the chest.", "", ""),
        ("", "", ""),
    ],
)
def test_findings_are_named_with_their_negation(sentence: str, affirmed: str, negated: str) -> None:
    found = findings(sentence)
    assert found.affirmed == set(affirmed.split())
    assert found.negated == {name.replace("_", " ") for name in negated.split()}


@pytest.mark.parametrize(
    ("sentence", "doubted", "affirmed", "negated"),
    [
        ("Pneumonia cannot be excluded.", "pneumonia", "", ""),
        ("Cannot exclude pneumonia.", "pneumonia", "", ""),
        ("No effusion; fracture is not entirely excluded.", "fracture", "", "effusion"),
        ("Rule out pneumonia.", "pneumonia", "", ""),
        ("Possible pneumonia, no effusion.", "pneumonia", "", "effusion"),
        ("Pneumonia is unlikely.", "pneumonia", "", ""),
        ("Effusion with resolved pneumothorax.", "pneumothorax effusion", "", ""),
        ("Opacity that may represent pneumonia.", "pneumonia", "opacity", ""),
        ("The heart may be enlarged.", "cardiomegaly", "", ""),
        ("History of tuberculosis.", "tuberculosis", "", ""),
    ],
)
def test_what_is_doubted_is_neither_affirmed_nor_negated(
    sentence: str, doubted: str, affirmed: str, negated: str
) -> None:
    found = findings(sentence)
    assert found.doubted == set(doubted.split())
    assert (found.affirmed, found.negated) == (set(affirmed.split()), set(negated.split()))


def test_synonyms_share_a_name() -> None:
    for one, other in (
        ("opacity", "opacification"),
        ("enlarged heart", "cardiomegaly"),
        ("infarcts", "ischemic stroke"),
    ):
        assert findings(one).affirmed == findings(other).affirmed != set()


def test_a_report_is_normal_when_it_affirms_nothing() -> None:
    assert together([findings("Normal heart."), findings("No effusion.")]).normal
    assert not together([findings("Normal heart."), findings("Left effusion.")]).normal
    assert not together([findings("No effusion.")]).normal
    assert not together([findings("Normal heart."), findings("Possible effusion.")]).normal


def test_what_a_report_affirms_once_it_does_not_negate() -> None:
    report = together([findings("Left effusion."), findings("No right effusion.")])
    assert (report.affirmed, report.negated) == ({"effusion"}, set())


def test_every_wording_is_found_as_its_name() -> None:
    missed = {
        wording.strip()
        for name, wordings in FINDINGS.items()
        for wording in wordings.split(",")
        if name not in findings(wording).affirmed and name != ABNORMALITY
    }
    assert missed == set()


def test_random_texts_never_fail() -> None:
    chance = random.Random(0)
    letters = string.printable + "äéß気胸Ωж\u200b"
    words = [
        *letters,
        *(word for names in FINDINGS.values() for word in names.split(",")),
        "no",
        "not",
        "without",
        "normal",
    ]
    texts = ["".join(chance.choice(letters) for _ in range(chance.randrange(300))) for _ in range(200)]
    texts += [" ".join(chance.choice(words) for _ in range(chance.randrange(60))) for _ in range(200)]
    texts += ["mass " * 2000, "no " * 3000, "x" * 10_000, "(" * 10_000, "1.5 " * 2500]
    for text in texts:
        found = findings(text)
        assert not found.affirmed & found.negated
