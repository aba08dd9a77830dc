"""Finds the facts that a DICOM header states, in its codes first and then in its descriptions. Opens no files.

Descriptions are free text in the language of the site ("HIP LT", "THORAX PA", "Kopf nativ"). The description of the
series goes before Body Part Examined, which consoles often leave at a default. A header that names several far regions
or the whole body has no region.
"""

import re
from dataclasses import dataclass

from pydicom.uid import CTImageStorage, EnhancedCTImageStorage

from engine.facts.fact import Fact, FactKind, Facts
from engine.facts.from_words import CONTRAST_WORDS, modality_named, only
from engine.facts.region_words import region_of_names
from engine.study import FrameRef, Series, Study

MODALITY_OF_CODE = {
    **dict.fromkeys(("CR", "DX", "RG", "PX", "IO", "RTIMAGE"), "CR"),
    **dict.fromkeys(("XA", "RF", "DS", "CF", "DF", "VF"), "XA"),
    **dict.fromkeys(("US", "IVUS", "EC", "DD", "CD"), "US"),
    **dict.fromkeys(("ES", "XC", "GM", "OP", "DMS", "CP", "LP"), "ES"),
    **dict.fromkeys(("SEG", "RTDOSE", "SM", "DOC", "ECG", "HD"), "OT"),
    **dict.fromkeys(("NM", "ST"), "NM"),
    **{code: code for code in ("CT", "MR", "MG", "PT")},
    "MA": "MR",
}
"""Modality (0008,0060) as in PS3.3 C.7.3.1.1.1, with the retired ones; "OT" and "SC" say nothing."""
VIEW_OF_POSITION = {
    **dict.fromkeys(("AP", "PA", "ANTEROPOSTERIOR", "POSTEROANTERIOR", "FRONTAL"), "frontal"),
    **dict.fromkeys(("LL", "RL", "LAT", "LATERAL", "LLAT", "RLAT"), "lateral"),
}
VIEW_IN_DESCRIPTION = {
    "frontal": re.compile(
        r"\b(?:ap|pa|a\.p\.|p\.a\.|a/p|p/a|frontal|antero ?-?posterior|postero ?-?anterior|d\.?v\.?|face)\b", re.I
    ),
    "lateral": re.compile(r"\b(?:lat|lateral\w*|seitlich|seit|profil|ll|latero\w*|cross ?table)\b", re.I),
    "axial": re.compile(r"\b(?:ax|axial\w*|tra|transvers\w*|trans)\b", re.I),
    "coronal": re.compile(r"\b(?:cor|coronal\w*|koronar)\b", re.I),
    "sagittal": re.compile(r"\b(?:sag|sagit+al\w*)\b", re.I),
}
WHOLE_BODY = re.compile(r"whole[ -]?body|total[ -]?body|entire body|ganzk\w*|(?<![a-z])wb(?![a-z])|corps entier", re.I)
OBLIQUE = re.compile(
    r"\b(?:obl|obli|oblique\w*|schr[aä]g|swimmer\w*|skyline|tangential|axillary|mortise|odontoid)\b", re.I
)
RADIOGRAPHIC, SECTIONAL = frozenset(("frontal", "lateral")), frozenset(("axial", "coronal", "sagittal"))
SIDE_OF_CODE = {"L": "left", "R": "right", "B": "both", "LEFT": "left", "RIGHT": "right", "BOTH": "both"}
SIDE_IN_DESCRIPTION = {
    "left": re.compile(r"\b(?:left|lt|links?|linke[rsn]?|li|gauche|sinistr\w*|izq\w*|izd\w*|esquerd\w*)\b", re.I),
    "right": re.compile(r"\b(?:right|rt|rechts?|rechte[rsn]?|re|droite?|destr\w*|derech\w*|dch[ao]|direit\w*)\b", re.I),
    "both": re.compile(r"\b(?:both|bilat\w*|bds|beidseits|bds\.|ambos|both sides)\b", re.I),
}
SIDE_LETTERS = {
    "left": re.compile(r"\b(?:l(?!['’])|sx)\b", re.I),
    "right": re.compile(r"\br\b|(?<=\w )dx\W*$", re.I),
}
"""Believed only for a limb or a breast; DX is Italian for right at the end of a name, and else a modality."""
NOT_SIDES = re.compile(
    r"\b(?:l|r)[- ]?(?:spine|s spine|ws)\b|\b(?:l|r)/[a-z]|right (?:to|upper quadrant)|\bre-\w+", re.I
)
NO_AGENT = frozenset(
    ("", "NONE", "NO", "N", "NO CONTRAST", "WITHOUT", "NATIV", "NA", "N/A", "0", "-", "UNKNOWN", "ORAL", "NIL")
)
"""Contrast/Bolus Agent (0018,0010) that is none, or none that enhances."""
CONTRAST_IN_DESCRIPTION = {
    "with": re.compile(
        r"(?:\+ ?c|\bc ?\+)(?!\w)|\b(?:w/? ?contrast|w/ ?c|post(?=\W*$|\W+(?:ax|cor|sag|t1)\b)|"
        r"post[- ]?(?:gd|gad\w*|km|c|contrast)|mit km|km|ce|gd|"
        r"gad\w*|mdc|con (?:mdc|contrast\w*)|avec (?:injection|iv|contraste)|inject\w*|enhanced|arterial\w*|arteriell|"
        r"portal\w*|venous|venos|ven[oö]s)\b",
        re.I,
    ),
    "without": re.compile(
        r"(?:- ?c|\bc ?-)(?!\w)|\b(?:w/? ?o(?:ut)?(?: contrast| c)?|nativ\w*|non[- ]?con\w*|ohne km|unenhanced|plain|"
        r"sans (?:injection|iv|contraste)|senza (?:mdc|contrast\w*)|sin contrast\w*|pre[- ]?(?:gd|contrast)|nc|ncct)\b",
        re.I,
    ),
}
BOTH_CONTRASTS = re.compile(r"\bw(?:ith)? ?(?:/|&|and|\+) ?w(?:ith)?/? ?o(?:ut)?\b|\bpre (?:and|&) post\b", re.I)

CT_IMAGES = frozenset((CTImageStorage, EnhancedCTImageStorage))


@dataclass(frozen=True, slots=True)
class HeaderValues:
    """What of a header tells facts; "" for what it lacks."""

    modality: str = ""
    """Modality (0008,0060)."""
    body_part: str = ""
    """Body Part Examined (0018,0015)."""
    anatomy: str = ""
    """English names of the codes of Anatomic Region Sequence (0008,2218) and Primary Anatomic Structure Sequence."""
    series: str = ""
    """Series Description (0008,103E)."""
    descriptions: tuple[str, ...] = ()
    """Of protocol, procedure and study."""
    laterality: str = ""
    """Image Laterality, Laterality or Frame Laterality: L, R, B or U."""
    view_position: str = ""
    """View Position (0018,5101), else the English name of the code of View Code Sequence (0054,0220)."""
    plane: str = ""
    """"axial", "coronal" or "sagittal", from the direction cosines of a frame."""
    contrast_agent: str = ""
    """Contrast/Bolus Agent (0018,0010)."""


def facts_of_frame(study: Study, series: Series, ref: FrameRef) -> Facts:
    """The facts of a listed frame."""
    image = ref.image
    return facts_of_header(
        HeaderValues(
            modality=series.modality,
            body_part=series.body_part,
            anatomy=image.anatomy,
            series=series.description,
            descriptions=(*series.descriptions, study.description),
            laterality=image.laterality,
            view_position=image.view_position or image.view_code,
            plane=_plane(ref),
            contrast_agent=image.contrast_agent,
        )
    )


def facts_of_columns(modality: str, view: str = "", location: str = "", body_part: str = "") -> Facts:
    """The facts that the columns of a CSV state, which count as a header."""
    plane = only(VIEW_IN_DESCRIPTION, view) or ""
    return facts_of_header(
        HeaderValues(
            modality=modality,
            body_part=body_part or location,
            view_position=view.split(" ")[0],
            plane=plane if plane in SECTIONAL else "",
        )
    )


def _plane(ref: FrameRef) -> str:
    """The plane that a frame is within 37 degrees of; "" for oblique ones, and for CT localizers (projections)."""
    if ref.orientation is None or (ref.localizer and ref.image.sop_class in CT_IMAGES):
        return ""
    a, b, c, d, e, f = ref.orientation
    normal = (abs(b * f - c * e), abs(c * d - a * f), abs(a * e - b * d))
    return ("sagittal", "coronal", "axial")[normal.index(max(normal))] if max(normal) >= 0.8 else ""


def facts_of_header(header: HeaderValues) -> Facts:
    """The facts of the image that a header belongs to."""
    words = [header.series, *header.descriptions]
    modality = MODALITY_OF_CODE.get(header.modality.upper()) or modality_named(" . ".join(words))
    region = "breast" if modality == "MG" else _region(header)
    found: dict[FactKind, str | None] = {
        "modality": modality,
        "region": region,
        "laterality": _side(header, region),
        "view": _view(header, modality),
        "contrast": _contrast(header) if modality in ("CT", "MR") else None,
    }
    return {kind: Fact(value, "header") for kind, value in found.items() if value}


def _region(header: HeaderValues) -> str | None:
    coded = f"{header.anatomy} {header.body_part}".strip()
    if region := region_of_names(header.series):
        return region
    if any(WHOLE_BODY.search(text) for text in (coded, header.series, *header.descriptions)):
        return None
    for names in (coded, *header.descriptions):
        if region := region_of_names(names):
            return region
    return None


def _side(header: HeaderValues, region: str | None) -> str | None:
    if side := SIDE_OF_CODE.get(header.laterality.upper()):
        return side
    for text in (header.series, *header.descriptions):
        plain = NOT_SIDES.sub(" ", re.sub(r"[_^]", " ", text))
        if side := only(SIDE_IN_DESCRIPTION, plain):
            return side
        if region in ("limb", "breast") and (side := only(SIDE_LETTERS, plain)):
            return side
    return None


def _view(header: HeaderValues, modality: str | None) -> str | None:
    series = re.sub(r"[_^]", " ", header.series)
    if modality == "CR":
        position = header.view_position.upper()
        if OBLIQUE.search(series) or OBLIQUE.search(position):
            return None
        if named := VIEW_OF_POSITION.get(re.sub(r"[^A-Z]", "", position)):
            return named
        for text in (series, *header.descriptions):
            if (named := only(VIEW_IN_DESCRIPTION, text)) in RADIOGRAPHIC:
                return named
    if modality in ("CT", "MR", "PT"):
        if header.plane:
            return header.plane
        named = only(VIEW_IN_DESCRIPTION, series)
        return named if named in SECTIONAL else None
    return None


def _contrast(header: HeaderValues) -> str | None:
    series = re.sub(r"[_^]", " ", header.series)
    if named := only(CONTRAST_IN_DESCRIPTION, series) or only(CONTRAST_WORDS, series.lower()):
        return named
    if header.contrast_agent.upper() not in NO_AGENT:
        return "with"
    for text in header.descriptions:
        if BOTH_CONTRASTS.search(text):
            return None
        if named := only(CONTRAST_IN_DESCRIPTION, text) or only(CONTRAST_WORDS, text.lower()):
            return named
    return None
