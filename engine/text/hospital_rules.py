"""Finds names of hospitals by the words for one, in five languages. Knows no persons.

A name stands before its word in English ("Lakeside Clinic"), after it in the other languages ("CHU de Lyon"), or
hyphenated with it in German ("St.-Josef-Krankenhaus").
"""

import re
from collections.abc import Iterator

from engine.text.name_words import EPONYMS, NOT_NAMES, flat

CAPITAL = r"(?>(?:St|Sta|Sto|Apt|Dr|Av|Str|[A-Z])\.|[A-ZÀ-ÖØ-ÞŠŽŁ][\w'’-]{1,30}+|[dDlL]['’][A-ZÀ-ÖØ-Þ][\w-]{1,30}+)"
"""A capitalized word, or a short abbreviation of one."""
_HOSPITAL = (
    r"(?i:hospital(?: (?:general|universitario|clínico|clinico|comarcal|regional|materno|infantil|central|"
    r"militar)){0,3}|clinic|infirmary|"
    r"(?:medical|health|imaging|cancer|radiology) cent(?:er|re)|klinikum|universitätsklinikum|universitätsspital|"
    r"kantonsspital|spital|"
    r"krankenhaus|kreiskrankenhaus|kreisklinik|landeskrankenhaus|landesklinikum|klinik|fachklinik|uniklinik|radiologie|"
    r"praxis|mvz|"
    r"chu|chru|hôpital|hopital|clinique|polyclinique|centre hospitalier(?: universitaire| régional)?|institut|clínica|"
    r"clinica|"
    r"centro de salud|centro médico|sanatorio|ospedale(?: civile| maggiore| generale)?|policlinico|azienda ospedaliera|"
    r"casa di cura|"
    r"poliambulatorio|istituto|presidio ospedaliero|asl|ausl|irccs)"
)
_SMALL = (
    r"(?:of |de la |de los |de las |de |des |du |d['’]|del |della |delle |di |da |la |le |les |el |am |an der |im |in |"
    r"für |zum |zur |St\. |S\. )"
)
_PLACE_AFTER = re.compile(
    rf"(?<![\w-])(?P<kind>{_HOSPITAL}) (?P<name>{_SMALL}{{0,2}}{CAPITAL}(?: {_SMALL}{{0,2}}{CAPITAL}){{0,3}})"
)
_PLACE_BEFORE = re.compile(
    rf"(?<![\w-])(?P<name>(?:{CAPITAL} (?:of |the |and )?){{1,4}}?)(?:(?:General|Memorial|University|Community|County|"
    rf"Regional|National) ){{0,2}}"
    r"(?:Hospital|Clinic|Infirmary|(?:Medical|Health|Imaging|Cancer) Cent(?:er|"
    r"re))(?: of (?P<city>[A-Z][\w-]{1,30}+))?\b"
)
_PLACE_HYPHEN = re.compile(
    r"(?<![\w.-])(?:[A-ZÄÖÜ][\wäöüß]{1,30}+\.?-){1,3}(?:Krankenhaus|Klinikum|Klinik|Spital|Hospital|Stift)\b"
    r"|(?<![\w.-])(?:St|Sankt)\.?[ -][A-ZÄÖÜ][\wäöüß]{1,30}+-(?:Krankenhaus|Klinikum|Klinik|Spital|Hospital|Stift)\b"
)


_PART_OF_CITY = frozenset(("new", "old", "upper", "lower", "north", "south", "east", "west", "port", "st", "san"))


def remove_hospitals(text: str) -> tuple[str, int]:
    """The text without names of hospitals, and how many were removed."""
    return replace_spans(text, _places(text), "[hospital]")


def replace_spans(text: str, spans: Iterator[tuple[int, int]], placeholder: str) -> tuple[str, int]:
    """The text with a placeholder for each span [start, end), overlapping ones as one, and how many were replaced."""
    parts, end, count = [], 0, 0
    for start, stop in sorted(spans):
        if start >= end:
            parts += [text[end:start], placeholder]
            end, count = stop, count + 1
        elif stop > end:
            end = stop
    return "".join([*parts, text[end:]]), count


def _places(text: str) -> Iterator[tuple[int, int]]:
    yield from (match.span() for match in _PLACE_HYPHEN.finditer(text))
    for match in _PLACE_BEFORE.finditer(text):
        words = [word for word in re.findall(r"[\w'’.-]+", match["name"]) if flat(word) not in ("of", "the", "and")]
        kept = 0
        while kept < len(words) and flat(words[kept]) in NOT_NAMES:
            kept += 1
        if kept < len(words) or match["city"]:
            if 0 < kept < len(words) and flat(words[kept - 1]) in _PART_OF_CITY:
                kept -= 1
            first = match.start() + (match["name"].find(words[kept]) if kept < len(words) else 0)
            yield first, match.end()
    for match in _PLACE_AFTER.finditer(text):
        first = next(
            word for word in re.findall(r"[\w'’-]+", match["name"]) if word[0].isupper() or "'" in word or "’" in word
        )
        if flat(first) not in NOT_NAMES - EPONYMS:
            yield match.start(), match.end()
