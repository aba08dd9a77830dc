"""Reduces a report to what its image shows, without patient and history. Knows no models."""

import re
from functools import lru_cache

from engine.text.sentences import sentences

AGE = r"\d{1,3}\s*-?\s*(?:years?|yrs?|months?|weeks?|days?|y\s*/?\s*o|yo)\b(?:\s*-?\s*(?:old|of age))?"
PERSON = r"(?:man|woman|male|female|boy|girl|patient|gentleman|lady|infant|child|neonate|newborn|m|f)"
# "of a 73-year-old male patient", "in this 4-year-old", "80 year old female with": a person, anywhere in the sentence.
WHO = re.compile(
    rf"(?:\b(?:in|of|from|on|for)\s+)?\b(?:(?:an?|the|this|our)\s+)?{AGE}\s*-?\s*(?:{PERSON}\b\s*)*(?:patient\b)?"
    rf"|\b(?:in|of|from)\s+(?:an?|the|this|our)\s+(?:elderly |young |adult |male |female |same )*patient\b"
    rf"|\bon the patient ?['’]s\b",
    re.IGNORECASE,
)
# Beginnings of words for complaints, clinical course and tests. "xxxx" is a redaction in the Indiana reports.
HISTORY_WORDS = (
    "history",
    "complain",
    "symptom",
    "fever",
    "febrile",
    "pyrexia",
    "cough",
    "dyspn",
    "anosmia",
    "hypoxi",
    "unresponsive",
    "pcr",
    "swab",
    "tested",
    "laborator",
    "oxygen",
    "po2",
    "spo2",
    "admission",
    "admitted",
    "hospital",
    "discharged",
    "emergency",
    "smoker",
    "comorbid",
    "diagnosed",
    "underwent",
    "travel",
    "therapy",
    "xxxx",
    "shortness of breath",
    "short of breath",
    "chest pain",
    "saturation of",
    "presented to",
    "presented with",
    "presents with",
    "presents to",
    "presenting with",
    "illness day",
    "treated with",
    "passed away",
    "day later",
    "days later",
    "days after",
    "days before",
    "days ago",
    "year old",
    "years old",
)
HISTORY = re.compile(
    rf"\b(?:{'|'.join(HISTORY_WORDS)})|\bday \d|{AGE}\s*-?\s*old|\b(?:male|female) patient\b|\b{PERSON}, \d",
    re.IGNORECASE,
)
# Panels and marks of a printed figure, which the image in the viewer does not have.
FIGURE = re.compile(
    r"\(\s*[a-f](?:\s*[,–-]\s*[a-f])*\s*\)|\([^()]*\b(?:arrows?|arrowheads?|asterisks?|circles?|stars?)\b[^()]*\)"
    r"|\(?\bfig(?:ure)?s?\b\.?\s*\d+\s?\w?\)?[.:]?|\bimaging notes:|\bdiscussion:|\bpresentation:",
    re.IGNORECASE,
)


@lru_cache(maxsize=50_000)
def mentions_history(text: str) -> bool:
    """Whether a text contains an age, a complaint, a clinical course or anything else that no image shows."""
    return HISTORY.search(text) is not None


def about_the_image(text: str) -> str:
    """The text without persons, figure marks and sentences about history; "" if nothing is left."""
    remaining = []
    for sentence in sentences(FIGURE.sub(" ", text)):
        shown = re.sub(r"\s+([.,;:])", r"\1", " ".join(WHO.sub(" ", sentence).split())).lstrip(" ,;:.-")
        shown = re.sub(r"\.{2,}$", ".", shown)
        if not mentions_history(shown) and len(re.findall(r"[a-z]{2,}", shown.lower())) >= 2:
            remaining.append(shown)
    return " ".join(remaining)
