"""What a pair shows, as far as its columns and words say: kind of examination, part of the body, findings.

The truth that training/metrics measures against. Knows no images and no models.
"""

from collections.abc import Mapping

from engine.facts.fact import MODALITIES
from engine.facts.from_words import modality_named, region_named
from training.data.pairs import Pair

MERGED = {"DX": "CR", "RG": "CR", "PX": "CR", "IO": "CR", "RF": "XA"}
"""Codes that stand for another in `engine.facts`."""
REGION_OF_LOCATION = {
    "brain and neuro": "head",
    "eye and orbit": "head",
    "ophthalmology": "head",
    "skull and contents": "head",
    "chest, pulmonary": "chest",
    "cardiovascular": "chest",
    "lung, mediastinum, pleura": "chest",
    "heart and great vessels": "chest",
    "abdomen": "abdomen",
    "gastrointestinal": "abdomen",
    "spine": "spine",
    "spine and contents": "spine",
    "breast": "breast",
    "breast and mammography": "breast",
}
"""MedPix and VQA-Med: the organ systems that lie in one region; those that do not ("Musculoskeletal", "Genitourinary",
"Head and Neck", "Vascular") are left to the words."""
REGION_OF_SOURCE = {
    "IU X-ray": "chest",
    "covid-chestxray": "chest",
    "COVID-CT": "chest",
    "POCUS-covid19_ultrasound": "chest",
    "BrEaST-Lesions-USG": "breast",
}
"""Sources of one region only, by how the name of the source begins."""
SOURCE_WITH_MESH = "IU X-ray"
"""The source whose findings are MeSH terms; elsewhere `finding` is a diagnosis in free words."""
NORMAL = "normal"
NO_FINDING = frozenset({"No Indexing", "Technical Quality of Image Unsatisfactory", ""})
"""Headings that say nothing about the patient."""


def of(row: Pair) -> Mapping[str, str]:
    """`modality` and `region` of a pair, "" where neither its columns nor its words say."""
    code = row.values.get("modality", "")
    modality = MERGED.get(code, code) or modality_named(row.text) or ""
    return {"modality": modality if modality in MODALITIES else "", "region": region(row)}


def region(row: Pair) -> str:
    """By the source, else by the organ system, else by the words of the text."""
    for source, value in REGION_OF_SOURCE.items():
        if row.values.get("source", "").startswith(source):
            return value
    return REGION_OF_LOCATION.get(row.values.get("location", "").lower()) or region_named(row.text) or ""


def findings(row: Pair) -> frozenset[str]:
    """The main headings of the MeSH terms of a pair, NORMAL being one of them; empty where there are no MeSH terms.

    "Opacity/lung/base/left; Cardiomegaly/mild" has Opacity and Cardiomegaly.
    """
    if not row.values.get("source", "").startswith(SOURCE_WITH_MESH):
        return frozenset()
    headings = {term.split("/")[0].strip() for term in row.values.get("finding", "").split(";")}
    return frozenset(headings) - NO_FINDING
