"""What a report sentence tells that this picture cannot show: history, age, comparison, another kind of examination.

A sentence that a draft takes over from another patient's report must not bring that patient along. The rules err
towards leaving a sentence out. Knows no models; rules over words.
"""

import re

AGE = re.compile(
    r"\b\d{1,3}\s*-?\s*(?:years?|yrs?|months?|weeks?|days?|y)\s*-?\s*(?:/?\s*o(?:ld)?)\b|\b(?:aged?|at the age of) \d|"
    r"\b(?:year|month|week|day)s?[- ]old\b|\b\d{1,3}\s*(?:yo|y/o|y\.o\.)|"
    r"\b(?:man|woman|boy|girl|male|female),? \d{1,3}\b",
    re.IGNORECASE,
)
COMPARISON = re.compile(
    r"\b(?:compar(?:ed|ison|ing|ative)|prior|previous(?:ly)?|interval|new(?:ly)?|unchanged|no change|"
    r"stable (?:since|from|over)|"
    r"since the|again (?:seen|noted|demonstrated)|earlier (?:study|film|scan|examination|radiograph|image|ct|mri?)|"
    r"has (?:increased|decreased|improved|worsened|progressed|resolved)|have (?:increased|decreased|improved|worsened|"
    r"progressed|resolved)|(?:increasing|decreasing|worsening|improving|progressing)|follow[- ]?up|baseline|"
    r"\d+ (?:hours?|days?|weeks?|months?|years?) (?:later|after|before|ago|prior|post)|"
    r"(?:post|pre)[- ]?(?:op|operative|treatment|procedure)\w*|(?:before|after) (?:treatment|therapy|surgery|"
    r"chemotherapy|radiotherapy|embolization|intervention|the (?:procedure|operation|treatment)))\b",
    re.IGNORECASE,
)
HISTORY = re.compile(
    r"\b(?:history|complain\w*|symptom\w*|asymptomatic|fever|febrile|cough\w*|dyspn\w*|short(?:ness)? of breath|"
    r"chest pain|present(?:s|ed|ing|ation) (?:with|to|for)|who presented|admi(?:tted|ssion)|hospital\w*|discharged|"
    r"emergency|smok(?:er|ing)|diabet\w*|hypertensi(?:on|ve)|known (?:case|to have)|diagnos(?:ed|is)|underwent|"
    r"undergoing|treated|therapy|medication|tested|pcr|swab|biops\w*|biopsied|histolog\w*|patholog(?:y|ic(?:al)?ly)|"
    r"surg(?:ery|ical)\w*|laborator\w*|traveled|travelled|trauma|accident|fell|fall from|pregnan\w*|referred|"
    r"(?:the|this|our|same|a|an) (?:\w+ )?patient|patient['’]s|man|woman|boy|girl|gentleman|lady|mother|infant|"
    r"case (?:report|\d+)|participant|volunteer|subject)\b|\[(?:name|date|number|time|e-mail)\]",
    re.IGNORECASE,
)


def not_in_image(sentence: str) -> str | None:
    """ "age", "comparison" or "history" when the sentence tells such a thing; None when it may describe a picture."""
    for name, rule in (("age", AGE), ("comparison", COMPARISON), ("history", HISTORY)):
        if rule.search(sentence):
            return name
    return None


PROJECTION = r"radiographs?|x-?rays?|roentgenograms?|plain films?"
NAMES = {
    "CT": r"c\.?t\.?|hrct|cect|computed tomograph\w*|computerized tomograph\w*",
    "MR": r"mri?|mrcp|magnetic resonance|t[12]-?weighted|flair",
    "US": r"ultraso\w*|sonogra\w*|echocardiogra\w*|doppler|usg",
    "NM": r"scintigra\w*|bone scan|spect",
    "PT": r"pet|positron emission",
    **dict.fromkeys(("CR", "DX", "RG"), PROJECTION),
    "MG": r"mammogra\w*",
}


KINDS = {("CR" if words == PROJECTION else kind): words for kind, words in NAMES.items()}


def examinations(sentence: str) -> frozenset[str]:
    """The kinds of examination that a sentence names, as in (0008,0060); every projection radiograph is "CR"."""
    return frozenset(
        kind for kind, words in KINDS.items() if re.search(rf"\b(?:{words})(?!\w)", sentence, re.IGNORECASE)
    )


def other_examination(sentence: str, modality: str) -> bool:
    """Whether a sentence names another kind of examination than that of the picture (0008,0060), and not its own."""
    own = "CR" if NAMES.get(modality.upper()) == PROJECTION else modality.upper()
    named = examinations(sentence)
    return own in KINDS and bool(named) and own not in named
