"""Finds postal addresses by their street and house number, in five languages. Knows no names of persons."""

import re

from engine.text.hospital_rules import CAPITAL


def _any(words: str) -> str:
    return "(?:" + "|".join(sorted(words.split(), key=len, reverse=True)) + ")"


_SMALL = _any(
    "de des du la le les della delle dei degli del dello di da los las el der den dem von zum zur of the y e sur"
)
_WORDS = rf"(?:{_SMALL} ){{0,2}}+{CAPITAL}(?:[ ](?:{_SMALL} ){{0,2}}+(?:{CAPITAL}|[IVX]{{1,4}}\b)){{0,4}}"
_STREET_EN = _any(
    "Street St Road Rd Avenue Ave Lane Ln Drive Dr Court Ct Way Place Pl Boulevard Blvd Close Terrace Square Crescent "
    "Garden Gardens Grove Hill Hills Mews Row Walk Park Parkway Pkwy Highway Hwy Circle Cir Trail Loop Alley Bypass "
    "Causeway Crossing Expressway Freeway Gateway Glen Green Harbor Haven "
    "Heights Hollow Inlet Knoll Lake Lakes Landing Lodge Mall Manor Meadow Meadows Mill "
    "Mills Mission Motorway Mountain Orchard Overpass Pike Pine Pines Plains Plaza "
    "Prairie Ramp Ranch Rapids River Shoal Shores Skyway Spring "
    "Springs Station Throughway Trafficway Turnpike Underpass Valley "
    "Village Ville Vista Roads Streets Ways Squares Walks Groves Greens Islands"
)
_STREET_OR_FINDING = _any(
    "Extension Field Fields Flat Flats Fork Forks Island Isle Junction Key Lock Mount Oval Pass Passage Path Plain "
    "Point Port Radial Rapid Rest Ridge Route Run Shore Spur Stream Summit Trace Track Tunnel Union Via Viaduct View "
    "Views Wall Well Wells"
)
"""These end a street name as well as "Knee 3 Standing Views" or "1 Right Chest Port": only before a unit or a city."""
_STREET_DE = r"(?:straße|strasse|str\.|weg|platz|allee|gasse|ring|damm|ufer|hof|markt|graben|steig|promenade|chaussee)"
_STREET_FR = _any(
    r"rue avenue av\. boulevard bd place chemin allée impasse quai route cours square passage faubourg ruelle sentier"
)
_STREET_ES = _any(
    r"Calle Avda\.? Avenida Av\. Paseo Plaza Pasaje Ronda Camino Carretera Travesía Glorieta Callejón Rambla Cuesta "
    r"Vial "
    r"Urbanización Alameda Acceso Cañada Pasadizo Circuito Prolongación Andador Calzada Privada Cerrada Boulevard "
    r"Corredor "
    r"Diagonal Peatonal Periférico Viaducto Continuación Circunvalación Retorno"
)
_STREET_IT = _any(
    "Via Viale Corso Piazza Piazzale Largo Vicolo Strada Borgo Contrada Rotonda Canale Stretto Incrocio Lungotevere "
    "Salita Traversa Località"
)
_HOUSE = r"\d{1,5}(?: ?[-/]\d{1,4}| ?[a-zA-Z](?!\w))?(?!\w)"
_UNIT = (
    r"(?:,? ?(?:Apt|Apartment|Suite|Unit|Flat|Studio|Floor|App?t|Appartamento|Esc|Interno|Piso|Piano|Puerta|Edif)\.? "
    r"?\w{1,5}+|, ?\d{1,2}[ºª°](?: ?[A-Z]\b)?)"
)
_POSTCODE = r"(?:(?:[A-Z]{1,2}-)?\d{4,5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})(?!\w)"
_CITY = rf"(?: ?,? {_POSTCODE}(?:,? {_WORDS})?|,? {_WORDS}(?:, ?[A-Z]{{2}})?,? {_POSTCODE}|, ?{_WORDS} ?\([A-Z]{{2}}\))"
_STREETS = (
    rf"(?:(?:Flat|Studio|Unit|Suite|"
    rf"Apt) ?\w{{1,5}},? )?(?<!\w)\d{{1,5}}[A-Za-z]?,? (?:{CAPITAL} ){{1,4}}?(?:{_STREET_EN}\b\.?|"
    rf"{_STREET_OR_FINDING}\b(?={_UNIT}|{_CITY}))",
    rf"(?<!\w)(?:{CAPITAL}[ -]){{0,2}}?[A-ZÄÖÜ][\wäöüß-]{{0,40}}?(?i:{_STREET_DE}) ?{_HOUSE}",
    rf"(?<!\w)(?:{CAPITAL}[ -]){{1,3}}?(?:Straße|Strasse|Str\.|Weg|Platz|Allee|Gasse|Ring|Damm) ?{_HOUSE}",
    rf"\b(?:Am|An der|An den|Auf der|Auf dem|Im|In der|Zum|Zur|"
    rf"Unter den) (?:{CAPITAL} ){{1,2}}{_HOUSE}(?=, {_POSTCODE})",
    rf"(?<!\w)(?:\d{{1,4}}(?: ?(?:bis|ter|[A-D]))?,? )?(?i:{_STREET_FR}) {_WORDS}(?:,? {_HOUSE}(?! [A-Z]))?",
    rf"(?<!\w)(?:{_STREET_ES} |C/ ?){_WORDS}(?:,? ?(?:n[º°.] ?)?{_HOUSE})?",
    rf"(?<!\w){_STREET_IT} {_WORDS},? ?(?:n\. ?)?{_HOUSE}",
)
_ADDRESS = re.compile("|".join(rf"{street}(?:{_UNIT}){{0,3}}(?:{_CITY})?" for street in _STREETS))
_HOME_LABEL = re.compile(
    r"(?<!\w)(?:address|lives at|residing at|wohnhaft(?: in)?|Anschrift|Adresse|adresse|demeurant(?: à)?|"
    r"domicilié[e]? (?:à|au)|"
    r"domicilio(?: en)?|dirección|residente (?:in|a|en)|indirizzo|domiciliat[oa] (?:in|a))(?:[ ]?:)? "
    rf"(?P<value>(?:(?:{CAPITAL}|{_SMALL}|[A-Z]{{0,2}}\d[\w/-]{{0,8}}+|\([A-Z]{{2}}\))[ ,]{{1,3}}){{0,14}}"
    rf"(?:{CAPITAL}|[A-Z]{{0,2}}\d[\w/-]{{0,8}}+|\([A-Z]{{2}}\)))"
)


def remove_addresses(text: str) -> tuple[str, int]:
    """The text without addresses, and how many were removed."""
    text, homes = _HOME_LABEL.subn(lambda one: one[0][: one.start("value") - one.start()] + "[address]", text)
    text, streets = _ADDRESS.subn("[address]", text)
    return text, homes + streets
