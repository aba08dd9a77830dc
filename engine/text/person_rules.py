"""Finds names of persons by the words around them, in five languages. Does not know the patient.

A title, a label, a verb or a given name says that a name follows; the name is the capitalized words after it, up to one
that is none (`NOT_NAMES`). An eponym is a name only after a title or a label.
"""

import re
from collections.abc import Iterator

from engine.text.hospital_rules import CAPITAL, replace_spans
from engine.text.name_words import (
    EPONYMS,
    GIVEN_NAMES,
    NOT_NAMES,
    PARTICLES,
    WITH_FAMILY_NAME,
    flat,
)

_TITLE = (
    r"(?:Dr(?:es|a)?|DR|Prof|Priv\.-Doz|Univ\.-Prof|OA|OÄ|Hr|Hrn|Fr|Mr|Mrs|Ms|Miss|Mister|Mx|Doctor|Professor|Nurse|"
    r"Sister|"
    r"Herrn?|Frau|Doktor|Schwester|Kolleg(?:e|en|in)|MTRA?|MTA|RTA|Mme|Mlle|Mgr|Pr|Monsieur|Madame|Mademoiselle|"
    r"Docteur|Professeur|"
    r"Sra?|Srta|Dña|Doña|Don|Doctora?|Profesora?|TSID|Dott|Dott\.?ssa|Dr\.?ssa|Sig|Sig\.?ra|Sig\.?na|Sigg|Signora?|"
    r"Signorina|Dottor|"
    r"Dottoressa|Professoressa|TSRM|"
    r"(?i:señora?|señorita|signora?|signorina|monsieur|madame|docteur|dottor|dottoressa|doctora?|técnic[oa]|tecnic[oa]|"
    r"manipulat(?:eur|rice)|"
    r"interne|externe|infirmi[èe]re?|enfermer[oa]|infermier[ea]|radiographer|technologist|sonographer|nurse|resident|"
    r"residente|fellow|"
    r"oberarzt|oberärztin|chefarzt|chefärztin|assistenzarzt|assistenzärztin|stationsarzt|hausarzt|kolleg(?:e|en|in)|"
    r"daughter|son|wife|husband|mother|father|sister|brother|tochter|sohn|ehefrau|ehemann|mutter|vater|schwester|"
    r"bruder|"
    r"fille|fils|épouse|époux|mari|hij[oa]|espos[oa]|marido|madre|padre|figli[oa]|moglie|marito))"
)
_DEGREES = re.compile(
    r"(?:(?:med|dent|rer|nat|univ|h|c|habil|phil|mult)\. ?|(?:Dr|Prof|PD|MD|Priv|Doz)(?:\. ?| )|(?:Dott|ssa|Dra|Sig|"
    r"ra)(?:\. ?| )){0,4}"
)
_TITLED = re.compile(rf"(?<![\w-])(?P<cue>{_TITLE})(?:\. ?|,? )")
_UPPER_TITLES = frozenset(("MR", "MRS", "MS"))
_LABEL = re.compile(
    r"(?<!\w)(?P<cue>(?i:patient(?:in)?(?:(?:en)?[ -]?name)?|patiente|paciente|paziente|pt name|name|full name|"
    r"last name|first name|surname|"
    r"given name|nachname|vorname|familienname|geburtsname|nom(?: de naissance| de famille)?|prénom|prenom|nombre|"
    r"apellidos?|cognome|nome|"
    r"(?:\w{3,20} )?(?:physician|radiologist|doctor|provider|consultant|clinician|surgeon|arzt|ärztin|radiologe|"
    r"radiologin|médecin|"
    r"radiologue|médic[oa]|radiólog[oa]|facultativ[oa]|medico|radiolog[oa])(?: [\wéüä]{5,20})?|referrer|referring|"
    r"requested|ordering|attending|"
    r"überweiser|zuweiser|befunder|untersucher|operator|opérateur|operador|operatore|prescripteur|destinataire|cc|"
    r"copy to|kopie an|"
    r"signed|signature|unterschrift|signé|signature|firmado|firma|firmato|author|auteur|autor|autore|"
    r"\w{3,15} (?:by|von|durch|par|por|da|dal|dalla)|electronically signed|(?:signé|firmado|"
    r"firmato) (?:électroniquement|electrónicamente|elettronicamente)|elektronisch signiert|"
    r"vidiert|gez|visum|freigegeben|diktiert|transcribed|transcriptionist|dictated|reviewed|verified|approved|"
    r"refertante|"
    r"esecutore|estensore|validé|relu|validado|informado))"
    r"(?: ?[:=] ?|(?<=gez)\. ?)"
)
_VERB = re.compile(
    r"(?<!\w)(?i:sign|report|dictat|transcri|review|read|interpret|approv|verif|authenticat|perform|refer|request|"
    r"order|call|communicat|"
    r"discuss|convey|relay|notif|inform|seen|examin|attend|befund|vidiert|freigegeben|diktiert|besprochen|bespreche|"
    r"mitgeteilt|überwiesen|"
    r"zugewiesen|zuweis|überweis|erstellt|gezeichnet|durchgef|rücksprache|mitteil|information|validé|signé|relu|adress|"
    r"prescri|demand|réalis|"
    r"discut|communiqu|transmis|interprét|vu|firmad|informad|remitid|solicitad|realizad|comentad|comunicad|discutid|"
    r"valorad|validad|"
    r"firmat|refertat|inviat|richiest|eseguit|discuss|comunicat|segnalat|validat|concordat|condivis)"
    r"\w{0,8}+(?: [\w'’]{1,14}+){0,4}? (?P<cue>by|to|with|von|durch|mit|an|par|à|au|avec|por|a|al|con|da|dal|dalla|"
    r"ad)(?: la| le| el| lo)? "
)
_GREETING = re.compile(
    r"(?<!\w)(?:Dear|Sehr geehrte[r]?|Liebe[r]?|Cher|Chère|Estimad[oa]|Gentile|Egregio|Regards,?|Sincerely,?|Gr(?:ü|"
    r"ue)(?:ß|ss)en?,?|Ihr|Ihre|"
    r"Cordialement,?|Atentamente,?|Cordiali saluti,?|Distinti saluti,?)\s(?=[A-ZÀ-ÖØ-Þ])"
)
_BEFORE_AGE = re.compile(
    rf"(?<!\w)(?P<name>{CAPITAL} {CAPITAL}(?: {CAPITAL})?)(?=,? (?:is an? |aged? |is )?(?:\d{{1,3}}[- ](?:year|yo|y/o|"
    rf"Jahre|jährig|ans|años|anni)|"
    r"de \d{1,3} a[ñn]os|di anni \d|di \d{1,3} anni|âgée? de))"
)
_CAPITALS = re.compile(rf"(?<![\w'’-]){CAPITAL}")
_NAME_WORD = re.compile(r"[^\W\d_](?:[\w’'-]{1,40}+|(?=\.))\.?|[^\W\d_]\b")
_GAP = re.compile(r"(?: |, ?|\. ?|\n){1,2}")


def remove_people(text: str) -> tuple[str, int]:
    """The text without names of persons, and how many were removed."""
    return replace_spans(text, _people(text), "[name]")


def _people(text: str) -> Iterator[tuple[int, int]]:
    french, spanish = _mostly(text, _FRENCH), _mostly(text, _SPANISH)
    for match in _TITLED.finditer(text):
        if match["cue"] not in _UPPER_TITLES:
            start = _after_degrees(text, match.end())
            yield from _name_at(text, start, weak=not match["cue"].istitle())
    if french:
        for match in _MONSIEUR.finditer(text):
            yield from _name_at(text, match.end(), weak=True)
    if spanish:
        for match in _DON.finditer(text):
            yield from _name_at(text, match.end(), weak=True)
    for pattern, weak in ((_LABEL, False), (_VERB, True), (_GREETING, True)):
        for match in pattern.finditer(text):
            start = _after_degrees(text, match.end())
            yield from _name_at(text, start, weak=weak)
    for match in _PATIENT.finditer(text):
        yield from _name_at(text, match.end(), weak=True)
    for pattern in (_HISTORY, _TOLD):
        for match in pattern.finditer(text):
            yield from _name_at(text, match.end(), weak=False)
    for match in _BEFORE_AGE.finditer(text):
        yield from _name_at(text, match.start(), weak=True)
    yield from _beside_given_names(text)


_FRENCH = re.compile(r"\b(?:le|la|les|est|et|du|des|une?|pas|avec|pour|né|née)\b")
_SPANISH = re.compile(r"\b(?:el|la|los|las|es|y|del|una?|no|con|por|para|se)\b")
_OTHERS = re.compile(r"\b(?:the|is|of|and|no|with|der|die|das|und|ist|mit|kein|keine|il|di|della|non|che)\b")
_MONSIEUR = re.compile(r"(?<![\w.])MM?\. ")
_DON = re.compile(r"(?<![\w.])D(?:ª|\.ª)?\.? (?=[A-ZÁÉÍÓÚÑ](?:\w+|\.) [A-ZÁÉÍÓÚÑd])")
_PARTICLES_BEFORE = re.compile(
    r"(?<!\w)(?:(?:De|Di|Da|Dal|Del|Della|La|Le|Lo|Li|Van|Von|Den|Der|Ter|El|Al|Mac|St\.) ){1,3}$"
)
_HISTORY = re.compile(
    r"(?<!\w)(?:History|Indication|Clinical information|Anamnese|Klinische Angaben|Motif|Motivo|Quesito|Anamnesi) ?: "
    rf"(?=[A-Z]\. {CAPITAL}(?:[,;]| [a-z]))"
)
_TOLD = re.compile(
    r"(?<!\w)(?:wurden?|wird|werden) (?=[A-ZÄÖÜ][\wß-]{1,30}+ (?:um|am|telefonisch|mündlich|direkt|heute)\b)"
)
_NAMED_THING = re.compile(
    r" (?:procedure|operation|valve|shunt|disc|method|classification|sign|test|technique|score|criteria|position|view|"
    r"band|"
    r"stent|device|prosthesis|disease|syndrome|ligament|line|lines|grade|type|stage|stain|tube|clip|filter)\b"
)
_NAMED_CITY = re.compile(r"\b(?:San|Santa|Santo|Saint|St\.?|Sankt|Monte|Port) $")
_PATIENT = re.compile(r"(?<!\w)(?:[Pp]atient(?:in|e)?|[Pp]aciente|[Pp]aziente|PATIENT(?:IN|E)?) (?=[A-ZÀ-ÖØ-Þ])")


def _mostly(text: str, words: re.Pattern[str]) -> bool:
    found = len(words.findall(text))
    return found > 0 and found >= len(_OTHERS.findall(text))


def _after_degrees(text: str, start: int) -> int:
    found = _DEGREES.match(text, start)
    return found.end() if found else start


def _is_name(word: str, weak: bool) -> bool:
    plain = flat(word.strip(".'’-"))
    if len(plain) == 1:
        return word.endswith(".") and word[0].isupper()
    if plain in NOT_NAMES:
        return not weak and plain in EPONYMS
    if weak and (any(map(str.isdigit, word)) or (word.isupper() and len(plain) < 5)):
        return False
    return word[0].isupper() or not (word[0].islower() or word[0].isdigit())


def _name_at(text: str, start: int, weak: bool) -> Iterator[tuple[int, int]]:
    """The span of the name that starts here, if one does; with a weak cue, an eponym is none."""
    at, end, names, after_given = start, start, 0, False
    while names < 4:
        particle = PARTICLES.match(text, at)
        while particle is not None and (gap := re.compile(r"[ '’.]{1,2}").match(text, particle.end())):
            at = gap.end()
            particle = PARTICLES.match(text, at)
        word = _NAME_WORD.match(text, at)
        if word is None or not _is_name(word[0], weak and not after_given):
            break
        names += 1
        end = word.end()
        after_given = after_given or flat(word[0]).split("-")[0] in GIVEN_NAMES
        if word[0].endswith(".") and len(word[0].rstrip(".")) > 3:
            end -= 1
            break
        gap = _GAP.match(text, end)
        if gap is None or ("\n" in gap[0]):
            break
        if "," in gap[0] and (names > 2 or not _continues(text, start, end, gap.end())):
            break
        if gap[0].startswith(".") and len(word[0]) > 1:
            break
        at = gap.end()
    if names and any(len(word) > 1 for word in re.findall(r"\w+", text[start:end])):
        yield start, end


def _continues(text: str, start: int, end: int, at: int) -> bool:
    """Whether "Family, Given" goes on after the comma: one capitalized word, then no further capitalized one."""
    word = _NAME_WORD.match(text, at)
    if word is None or not _is_name(word[0], weak=True):
        return False
    plain = flat(word[0])
    return plain in GIVEN_NAMES or plain in WITH_FAMILY_NAME or " " not in text[start:end]


def _beside_given_names(text: str) -> Iterator[tuple[int, int]]:
    """Given names, with the family name before or after each."""
    found = [(match[0], *match.span()) for match in _CAPITALS.finditer(text)]
    for index, (word, start, end) in enumerate(found):
        parts = flat(word).split("-")
        sure = parts[0] in GIVEN_NAMES
        if not sure and parts[0] not in WITH_FAMILY_NAME:
            continue
        following = text[end : end + 1] == " " and index + 1 < len(found) and found[index + 1][1] <= end + 8
        before = index > 0 and text[found[index - 1][2] : start] in (" ", ", ")
        if sure and following and _is_name(found[index + 1][0], weak=False):
            yield from _name_at(text, start, weak=True)
        family = found[index - 1][0] if before else ""
        listed = (text[start - 2] == "," and sure) or (len(family) > 2 and family.isupper() and word.istitle())
        if listed and family and _is_name(family, weak=False):
            first = found[index - 1][1]
            particles = _PARTICLES_BEFORE.search(text, max(0, first - 16), first)
            yield particles.start() if particles else first, end
        elif (
            sure
            and word.istitle()
            and not _NAMED_THING.match(text, end)
            and not _NAMED_CITY.search(text, max(0, start - 6), start)
        ):
            yield start, end
