"""Recognises report sentences about what an image cannot show: history, age, comparison, another examination.

Text copied from another patient's report must not contain that patient's history and sizes, nor what belongs to a
publication: citations, and marks drawn on a figure. The rules, over words only, err towards leaving a sentence out.
Does not know models.
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
    r"case (?:report|\d+)|participant|volunteer|subject)\b|\[(?:name|date|number|time|e-mail|address|hospital)\]",
    re.IGNORECASE,
)
MEASUREMENT = re.compile(
    r"\b\d+(?:[.,]\d+)?\s*-?\s*(?:mm|cm|ml|cc|hu|sec|ms|kg|mg|degrees?|percent|x\s*\d|by\s*\d)\b|\d\s*[%°×]",
    re.IGNORECASE,
)
CITATION = re.compile(
    r"\bet al\b|\b(?:doi|courtesy|reprinted|reproduced|adapted|permission|copyright|licen[cs]ed?|creative commons|"
    r"attribution|https?|www|published|journal|references?|radiopaedia|available (?:at|from))\b|©|"
    r"\[\s*\d+(?:\s*[-–,;]\s*\d+)*\s*\]|"
    r"\b(?:19|20)\d\d[;:]\s*\d|\((?:19|20)\d\d\)",
    re.IGNORECASE,
)
FIGURE = re.compile(
    r"\b(?:arrow(?:head)?s?|asterisks?|stars?|calipers?|insets?|panels?|fig(?:s|ures?)?|dotted|dashed|outlined|"
    r"(?:red|yellow|blue|green|white|black|orange) (?:line|box|circle|square|star|dot|triangle|cross)\w*)\b|"
    r"(?:^|\s)\(?[a-hA-H]\)|^[a-hA-H][,:]\s",
    re.IGNORECASE,
)
MARKS = re.compile(
    r"\s*[(\[](?:[^()\[\]]*\b(?:arrow(?:head)?s?|asterisks?|stars?|circles?|fig(?:s|ures?)?\.?|panels?|insets?)\b[^()\[\]]*|"
    r"[*→↑↓←\s]+|[a-hA-H](?:\s*[-–,&]\s*[a-hA-H])*)[)\]]",
    re.IGNORECASE,
)
"""Marks of a figure in brackets: "(arrow)", "(white arrows in Fig. 2)", "(A)", "(*)"."""
RULES = (
    ("age", AGE),
    ("comparison", COMPARISON),
    ("history", HISTORY),
    ("citation", CITATION),
    ("figure", FIGURE),
    ("measurement", MEASUREMENT),
)


def not_in_image(sentence: str) -> str | None:
    """What a sentence is about that an image cannot show, a name of RULES, else None."""
    return next((name for name, rule in RULES if rule.search(sentence)), None)


def without_marks(sentence: str) -> str:
    """A sentence without the marks of a figure that it names in brackets."""
    return MARKS.sub("", sentence).strip()


PROJECTION = r"radiographs?|x-?rays?|roentgenograms?|plain films?"
MODALITY_TERMS = {
    "CT": r"c\.?t\.?|hrct|cect|computed tomograph\w*|computerized tomograph\w*",
    "MR": r"mri?|mrcp|magnetic resonance|t[12]-?weighted|flair",
    "US": r"ultraso\w*|sonogra\w*|echocardiogra\w*|doppler|usg",
    "NM": r"scintigra\w*|bone scan|spect",
    "PT": r"pet|positron emission",
    **dict.fromkeys(("CR", "DX", "RG"), PROJECTION),
    "MG": r"mammogra\w*",
}


EXAMINATION_TERMS = {("CR" if terms == PROJECTION else kind): terms for kind, terms in MODALITY_TERMS.items()}


def examinations(sentence: str) -> frozenset[str]:
    """The modalities (0008,0060) that a sentence names; every projection radiograph is "CR"."""
    return frozenset(
        kind for kind, terms in EXAMINATION_TERMS.items() if re.search(rf"\b(?:{terms})(?!\w)", sentence, re.IGNORECASE)
    )


def other_examination(sentence: str, modality: str) -> bool:
    """Whether a sentence names other modalities but not that of the image (0008,0060)."""
    own = "CR" if MODALITY_TERMS.get(modality.upper()) == PROJECTION else modality.upper()
    named = examinations(sentence)
    return own in EXAMINATION_TERMS and bool(named) and own not in named
