"""De-identification removes identifiers and keeps measurements."""

import pytest

from engine.text.deidentify import clean


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Seen by Dr. John A. Smith today.", "Seen by Dr. [name] today."),
        ("Reported by: Mary Jones", "Reported by: [name]"),
        ("Patient: Jane Doe, 45-year-old.", "Patient: [name], 45-year-old."),
        ("Electronically signed by Mary O'Neil MD", "Electronically signed by [name]"),
        ("SMITH^ANNA was imaged.", "[name] was imaged."),
        ("Compared with 12/03/2019 and 2020-01-02.", "Compared with [date] and [date]."),
        ("CT of March 3, 2020 and 4 July 2021.", "CT of [date] and [date]."),
        ("Comparison: CT 5/6/18 at 14:35.", "Comparison: CT [date] at [time]."),
        ("MRN: 1234, Accession #A12-34", "MRN: [number], Accession #[number]"),
        ("Phone 555-123-4567, mail a.b@c.org.", "Phone [number], mail [e-mail]."),
        ("Record 12345678 of the ward.", "Record [number] of the ward."),
        ("UID 1.2.840.113619.2.55.3", "UID [number]"),
    ],
)
def test_identifiers_are_replaced(text: str, expected: str) -> None:
    assert clean(text).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "A 3 cm mass, 2.5 x 3.1 x 4 mm, at L4-L5 and T12, bright on T2.",
        "MR Angiography shows a grade 3/5 stenosis of 70-80 %, SUV 5.2, -600 HU.",
        "BI-RADS 4b at 10-12 o'clock, COVID-19 on day 10.",
        "The lesion may 12 mm from the hilum; 1/2 of the vertebra; segments 5/6/7.5.",
        "A 45-year-old man. Patient shows no effusion. Baker's cyst.",
        "b 1000 s/mm2, TE 85.5 ms, TR 12000 ms, 1.5 T.",
    ],
)
def test_measurements_levels_and_sequences_are_kept(text: str) -> None:
    assert clean(text).text == text
    assert clean(text).removed == 0


def test_known_identifiers_are_removed_wherever_they_occur() -> None:
    cleaned = clean("Mrs DOE came; jane (ID ZX77) has a doe-like gaze. Al is short.", ["Doe^Jane^Al", "ZX77"])
    assert "doe" not in cleaned.text.lower()
    assert "jane" not in cleaned.text.lower()
    assert "ZX77" not in cleaned.text
    assert "Al is short." in cleaned.text


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("Befund von Mu\u0308ller: kein Erguss.", "M\u00fcller^J\u00fcrgen", "Befund von [name]: kein Erguss."),
        ("Befund von M\u00fcller: kein Erguss.", "Mu\u0308ller^Ju\u0308rgen", "Befund von [name]: kein Erguss."),
        ("患者王小明，右肺炎。", "Wang^Xiaoming=王^小明", "患者[name]，右肺炎。"),
        ("小明的右肺炎。", "Wang^Xiaoming=王^小明", "[name]的右肺炎。"),
        ("김희중님은 정상.", "=김희중", "[name]님은 정상."),
        ("Li Wei has no effusion. LI, WEI. Wei.", "Li^Wei", "[name] has no effusion. [name]. [name]."),
        ("Xu Bo is well; Bo, Xu.", "Xu^Bo", "[name] is well; [name]."),
        ("Al is short, bo too.", "Al^Bo^X", "Al is short, bo too."),
    ],
)
def test_a_known_name_is_removed_in_any_script_and_unicode_form(text: str, name: str, expected: str) -> None:
    assert clean(text, [name]).text == expected


def test_removed_identifiers_are_counted() -> None:
    assert clean("On 2020-01-02 and 2020-01-03.").removed == 2
