"""What a DICOM header says of the kind of its image."""

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from engine.facts.from_header import HeaderValues, facts_of_header
from engine.image.picture import load_picture
from tests.engine.dicom_samples import derive, sample


def said(**values: object) -> dict[str, str]:
    facts = facts_of_header(HeaderValues(**values))  # type: ignore[arg-type]
    assert {fact.source for fact in facts.values()} <= {"header"}
    return {kind: fact.value for kind, fact in facts.items()}


@pytest.mark.parametrize(
    ("code", "modality"),
    [("CT", "CT"), ("DX", "CR"), ("RG", "CR"), ("PX", "CR"), ("IO", "CR"), ("RF", "XA"), ("XA", "XA"), ("XC", "ES")],
)
def test_modality_codes_of_one_family_are_merged(code: str, modality: str) -> None:
    assert said(modality=code)["modality"] == modality


def test_other_and_absent_modalities_are_read_from_the_descriptions() -> None:
    assert said(modality="OT", series="Röntgen Thorax")["modality"] == "CR"
    assert "modality" not in said(modality="OT", series="Screenshot")


@pytest.mark.parametrize(
    ("description", "region"),
    [
        ("HIP LT", "limb"),
        ("THORAX PA", "chest"),
        ("KOPF nativ", "head"),
        ("abdomen 3 phases", "abdomen"),
        ("LWS seitlich", "spine"),
        ("Kniegelenk re", "limb"),
        ("Genou gauche", "limb"),
        ("RACHIS CERVICAL", "spine"),
        ("Torace AP", "chest"),
        ("Columna lumbar", "spine"),
        ("t1sagknee", "limb"),
        ("Abdomen^Pelvis", "abdomen"),
        ("Head First Supine", None),
        ("C-ARM", None),
    ],
)
def test_descriptions_name_regions_in_several_languages(description: str, region: str | None) -> None:
    assert said(modality="CT", series=description).get("region") == region


@pytest.mark.parametrize(
    ("body_part", "region"),
    [("CSPINE", "spine"), ("HIP", "limb"), ("SKULL", "head"), ("ABDOMENPELVIS", "abdomen"), ("CHESTABDPELVIS", None)],
)
def test_body_part_examined_names_a_region(body_part: str, region: str | None) -> None:
    assert said(body_part=body_part).get("region") == region


def test_the_description_of_the_series_goes_before_a_body_part_left_at_its_default() -> None:
    assert said(modality="CT", body_part="CHEST", series="Leber portalvenös")["region"] == "abdomen"


def test_a_mammogram_is_of_the_breast_and_a_whole_body_has_no_region() -> None:
    assert said(modality="MG")["region"] == "breast"
    assert "region" not in said(modality="PT", series="PET WB", descriptions=("Thorax^1WB_PETCT",))


def test_sides_come_from_the_code_else_from_the_description() -> None:
    assert said(laterality="L", series="Knee right")["laterality"] == "left"
    assert said(body_part="KNEE", series="Knie re")["laterality"] == "right"
    assert said(body_part="KNEE", series="R KNEE")["laterality"] == "right"
    assert "laterality" not in said(series="L-SPINE")
    assert "laterality" not in said(modality="US", laterality="U")


@pytest.mark.parametrize(
    ("description", "side"),
    [
        ("Hand rechts", "right"),
        ("Rechte Hand", "right"),
        ("Rodilla derecha", "right"),
        ("Joelho direito", "right"),
        ("Hand links", "left"),
        ("Ginocchio DX", "right"),
        ("Ginocchio SX", "left"),
        ("Röntgen der Hand", None),
        ("TC RODILLA SIN CONTRASTE", None),
        ("DX WRIST 3 VIEWS", None),
        ("Knee 2 views D", None),
        ("Radio de l'épaule", None),
        ("Knee re-examination", None),
    ],
)
def test_sides_are_read_in_several_languages_and_in_no_other_word(description: str, side: str | None) -> None:
    assert said(series=description).get("laterality") == side


def test_views_of_radiographs_come_from_the_position_and_oblique_ones_are_none() -> None:
    assert said(modality="DX", view_position="PA")["view"] == "frontal"
    assert said(modality="CR", view_position="LL")["view"] == "lateral"
    assert said(modality="CR", view_position="AP", series="Cervical OBLI 1").get("view") is None
    assert said(modality="CR", series="Thorax seitlich")["view"] == "lateral"


def test_planes_come_from_the_direction_cosines_else_from_the_description() -> None:
    assert said(modality="MR", plane="sagittal", series="ax t2")["view"] == "sagittal"
    assert said(modality="MR", series="t2 cor")["view"] == "coronal"


@pytest.mark.parametrize(
    ("values", "contrast"),
    [
        ({"contrast_agent": "Omniscan"}, "with"),
        ({"contrast_agent": "NONE"}, None),
        ({"series": "Brain W/O"}, "without"),
        ({"series": "T1 post GD"}, "with"),
        ({"series": "AX T1 POST"}, "with"),
        ({"series": "POST COR T1"}, "with"),
        ({"series": "CT post op"}, None),
        ({"descriptions": ("Post trauma",)}, None),
        ({"series": "Kopf nativ", "contrast_agent": "Ultravist"}, "without"),
        ({"descriptions": ("MRI BRAIN W/WO CONTRAST",)}, None),
        ({"descriptions": ("CT, HEAD/BRAIN WO CONTRAST",)}, "without"),
    ],
)
def test_contrast_comes_from_the_agent_and_the_descriptions(values: dict[str, object], contrast: str | None) -> None:
    assert said(modality="CT", **values).get("contrast") == contrast


def test_contrast_of_a_radiograph_is_no_fact() -> None:
    assert "contrast" not in said(modality="CR", contrast_agent="Omniscan")


@pytest.mark.parametrize(("value", "scheme"), [("T-D1100", "SRT"), ("T-D1100", "SNM3"), ("69536005", "SCT")])
def test_a_coded_region_is_known_whatever_language_names_it(tmp_path: Path, value: str, scheme: str) -> None:
    region = Dataset()
    region.CodeValue, region.CodingSchemeDesignator, region.CodeMeaning = value, scheme, "Hoofd"
    derive(tmp_path / "one.dcm", "CT_small.dcm", AnatomicRegionSequence=[region], StudyDescription=None)
    assert load_picture(tmp_path / "one.dcm").facts["region"].value == "head"


def test_a_code_that_is_not_listed_counts_by_its_meaning(tmp_path: Path) -> None:
    region = Dataset()
    region.CodeValue, region.CodingSchemeDesignator, region.CodeMeaning = "17", "99LOCAL", "Left knee"
    derive(tmp_path / "one.dcm", "CT_small.dcm", AnatomicRegionSequence=[region])
    assert load_picture(tmp_path / "one.dcm").facts["region"].value == "limb"


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("CT_small.dcm", {"modality": "CT", "view": "axial", "contrast": "with"}),
        ("RG3_UNCR.dcm", {"modality": "CR", "region": "limb", "laterality": "right", "view": "frontal"}),
        ("MR2_UNCR.dcm", {"modality": "MR", "region": "limb", "view": "sagittal"}),
        ("eCT_Supplemental.dcm", {"modality": "CT", "region": "head", "view": "axial"}),
    ],
)
def test_a_picture_carries_the_facts_of_its_header(name: str, facts: dict[str, str]) -> None:
    assert {kind: fact.value for kind, fact in load_picture(sample(name)).facts.items()} == facts
