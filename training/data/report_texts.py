"""The wordings that a pair is trained on: its text without redaction marks, and further lines on its case.

Knows the columns of manifests and the habits of their sources; no networks. Stored data are never changed.
"""

import html
import re
from collections.abc import Mapping

MARK = "XXXX"
"""What the de-identification of IU X-ray puts in place of a name, a date or a word that it took for one."""
WORDS = {
    "CR": "Radiograph",
    "DX": "Radiograph",
    "MR": "MRI",
    "US": "Ultrasound",
    "XA": "Angiography",
    "RF": "Fluoroscopy",
    "MG": "Mammogram",
    "NM": "Scintigraphy",
}
"""How a reader would name a modality; others keep their code."""
EMPTY = {"todo", "no indexing", "unknown", "none", "n/a", "?", "left blank", "generalized"}
"""What stands in a column of labels although nothing is known."""
PLACES = "covid-chestxray"
"""Start of the name of a source whose column `location` is a hospital or a country."""
UNRELIABLE_VIEWS = {"pa", "ap", "ap supine", "?"}
"""In IU X-ray half of all lateral films are labelled PA; a view of another name can be believed."""


def without_redactions(text: str) -> str:
    """The text without the marks of de-identification; unchanged if nothing else is left of it."""
    if MARK not in text and "&" not in text:
        return text
    found = html.unescape(text)
    found = re.sub(rf"\b([xX])-{MARK}", r"\1-ray", found)
    found = re.sub(rf"{MARK}-[aA]-{MARK}", MARK, found)
    found = re.sub(rf"[-/<]*(?:\d+/)*\w*{MARK}\w*(?:'\w+)?[-/>]*", " ", found)
    found = re.sub(r"\(\s*\)|[<>]|\[\s*|\s*\]", " ", found)
    found = re.sub(r"\s+([.,;:)])", r"\1", found)
    found = re.sub(r"[,;:](?=[.,;:])|(?<=[.])[.,;:]+", "", found)
    found = " ".join(found.split()).lstrip(".,;: ")
    return found or text


def case_texts(values: Mapping[str, str]) -> list[str]:
    """Further texts on the case of a pair: its findings, and one line composed of its labels.

    There is no line if only modality and view are known, since it would be the same for thousands of pairs.

    Args:
        values: the columns of the pair besides its text.
    """
    findings = without_redactions(" ".join(values.get("case_findings", "").split()))
    modality, view, location = (label(values.get(name, "")) for name in ("modality", "view", "location"))
    if values.get("source", "").startswith(PLACES):
        location = ""
    labels = [WORDS.get(modality, modality), "" if view.lower() in UNRELIABLE_VIEWS else view, location]
    diagnosis = terms(values.get("case_diagnosis") or values.get("finding", ""))
    line = f"{' '.join(filter(None, labels))}. {diagnosis}".strip() if diagnosis or location else ""
    return [text for text in (findings, line) if len(text) > 3]


def label(value: str) -> str:
    """The value of a column of labels, "" if it says that nothing is known."""
    return "" if value.strip().lower() in EMPTY else value.strip()


def terms(value: str) -> str:
    """Findings in words: "Opacity/lung/base; Cardiomegaly/mild" -> "Opacity lung base; Cardiomegaly mild"."""
    parts = [" ".join(label(part).replace("/", " ").split()) for part in re.split(r"[;|]", value)]
    return "; ".join(part for part in parts if part)
