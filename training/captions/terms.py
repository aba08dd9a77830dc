"""Finds the clinical terms of a text, each affirmed or negated. Knows no models and no scores.

Terms: the pathology, finding and anatomy concepts of radiology-semantic-dict (MIT) with their synonyms, and the head
words below, which reports use and the dictionary has only inside longer names. Negation: negspacy (MIT), the NegEx
algorithm of Chapman et al. 2001 (doi:10.1006/jbin.2001.1029) on a blank English spaCy pipeline; nothing is downloaded.
Modality and sequence names do not count as terms: "CT" is easy to get right and says nothing about the patient.
"""

import json
import re
from functools import cache, lru_cache
from typing import Any

Term = tuple[str, bool]
"""A term in its head form, and whether it is negated."""

HEADS = {
    head: words.split()
    for head, words in {
        "consolidation": "consolidation consolidative consolidated",
        "opacity": "opacity opacification opacified",
        "infiltrate": "infiltrate infiltration infiltrative",
        "nodule": "nodule nodular nodularity",
        "thickening": "thickening thickened",
        "enhancement": "enhancement enhancing enhance",
        "dilatation": "dilatation dilation dilated",
        "enlargement": "enlargement enlarged",
        "effusion": "effusion",
        "calcification": "calcification calcified",
        "cyst": "cyst cystic",
        "edema": "edema oedema edematous",
        "fracture": "fracture fractured",
        "hemorrhage": "hemorrhage haemorrhage hemorrhagic bleed bleeding",
        "necrosis": "necrosis necrotic",
        "collection": "collection",
        "stranding": "stranding",
        "collapse": "collapse",
        "hyperintensity": "hyperintensity hyperintense",
        "hypointensity": "hypointensity hypointense",
        "hypodensity": "hypodensity hypodense hypoattenuating",
        "hyperdensity": "hyperdensity hyperdense",
        "metastasis": "metastasis metastatic metastase",
        "infarction": "infarction infarct infarcted",
        "herniation": "herniation hernia herniated",
        "atrophy": "atrophy atrophic",
        "stenosis": "stenosis stenotic",
        "cardiomegaly": "cardiomegaly",
        "lung": "lung pulmonary",
        "liver": "liver hepatic",
        "spleen": "spleen splenic",
        "kidney": "kidney renal",
        "pancreas": "pancreas pancreatic",
        "heart": "heart cardiac",
        "aorta": "aorta aortic",
        "brain": "brain cerebral",
        "cerebellum": "cerebellum cerebellar",
        "ventricle": "ventricle ventricular",
        "spine": "spine spinal vertebra vertebral",
        "bladder": "bladder",
        "uterus": "uterus uterine",
        "ovary": "ovary ovarian",
        "prostate": "prostate prostatic",
        "bowel": "bowel colon colonic",
        "femur": "femur",
        "thyroid": "thyroid",
        "breast": "breast",
        "mediastinum": "mediastinum mediastinal",
        "pleura": "pleura pleural",
        "knee": "knee",
        "hip": "hip",
        "orbit": "orbit orbital",
        "sinus": "sinus",
        "appendix": "appendix",
        "gallbladder": "gallbladder",
        "stomach": "stomach gastric",
        "adrenal": "adrenal",
        "pelvis": "pelvis pelvic",
    }.items()
}
# Complaints and history, which no image shows, and dictionary words that are not terms on their own.
EXCLUDED = {
    "fever",
    "cough",
    "pain",
    "dyspnea",
    "seizure",
    "hypertension",
    "diabete",
    "asthma",
    "smoking",
    "trauma",
    "weakness",
    "nausea",
    "vomiting",
    "headache",
    "displacement",
    "expansion",
    "artifact",
    "bone",
    "immunodeficiency",
    "infection",
    "arrhythmia",
    "activity",
    "normal",
}
FOLLOWING = ["is absent", "are absent", "absent", "is not", "are not", "not seen", "has resolved", "have resolved"]
DYES = ("contrast", "iv contrast", "intravenous contrast", "administration", "the administration", "gadolinium")
PSEUDO = [*(f"without {dye}" for dye in DYES), "cannot exclude", "cannot be excluded", "no contrast", "non contrast"]
TERMINATION = [
    ";",
    "demonstrate",
    "demonstrates",
    "show",
    "shows",
    "reveal",
    "reveals",
    "there is",
    "there are",
    "with",
]
_KEPT_S = ("ss", "us", "is", "as")


def singular(word: str) -> str:
    """A word in the singular, by its ending (opacities, masses, lesions); other forms are returned unchanged."""
    if len(word) < 4 or word.endswith(_KEPT_S) or word in ("does", "shows", "reveals", "demonstrates", "signs"):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word.removesuffix("s")


def plain(text: str) -> str:
    """Lower case, singular, without punctuation except the ends of sentences and clauses: "x - ray" equals "x-ray"."""
    return " ".join(singular(word) for word in re.findall(r"[a-z0-9]+|[.;]", text.lower()))


@cache
def vocabulary() -> dict[str, str]:
    """Plain form of every term -> its head form."""
    from radiology_semantic import SemanticRadDict

    found: dict[str, str] = {}
    folder = SemanticRadDict().data_dir
    for concept in json.loads((folder / "medical_concepts.json").read_text(encoding="utf-8")):
        if concept.get("concept_type") in ("pathology", "finding", "anatomy"):
            for name in (concept["name"], *(concept.get("synonyms") or ())):
                term = plain(re.sub(r"\(.*?\)", " ", name)).replace(" .", "").strip()
                # Names of up to three letters are abbreviations with too many meanings.
                if (" " in term or len(term) > 3) and term not in EXCLUDED:
                    found[term] = term
    for head, words in HEADS.items():
        found.update({singular(word): head for word in words})
    return found


@cache
def _pipeline() -> Any:
    import spacy
    from negspacy.negation import Negex  # registers the component
    from negspacy.termsets import termset

    make_rules: Any = termset  # the package has no types
    rules = make_rules("en_clinical")
    rules.add_patterns(
        {
            "following_negations": FOLLOWING,
            "pseudo_negations": PSEUDO,
            "termination": TERMINATION,
            "preceding_negations": ["clear of", "absence of"],
        }
    )
    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer", config={"punct_chars": ["."]})
    ruler: Any = pipeline.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "TERM", "pattern": term} for term in vocabulary()])
    assert Negex is not None
    pipeline.add_pipe("negex", config={"neg_termset": rules.get_patterns()})
    return pipeline


@lru_cache(maxsize=50_000)
def terms(text: str) -> frozenset[Term]:
    """The terms of a text. A longer term also counts as the shorter ones inside it, with the same negation.

    So "no pleural effusion" shares {effusion, negated} with "no effusion" and nothing with "effusion".
    """
    known, found = vocabulary(), set()
    for entity in _pipeline()(plain(text)).ents:
        words = entity.text.split()
        for first in range(len(words)):
            for last in range(first + 1, len(words) + 1):
                head = known.get(" ".join(words[first:last]))
                if head is not None:
                    found.add((head, bool(entity._.negex)))
    return frozenset(found)
