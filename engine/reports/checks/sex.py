"""Checks the sex of the patient against the organs and the words for a person in the text. Rules over words."""

import re
from collections.abc import Iterable, Sequence

from engine.reports.checks.check import Check, Known, Line

FEMALE = re.compile(
    r"\b(?:uter(?:us|ine|i)|endometri\w+|myometri\w+|ovar(?:y|ies|ian)|adnexa\w*|fallopian|vagina\w*|vulva\w*|"
    r"cervix uteri|uterine cervix|parametri\w+|fibroids?|leiomyoma uteri|pregnan\w+|gestation\w*|fetus|fetal|"
    r"hysterectomy|iud|intrauterine)\b",
    re.IGNORECASE,
)
MALE = re.compile(
    r"\b(?:prostat\w+|seminal vesicles?|testis|testes|testic(?:le|les|ular)|scrot(?:um|al)|epididym\w+|penis|penile|"
    r"spermatic cords?|varicocele|hydrocele|vas deferens)\b",
    re.IGNORECASE,
)
MAN = re.compile(r"\b(?:year|yr|month)s?[- ]?(?:old|o) (?:\w+ )?(male|man|boy|gentleman)\b|\b(male) patient\b", re.I)
WOMAN = re.compile(
    r"\b(?:year|yr|month)s?[- ]?(?:old|o) (?:\w+ )?(female|woman|girl|lady)\b|\b(female) patient\b", re.IGNORECASE
)
NAMES = {"M": "male", "F": "female"}
WRONG = {"M": (FEMALE, WOMAN), "F": (MALE, MAN)}


def sex_checks(lines: Sequence[Line], known: Known) -> Iterable[Check]:
    """Organs that a patient of this sex does not have, and a person called the other sex; the first of each line."""
    for line in lines:
        for pattern in WRONG.get(known.sex, ()):
            found = pattern.search(line.text)
            if found is not None:
                word = next(filter(None, found.groups()), found.group()).lower()
                yield Check("sex", line.span_of(found), f'The text says "{word}", the header "{NAMES[known.sex]}".')
                break
