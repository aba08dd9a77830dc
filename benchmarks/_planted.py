"""Makes reports with planted identifiers in five languages. Does not know what removes them.

`data/privacy_templates.txt` has the sentences and `data/privacy_values.json` the names, addresses, telephone numbers
and e-mail addresses: "tuned" was written by hand, "seen" and "held out" were drawn by Faker 40.63 (MIT) with two seeds.
Rules were tuned on the odd sentences with the tuned values, and measured on the even sentences with those that are
"seen" since then; after that was mended too, they were measured with the values that are held out.
"""

import json
import random
import re
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parent / "data"
LANGUAGES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian"}
TUNED, SEEN, HELD_OUT = "tuned", "seen", "held out"
MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
}
DATES = {
    "en": ("{m:02}/{d:02}/{y}", "{month} {d}, {y}", "{d} {month} {y}", "{y}-{m:02}-{d:02}", "{m}/{d}/{yy:02}"),
    "de": ("{d:02}.{m:02}.{y}", "{d}. {month} {y}", "{d:02}.{m:02}.{yy:02}", "{d}.{m}.{y}", "{y}-{m:02}-{d:02}"),
    "fr": ("{d:02}/{m:02}/{y}", "{d} {month} {y}", "{d:02}-{m:02}-{y}", "{d:02}/{m:02}/{yy:02}", "{d:02}.{m:02}.{y}"),
    "es": ("{d:02}/{m:02}/{y}", "{d} de {month} de {y}", "{d:02}-{m:02}-{yy:02}", "{d}/{m}/{y}", "{d} {month} {y}"),
    "it": ("{d:02}/{m:02}/{y}", "{d} {month} {y}", "{d:02}.{m:02}.{y}", "{d:02}-{m:02}-{y}", "{y}{m:02}{d:02}"),
}
NUMBERS = ("#######", "A-#####", "2021-00####", "MR######", "####-##-###", "########", "K#####/21")
NATIONAL = {
    "en": ("###-##-####", "### ### ####"),
    "de": ("A#########", "12 ###### M 5##"),
    "fr": ("1 85 05 78 006 0## ##", "28505780060##"),
    "es": ("########Z", "28/########/##"),
    "it": ("RSSMRA85M01H5##Z", "ESPGNN70A41F8##W"),
}
PEOPLE = ("{given} {family}", "{given} {family}", "{family}, {given}", "{FAMILY} {given}", "{initial}. {family}")
ADDRESSES = {"en": "{street}, {city} {postcode}", "de": "{street}, {postcode} {city}"}
_GENERIC = (
    "dr street road avenue lane apt flat suite straße strasse str weg platz am an der die das de la le les du des el "
    "los "
    "rue avenue boulevard bis chemin impasse place calle avda avenida paseo plaza via viale corso piazza largo vicolo "
    "hospital clinic medical center centre general memorial county university royal infirmary of klinikum klinik "
    "krankenhaus universitätsklinikum universitätsspital kreisklinik städtisches chu hôpital hospitalier clinique "
    "clínica universitario salud ospedale policlinico clinica civile azienda ospedaliera casa cura di do dello della "
    "del ext int poste tel extension the st san sur sud ii po box and"
)
GENERIC = frozenset(_GENERIC.split())
"""Words of an address or of a hospital that identify nobody by themselves."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """One planted identifier."""

    kind: str
    text: str

    def left(self, cleaned: str) -> bool:
        """Whether any distinctive word or number of it is still there."""
        words = {word for word in re.findall(r"\w+", self.text.lower()) if len(word) > 1 and word not in GENERIC}
        return bool(words & set(re.findall(r"\w+", re.sub(r"\[[a-z-]+\]", "", cleaned).lower())))


@dataclass(frozen=True, slots=True)
class PlantedReport:
    """One report: a clinical sentence, the sentence with identifiers, another clinical sentence."""

    language: str
    before: str
    sentence: str
    after: str
    identifiers: tuple[Identifier, ...]

    @property
    def text(self) -> str:
        """The whole report."""
        return f"{self.before} {self.sentence} {self.after}"


def planted(part: str, total: int = 300, seed: int = 1) -> list[PlantedReport]:
    """Reports with `total` identifiers or one or two more, equally many in each language."""
    values = json.loads((DATA / "privacy_values.json").read_text(encoding="utf-8"))[part]
    sentences, clinical = lines("privacy_templates.txt", part), lines("privacy_clinical.txt", part)
    draw = random.Random(f"{part} {seed}")
    reports: list[PlantedReport] = []
    for language in LANGUAGES:
        count = index = 0
        while count < total // len(LANGUAGES):
            template = sentences[language][index % len(sentences[language])]
            found: list[Identifier] = []

            def fill(slot: re.Match[str]) -> str:
                found.append(_identifier(slot[1], language, values[language], draw))  # noqa: B023 (used at once)
                return found[-1].text  # noqa: B023

            sentence = re.sub(r"\{(\w+)\}", fill, template)
            around = draw.sample(clinical[language], 2)
            reports.append(PlantedReport(language, around[0], sentence, around[1], tuple(found)))
            count, index = count + len(found), index + 1
    return reports


def lines(name: str, part: str) -> dict[str, list[str]]:
    """The odd (tuned) or even (held out) lines of each language."""
    found: dict[str, list[str]] = {}
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            found[line.strip("[]")] = current = []
        elif line and not line.startswith("#"):
            current.append(line)
    return {language: every[part != TUNED :: 2] for language, every in found.items()}


def _identifier(slot: str, language: str, values: dict[str, list[str]], draw: random.Random) -> Identifier:
    def one(name: str) -> str:
        return draw.choice(values[name])

    def digits(pattern: str) -> str:
        return re.sub("#", lambda _: str(draw.randrange(10)), pattern)

    if slot == "person":
        given, family = one("given"), one("family")
        form = draw.choice(PEOPLE)
        text = form.format(given=given, family=family, FAMILY=family.upper(), initial=given[0])
        return Identifier("person", text)
    if slot in ("given", "family"):
        return Identifier("person", one(slot))
    if slot == "date":
        year, month, day = draw.randrange(1931, 2026), draw.randrange(1, 13), draw.randrange(1, 29)
        name = MONTHS[language].split()[month - 1]
        form = draw.choice(DATES[language])
        return Identifier("date", form.format(y=year, yy=year % 100, m=month, d=day, month=name))
    if slot == "address":
        form = ADDRESSES.get(language, ADDRESSES["de"])
        return Identifier("address", form.format(street=one("street"), city=one("city"), postcode=one("postcode")))
    if slot in ("number", "national"):
        return Identifier("number", digits(draw.choice(NUMBERS if slot == "number" else NATIONAL[language])))
    return Identifier(slot, one(slot))
