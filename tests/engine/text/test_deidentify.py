"""De-identification removes identifiers and keeps measurements."""

import pytest

from engine.text.deidentify import clean
from engine.text.hashed_names import spellings
from engine.text.known_names import institution


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Seen by Dr. John A. Smith today.", "Seen by Dr. [name] today."),
        ("Reported by: Mary Jones", "Reported by: [name]"),
        ("Patient: Jane Doe, 45-year-old.", "Patient: [name], 45-year-old."),
        ("Electronically signed by Mary O'Neil MD", "Electronically signed by [name] MD"),
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


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("MUELLER und Mueller und Müllers Befund.", "Müller^Jürgen", "[name] und [name] und [name] Befund."),
        ("Muller, JURGEN; Ｍüller.", "MUELLER^JUERGEN", "[name]; [name]."),
        ("Jean Luc Lefèvre, lefevre, Le\u00adfèvre.", "LEFEVRE^JEAN-LUC", "[name], [name], [name]."),
        ("Seen by O\u2019Neil and Oneil.", "O'Neil^Mary", "Seen by [name] and [name]."),
        ("Пациентка Иванова, у Ивановой.", "Ivanova^Anna=Иванова^Анна", "Пациентка [name], у [name]."),
        ("المريض ومحمد بخير", "محمد^علي", "المريض [name] بخير"),
        ("CT_THORAX_SMITH_2", "Smith^John", "CT_THORAX_[name]_2"),
        ("White matter of Mrs. White; White, Mary.", "White^Mary", "[name] matter of Mrs. [name]; [name]."),
        ("white matter and grey matter.", "White^Mary", "white matter and grey matter."),
        ("Ward of Springfield; chest clinic.", "Springfield Chest Hospital", "Ward of [name]; chest clinic."),
    ],
)
def test_a_known_name_is_found_however_it_is_written(text: str, name: str, expected: str) -> None:
    assert clean(text, [name]).text == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Befundet von Dr. med. Anke Schönfeld am 3. März 2021.", "Befundet von Dr. med. [name] am [date]."),
        ("Frau Weiß, Lindenstraße 14, 53111 Musterstadt.", "Frau [name], [address]."),
        ("Besprochen mit Schönfeld, Tel. 0228 / 287-15871.", "Besprochen mit [name], Tel. [number]."),
        ("Validé par le Pr Lefèvre, CHU de Saint-Étienne.", "Validé par le Pr [name], [hospital]."),
        ("M. Benali, né le 12 mars 1961, tél. 04 72 11 73 13", "M. [name], né le [date], tél. [number]"),
        ("Informado por Ibáñez el 3 de mayo de 2021.", "Informado por [name] el [date]."),
        ("Sra. Núñez, Calle Mayor 23, 41001 Sevilla; DNI 12345678Z", "Sra. [name], [address]; DNI [number]"),
        ("Referto della Dott.ssa D'Angelo, Ospedale San Giovanni.", "Referto della Dott.ssa [name], [hospital]."),
        ("Giuseppe Rossi, CF RSSMRA85M01H501Z, int. 331", "[name], CF [number], int. [number]"),
        ("Harrington, John called from Lakeside Clinic.", "[name] called from [hospital]."),
        ("Mr. O'Neill, 12 Elm Street, Springfield 62704.", "Mr. [name], [address]."),
    ],
)
def test_identifiers_are_replaced_in_five_languages(text: str, expected: str) -> None:
    assert clean(text).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "Bekannter M. Crohn, Z. n. Whipple, Baker-Zyste, Frau mit Mammakarzinom; der Patient zeigt keinen Erguss.",
        "Maladie de Hodgkin, nodules de Schmorl, angle de Cobb ; M. Parkinson connue ; le patient ne tousse pas.",
        "Enfermedad de Crohn, quiste de Baker, saco de Douglas; la señora no refiere dolor.",
        "Morbo di Paget, via biliare di 6 mm, legamento di Treitz; il signore nega febbre.",
        "Hodgkin lymphoma, Kerley B lines, Morton neuroma, Hounsfield units, Schmorl nodes, Monte Carlo.",
        "Head^Routine, Thorax^Abdomen and Knee^Left are protocols.",
        "TR/TE 12000/85, 1000-1200 HU, 2.5 x 3.1 mm, 12:00 position, case 12, C3 to C6, 2010-2015.",
    ],
)
def test_eponyms_and_figures_are_kept(text: str) -> None:
    assert clean(text).text == text


def test_removed_identifiers_are_counted() -> None:
    assert clean("On 2020-01-02 and 2020-01-03.").removed == 2


@pytest.mark.parametrize(
    "text",
    [
        "Extracapsular extension 12 mm.",
        "A mobile 25 mm mass, a mobile 3.5 cm lipoma.",
        "DW 1000 images, ext 40 degrees.",
        "Knee 3 Standing Views.",
        "1 Right Chest Port in place.",
        "5 Posterior Chest Wall nodules.",
    ],
)
def test_measures_and_views_are_no_numbers_and_no_addresses(text: str) -> None:
    assert clean(text).text == text


@pytest.mark.parametrize(
    ("text", "name", "kept"),
    [
        ("MRI of the knee, compared with the MRI of 2019.", "MRI", True),
        ("Cardiology asked for a CT chest.", "Cardiology", True),
        ("Neuro MRI: the main artery, and Chest CT.", "Neuro MRI / Chest CT", True),
        ("Main pulmonary artery; a mobile mass.", "Main Campus Mobile MRI", True),
        ("Die Kardiologie bat um ein MRT.", "Abt. Kardiologie MRT", True),
        ("Transferred from UKE.", "UKE", False),
        ("Scanned in Neuheim.", "Neuheim MRI", False),
        ("Hospital number H-4711.", "H-4711", False),
        ("北京协和医院的右肺炎。", "北京协和医院", False),
    ],
)
def test_clinical_words_of_an_institution_are_kept_and_its_name_is_removed(text: str, name: str, kept: bool) -> None:
    assert ("[name]" not in clean(text, [institution(name)]).text) == kept


def test_an_operator_who_signs_in_as_the_scanner_removes_no_word() -> None:
    assert clean("MRI of the knee.", ["MRI^Tech"]).text == "MRI of the knee."


@pytest.mark.parametrize("word", ["Fall", "Head"])
def test_a_patient_whose_name_is_a_clinical_word_is_removed_where_it_is_capitalized(word: str) -> None:
    assert clean(f"Mrs. {word} came.", [f"{word}^Anna"]).text == "Mrs. [name] came."


@pytest.mark.parametrize(
    "text",
    [
        "No effusion since fall 2019, stable.",
        "Fall 2019: no effusion.",
        "Compared with the exam 2019 and the study 2021.",
        "Sturz im Herbst 2019, keine Fraktur; Untersuchung mit der Aufnahme von 2021 verglichen.",
    ],
)
def test_a_year_after_a_season_or_an_examination_is_kept(text: str) -> None:
    assert clean(text).text == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Der Patient ist stabil, siehe Fall 2019.", "Der Patient ist stabil, siehe Fall [number]."),
        ("Fall-Nr. 2019, kein Erguss.", "Fall-Nr. [number], kein Erguss."),
        ("The exam no 2019 and case #2019.", "The exam no [number] and case #[number]."),
        ("No effusion, case 20191.", "No effusion, case [number]."),
    ],
)
def test_a_case_number_that_looks_like_a_year_is_removed(text: str, expected: str) -> None:
    assert clean(text).text == expected


@pytest.mark.parametrize("name", ["----", "...", "***", "-^.", "/"])
def test_a_name_without_letters_and_digits_changes_no_text(name: str) -> None:
    text = "Seen by Dr. [name]. No nodule (5 mm). - See above."
    assert clean(text, (name,)).text == text
    assert spellings((name,)) == frozenset()
