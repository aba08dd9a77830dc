"""Finds dates, times, telephone and other numbers, addresses and e-mail addresses in five languages. Knows no names.

Every pattern takes time in proportion to the text: it starts only where a run of its characters starts, or its
repetitions are bounded. Measurements, levels, grades and ranges are left alone.
"""

import re

from engine.text.address_rules import remove_addresses
from engine.text.name_words import EPONYMS, NOT_NAMES, flat

MONTH = (  # "may" and "march" are also verbs, so those months need their capital
    r"(?:May|MAY|Mar(?:ch)?|MAR(?:CH)?|(?i:jan(?:uary|uar|vier)?|jän(?:ner)?|feb(?:ruary|ruar|braio|rero)?|"
    r"févr?(?:ier)?|"
    r"fevrier|märz|mars|marzo|apr(?:il|ile)?|avr(?:il)?|abr(?:il)?|mai|maggio|mayo|jun[ei]?|juin|junio|giu(?:gno)?|"
    r"jul[yi]?|juillet|julio|lug(?:lio)?|aug(?:ust)?|août|aout|ago(?:sto)?|sept?(?:ember|embre|iembre)?|set(?:tembre)?|"
    r"o[ck]t(?:ober|obre|ubre)?|ott(?:obre)?|nov(?:ember|embre|iembre)?|de[cz](?:ember|embre)?|déc(?:embre)?|"
    r"dic(?:iembre|embre)?|gen(?:naio)?|ene(?:ro)?))(?![^\W\d_])\.?"
)
_DAY, _NUMBERED = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])"
_YEAR = r"(?:19|20)\d\d"
_ORDINAL = r"(?:st|nd|rd|th|er|º|°|\.)?"
RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("[e-mail]", re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)++")),
    ("[e-mail]", re.compile(r"\b(?:https?://|www\.)[^\s,;)]++")),
    ("[date]", re.compile(rf"\b{_YEAR}([-/.]){_NUMBERED}\1{_DAY}(?!\d)")),
    ("[date]", re.compile(rf"(?<![\d.,/-]){_DAY}([-/.] ?)(?:{_NUMBERED})\1(?:{_YEAR}|\d\d)(?![\d/-]|[.,]\d)")),
    ("[date]", re.compile(rf"(?<![\d.,/-]){_NUMBERED}([-/.]){_DAY}\1(?:{_YEAR}|\d\d)(?![\d/-]|[.,]\d)")),
    (
        "[date]",
        re.compile(
            rf"(?<![\w.,]){_DAY}{_ORDINAL}(?: of| de)?[ /-]{{0,2}}{MONTH}(?:(?:[ ,/-]{{1,2}}| del? ){_YEAR})?\b"
        ),
    ),
    ("[date]", re.compile(rf"\b{MONTH}[ -]{_DAY}{_ORDINAL}(?:,? {_YEAR})?\b(?! ?(?:mm|cm|x|[.,]\d))")),
    ("[date]", re.compile(rf"\b{MONTH}(?:,| de| del)? {_YEAR}\b")),
    ("[date]", re.compile(rf"(?<![\d.,/]){_NUMBERED}[/.]{_YEAR}\b")),
    ("[date]", re.compile(rf"(?<=\b(?:am|om|el|il|le) ){_DAY}\.{_NUMBERED}\.(?!\d)")),
    ("[date]", re.compile(rf"(?<=\b(?:vom|bis) ){_DAY}\.{_NUMBERED}\.(?!\d)")),
    (
        "[time]",
        re.compile(
            r"\b(?:[01]?\d|2[0-3])[:h][0-5]\d(?::[0-5]\d)?(?:\s?[ap]\.?m\b\.?)?(?! ?(?:\w*min|position|o['’]))(?!\w)",
            re.IGNORECASE,
        ),
    ),
    ("[time]", re.compile(r"\b(?:[01]?\d|2[0-3])(?:\.[0-5]\d)? ?Uhr\b")),
)
"""In this order."""

_CARETS = re.compile(r"(?<![\w'’^-])[^\W\d_](?:[^\W\d_]|['’-])*+(?:\^(?:[^\W\d_]|['’-])*+)++")
"""A name in DICOM form (PS3.5 6.2.1), or a protocol of a scanner: "Head^Routine"."""
_MORE = r"(?: ?(?:x|ext\.? ?|extension |poste |int\. ?|dw ?)\d{1,6})?"
"""An extension after a telephone number."""
_GROUPS = re.compile(rf"(?<![\w.,/-])[+(]{{0,2}}\d(?:[ ()/.+-]{{0,3}}\d){{4,20}}+{_MORE}(?!\w|[.,]\d)", re.IGNORECASE)
"""A run of groups of digits, judged by `_number`."""
_IDENTIFIERS = (
    re.compile(r"\b[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z]\b"),  # codice fiscale
    re.compile(r"(?<![\w.])\d{2} \d{6} [A-Z] \d{3}\b"),  # Versicherungsnummer
    re.compile(r"(?<![\w.])(?:\d++\.){4,}+\d++\b"),  # a UID
    re.compile(r"(?<![\w.,/-])(?:[A-Z]{1,4}[-/]?\d{5,}+|\d{6,}+)(?:[/-]\d{1,6})?[A-Z]?(?![\w]|[.,]\d)"),
    re.compile(r"(?<![\w.,/-])[A-Z]{1,4}[-/]?\d{2,6}[/-]\d{2,6}\b"),
    re.compile(r"(?<![\w.,])\d{6,}+(?![\w]|[.,]\d)"),
)
_NUMBER_LABEL = (
    r"(?:patient|pat\.?|pt|paz\.?|medical record|mrn|accession|acc|hospital|case|insurance|nhs|ssn|study|exam|order|"
    r"fall|"
    r"aufnahme|auftrags?|vers(?:icherungs|icherten)?\.?|patienten|akten?|untersuchungs|dossier|nip|ipp|ndos|iep|"
    r"s[ée]curit[ée] sociale|nss|nhc|dni|nie|nif|cip|historia(?: cl[íi]nica)?|tarjeta sanitaria|cartella(?: clinica)?|"
    r"nosologico|codice fiscale|tessera sanitaria|c\.f\.)"
)
_LABELED = re.compile(
    rf"(?<!\w)(?P<label>(?:(?:n[°º.o]|num[ée]ro|n[úu]mero|numero|nummer|nr\.?)(?: de| di| d[’'])? ?)?{_NUMBER_LABEL}"
    r"(?:[ -]?(?:id|no|nr|nummer|number|record number|n[°º.]|n[úu]mero|numero))?(?:\.? ?[:#=°º] ?#?(?=.?.?.?\w)|"
    r"(?:\.? | ?\()(?=[A-Z]{0,4}[-/]?\d[-/]?\d[-/]?\d[-/]?\d)))"
    r"(?P<value>[A-Z]{0,4}[-/]?\d[\w/-]{0,24}(?: \d{1,6}){0,7})",
    re.IGNORECASE,
)
_YEAR_BESIDE = re.compile(rf"[a-zäöüéúíó]+ {_YEAR}", re.IGNORECASE)
"""A label and a year: "exam 2019", and in English "fall 2019" is a season, in German a case."""
_CASE = re.compile(r"(?i:fall|aufnahme|auftrag|akten?) ")
_GERMAN = re.compile(r"\b(?:der|die|das|und|ist|mit|kein|keine|ein|eine|im|am|zum|zur|nicht)\b", re.IGNORECASE)
_ENGLISH = re.compile(r"\b(?:the|is|of|and|no|with|in|since|was|are|to|for|from)\b", re.IGNORECASE)
_CALL_LABEL = re.compile(
    r"(?<!\w)(?P<label>(?:tel(?:efon|ephone|efono|éfono|éphone)?|phone|fax|mobil|mobile|cell|cellulare|móvil|portable|"
    r"extension|ext|durchwahl|dw|poste|int(?:erno)?|pager|bleep|piepser|dect)(?:\.|:)* ?(?:nr\.? |n[°º] ?)?)"
    r"(?P<value>[+(x-]{0,2}\d(?:[ ()/.+-]{0,3}\d){2,20}+"
    rf"{_MORE})(?!\w)(?! ?(?:mm|cm|m|%|°|degrees?|images?|slices?|x)(?!\w))",
    re.IGNORECASE,
)
_SHORT_CALL = re.compile(r"(?<![\w.])(?:x\d{4,5}|(?:ext\.?|poste|int\.) \d{3,5})\b")


def remove_contacts(text: str) -> tuple[str, int]:
    """The text without dates, times, numbers, addresses and e-mail addresses, and how many were removed."""
    removed = 0
    german = len(_GERMAN.findall(text)) > len(_ENGLISH.findall(text))

    def labeled(match: re.Match[str]) -> str:
        nonlocal removed
        if _YEAR_BESIDE.fullmatch(match[0]) and not (german and _CASE.match(match[0])):
            return match[0]
        removed += 1
        return match[0][: match.start("value") - match.start()] + placeholder

    def group(match: re.Match[str]) -> str:
        nonlocal removed
        if not _number(match[0]):
            return match[0]
        removed += 1
        return "[number]"

    def name(match: re.Match[str]) -> str:
        nonlocal removed
        if any(flat(part) in NOT_NAMES - EPONYMS for part in match[0].split("^")):
            return match[0]
        removed += 1
        return "[name]"

    text = _CARETS.sub(name, text)
    for placeholder, pattern in RULES:
        text, count = pattern.subn(placeholder, text)
        removed += count
    placeholder = "[number]"
    for pattern in (_LABELED, _CALL_LABEL):
        text = pattern.sub(labeled, text)
    text, count = remove_addresses(text)
    removed += count
    text = _GROUPS.sub(group, text)
    for pattern in _IDENTIFIERS:
        text, count = pattern.subn(placeholder, text)
        removed += count
    text, count = _SHORT_CALL.subn(placeholder, text)
    return text, removed + count


def _number(run: str) -> bool:
    """Whether groups of digits are a telephone number or an identifier, rather than figures of a measurement."""
    digits = sum(map(str.isdigit, run))
    groups = re.findall(r"\d+", run)
    if digits < 7 or re.fullmatch(r"[1-9]\d{0,4} ?[-/] ?\d{1,4}", run):  # a range, or years
        return False
    if re.match(r"\(?\+|\(?0\d|\(\d", run):
        return True
    if re.search(r"\d [-/] \d|\d\.\d{1,2}\b(?!\.)", run):
        return False
    if re.fullmatch(r"\d{3}[-. ]\d{3}[-. ]\d{4}|\d{3}-\d{2}-\d{4}|\d{3} \d{3} \d{4}", run):
        return True
    joined = "-" in run or "/" in run
    same = len(set(re.findall(r"[-./ ]", run))) == 1
    return (joined and len(groups) >= 2 and digits >= 8) or (same and digits in (9, 10, 13, 15) and len(groups) >= 3)
