"""Finds the facts that a report or a caption states: modality, region, side, view, contrast. Does not know headers.

Rules over words that rather say nothing than something wrong. An examination that is negated, recommended or earlier is
not that of the image, and a text that names several modalities, sides, views or far regions has no fact of that kind.
"""

import re
from collections.abc import Mapping

from engine.facts.fact import Fact, FactKind, Facts
from engine.facts.region_words import REGION_OF_PART, regions_named
from engine.text.body_regions import EXAMINED_TOGETHER
from engine.text.conflicts import CLAUSE_END, NEGATION
from engine.text.sentences import sentences

MODALITY_NAMES: Mapping[str, str] = {
    "PT": r"pet(?:[ /-]?(?:ct|mri?))?|positron[- ]emission[- ]tomograph\w*|fdg[- ]?pet(?:[ /-]?ct)?",
    "NM": r"scintigra\w*|scintiscan\w*|bone scans?|spect(?:[ /-]?ct)?|hida scan|lymphoscintigra\w*|radionuclide \w+|"
    r"nuclear (?:medicine|scan\w*)|(?:ventilation[ /-]perfusion|v/q) scan|szintigra\w*",
    "MR": r"(?:mri?|magnetic[- ]resonance)[- ](?:angio|veno|uro|arthro|entero|cholangio|cholangiopancreato)gra\w*|"
    r"c?mri(?:s|[- ]scans?)?|mr|mra|mrv|mrcp|fmri|(?:cardiac |nuclear )?magnetic[- ]resonance(?:[- ]\w*graph\w*)?|nmr|"
    r"t[12]\*?[- ]?(?:w|wi|weighted\w*|flair|tse|fse|se|signal|hyperintens\w*|hypointens\w*|sequences?|images?|"
    r"imaging|fat[- ]\w+|space|stir|post\w*|axial|sagittal|coronal)|(?:axial|sagittal|sag|coronal|cor) t[12]w?|flair|"
    r"stir|diffusion[- ]weighted(?: imag\w+)?|proton density|pdw?|dwi|adc(?: map)?|gradient[- ]echo|gre|swi|"
    r"kernspin\w*|irm|rmn?",
    "CT": r"(?:ct|computed tomograph\w*)[- ](?:[\w-]+ )?(?:angio|aorto|uro|cysto|veno|myelo|arthro|cholangio|entero|"
    r"sialo|fistulo|cysternogra)gra\w*|virtual \w+oscop\w+|cts?|c\.t\.|(?:hr|ce|ne|nc|cb|md|ms|mpr|qc)ct|(?:multi[- "
    r"]?\w+ |cone[- ]beam |x-?ray )?comput(?:ed|eri[sz]ed|er)(?:[- ](?:axial|assisted))?[- ]tomo(?:graph\w*|gramm?s?|"
    r"densitometr\w*)|cta|cat[- ]scans?|tomodensitom\w*|computertomogra\w*|tac|cbct|(?:ct|computed tomographic)[- "
    r"]?(?:scans?|angiogra\w*|images?)",
    "US": r"(?:endoscopic |endo|trans\w+ |intravascular |doppler |duplex )?(?:ultraso\w*|sonogra\w*|echogra\w*)|usg|"
    r"eus|ivus|(?:trans\w+ )?echo[- ]?cardiogra\w*|tte|tee|(?:colou?r |power |duplex )?doppler\w*|ecografia|"
    r"echography|b[- ]mode",
    "MG": r"(?:\w+ )?mammogra\w*|mammogramm?s?|mammo|tomosynthesis",
    "XA": r"(?:coronary |cerebral |pulmonary |selective |conventional |catheter |digital subtraction )*(?:arterio|"
    r"angio|veno|aorto|ventriculo|cavo|phlebo|cholangio|lympho|myelo|fistulo|hysterosalpingo|"
    r"cholangiopancreato)gra(?:ms?|ph\w*)|dsa|digital subtraction \w+|fluoro\w*|esophagogra\w*|(?:barium|gastrografin|"
    r"contrast) (?:swallow|enema|meal|study)\w*|(?:upper gi|small bowel) (?:series|follow[- ]through)|upper gi|ugi|rf|"
    r"ercp|urethrogra\w*|cystogra\w*|cystourethrogra\w*|vcug|(?:ana|pa?eri)?cath(?:eteri[sz]ation)|sialogra\w*|"
    r"arthrogra\w*|defecogra\w*",
    "CR": r"radiogra(?:ph|phs|m|ms|phy|phic)|x-?rays?|x-? ?xxxx|x ray|r[oö]ntgen\w*|orthopantomogra\w*|opg|panoramic "
    r"(?:view|image|film)s?|plain films?|skiagra\w*|(?:chest|abdominal|plain|scout|lateral|frontal|portable|"
    r"periapical|bitewing) films?|cxr|(?:intravenous )?(?:pyelo|uro)gra(?:m|ms|phy)|ivu|ivp|bitewings?|cephalogra\w*|"
    r"babygram|skeletal survey|panoramic radiograph\w*",
    "ES": r"(?:esophago|gastro|colono|broncho|laryngo|cysto|hystero|laparo|arthro|duodeno|thoraco|naso|recto|sigmoido|"
    r"entero)*(?:gastro|colono|broncho|laryngo|cysto|hystero|laparo|duodeno|thoraco|entero|sigmoido|endo)scop(?:y|ic)"
    r"(?: (?:view|image|finding|appearance|picture)s?)?|photo(?:graph|graphs|graphic|graphy)?s?|fundus \w+|"
    r"(?:intra-?operative|clinical|intra-?oral|extra-?oral) (?:view|image|photo|photograph)s?",
    "OT": r"photomicrogra\w*|micrograph\w*|histopatholog\w*|histolog\w*|immunohisto\w*|ha?ematoxylin|h ?& ?e|"
    r"microscop(?:y|ic (?:image|view|exam\w*|appearance))|flow ?chart|diagram|schematic\w*|gross (?:specimen|"
    r"pathology|appearance)",
}
"""What an examination is called, by modality; looked for in this order, and each word counts for one of them."""
MODALITY_SIGNS: Mapping[str, str] = {
    "MR": r"hyper-?intens\w*|hypo-?intens\w*|iso-?intens\w*|signal intensit\w*|(?:high|low|bright|abnormal|increased) "
    r"signal|restricted diffusion|gadolinium|diffusion restriction|signal void|flow voids?",
    "CT": r"hypo-?dens\w*|hyper-?dens\w*|hounsfield|hu|(?:hypo|hyper|iso)-?attenuat\w*|(?:low|high|soft[- ]tissue|"
    r"fat)[- ]attenuation (?:mass|lesion|area|foc\w+|collection)|bone window\w*|lung window\w*|soft tissue window\w*",
    "US": r"(?:hypo|hyper|an|iso)-?echo(?:ic|genic)\w*|echogenic\w*|echotexture|acoustic shadow\w*|four[- ]chamber|"
    r"parasternal|apical view|transvaginal|subxiphoid|subcostal|(?:long|short)[- ]axis view",
    "CR": r"radiolucen\w*|radio-?opa\w+|costophrenic|frontal and lateral views?|pa and lateral|(?:cardiac|"
    r"cardiomediastinal|heart) silhouette|pulmonary vascula\w+|bony thorax|heart size",
    "XA": r"(?:balloon|stent) (?:angioplasty|deployment|inflation|placement)|guide ?wire|microcatheter|coil "
    r"embolization",
}
"""Words of one kind of image, which tell the modality where no examination is named."""
NOT_THIS_EXAMINATION = re.compile(
    r"\b(?:prior|previous\w*|earlier|recent|recommend\w*|advis\w*|suggest(?:ed)? (?:to|further|a|an)\b|consider\w*|"
    r"correlat\w+|compar\w+|would be|may be (?:helpful|useful|considered)|could be|should be|is (?:indicated|"
    r"suggested|advised|needed)|follow[- ]?up (?:with|by|ct|mri?)|further (?:evaluation|imaging|characteri\w+|workup|"
    r"assessment)|obtain\w*|before|underwent|history|referred|not shown|subsequent\w*|more sensitive|outside|guided|"
    r"guidance|confirmed (?:by|on|with)|if (?:clinically|there|needed))\b"
)
"""In the clause that names an examination: it is another one than that of the image, or need not be this one."""
VIEWS: Mapping[str, str] = {
    "axial": r"(?:tr?ans)?axial(?! (?:skelet\w+|spondylo\w+|load\w*|length|\w*myopia))|transverse (?:plane|view|image|"
    r"section|slice|scan|ct|mri?|ultraso\w+|t[12])\w*",
    "coronal": r"coronal(?! (?:suture|pulp|portion|part|third|restoration))",
    "sagittal": r"(?:mid|para)?-?sagittal(?! (?:sinus|suture|split|band|osteotomy))",
    "frontal": r"and lateral (?:chest|views?|x|radiogra\w+)|(?:frontal|antero-?posterior|postero-?anterior|ap|pa) "
    r"(?:and lateral )?(?:chest |pelvi\w+ |erect |supine |portable |upright )*(?:view|projection|radiogra\w+|film|"
    r"x-?ray|image|plane|chest|cxr|pelvis|supine|portable)\w*|(?:radiogra\w+|x-?rays?|views?|chest|films?|plane),? "
    r"(?:\(|in )?(?:ap|pa|antero-?posterior|postero-?anterior|frontal)\b|single ap|ap/pa",
    "lateral": r"(?:lateral) (?:chest |cervical |lumbar |spine |skull |neck |knee |\w+ )?(?:view|projection|"
    r"radiogra\w+|film|x-?ray|image|plane|cephalo\w+|chest(?! wall))\w*|(?:radiogra\w+|x-?rays?|views?),? "
    r"(?:\()?lateral\b|and lateral (?:chest|views?|x|radio\w+)",
}
NOT_THIS_VIEW = re.compile(
    r"\b(?:on|in|by|from) (?:the |a |both )?(?:\w+ and )?(?:lateral|frontal|pa|ap|axial|coronal|sagittal)\b"
)
"""A finding "seen on the lateral view" is told of all the views of a study."""
CONTRAST: Mapping[str, str] = {
    "with": r"with and without|contrast[- ]?enhanced|(?:with|post|after|following)[- ]?(?:the )?(?:administration of |"
    r"injection of |iv |i\.v\. |intravenous |oral and intravenous )*(?:contrast|gad\w*)|post-?(?:contrast|gadolinium|"
    r"gad|gd)|(?:gadolinium|gd|gad)[- ]?(?:enhanced|dtpa)?|cect|(?:arterial|portal venous|nephrographic|venous|"
    r"portal) phase|(?:ct|mr|mri) (?:angiogra\w+)|cta|(?:homogeneous|heterogeneous|ring|rim|peripheral|intense|avid|"
    r"nodular|leptomeningeal|contrast) enhanc\w+",
    "without": r"with and without|non-? ?contrast(?:ed)?|non-?enhanced|unenhanced|(?:without|no) (?:iv |intravenous |"
    r"i\.v\. )?(?:contrast(?! enhanc)|gad\w*)|pre-?contrast|ncct|nect|native ct",
}
SIDES: Mapping[str, str] = {
    "left": r"left(?:[- ]sided)?|lt|sinistral",
    "right": r"right(?:[- ]sided)?|rt|dextral",
    "both": r"bilateral\w*|both (?:sides|lungs|kidneys|hips|knees|hands|feet|breasts|hemispheres|eyes|ovaries|"
    r"adrenal\w*|lower|upper)",
}
NO_SIDE = re.compile(
    r"\b(?:left|right)[- ](?:ventric\w+|atri\w+|heart|main|coronary|anterior descending|circumflex|bundle|sided heart|"
    r"upper (?:extremity|limb) (?:picc|line|catheter)|hand side|parasternal)\w*|right[- ](?:to|of)[- ]left|left[- "
    r"](?:to|of)[- ]right|right (?:side )?of (?:the )?(?:image|figure|panel)|left (?:side )?of (?:the )?(?:image|"
    r"figure|panel)|\((?:left|right)\)"
)
"""Sides that say nothing of the examined side: chambers of the heart, and panels of a figure."""


def _compiled(table: Mapping[str, str]) -> dict[str, re.Pattern[str]]:
    return {value: re.compile(rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])") for value, pattern in table.items()}


NEIGHBORS = [{REGION_OF_PART.get(part, part) for part in pair} for pair in EXAMINED_TOGETHER]
_NAMES, _SIGNS, _VIEWS = _compiled(MODALITY_NAMES), _compiled(MODALITY_SIGNS), _compiled(VIEWS)
CONTRAST_WORDS, _SIDES = _compiled(CONTRAST), _compiled(SIDES)


def facts_of_words(text: str) -> Facts:
    """The facts of the image that a text describes."""
    found: dict[FactKind, str | None] = {
        "modality": modality_named(text),
        "region": region_named(text),
        "laterality": _side(text),
        "view": only(_VIEWS, NOT_THIS_VIEW.sub(" ", text.lower())),
        "contrast": only(CONTRAST_WORDS, text.lower()),
    }
    if found["modality"] == "MG":
        found["region"] = "breast"
    return {kind: Fact(value, "words") for kind, value in found.items() if value}


def modality_named(text: str) -> str | None:
    """The one modality that a text names as its own, else the one whose words it uses."""
    text = re.sub(r"\bMr\.? (?=[A-Z])", "", text)  # a title
    lower = text.lower()
    patterns = {value: pattern for value, pattern in _NAMES.items() if pattern.search(lower)}
    named = {value for clause in _own_clauses(text) for value in _named(clause, patterns)} if patterns else set()
    if len(named) > 1:
        named.discard("OT")  # what a slide or a diagram shows beside the image
    if not named:
        named = {value for value, pattern in _SIGNS.items() if pattern.search(lower)}
    return named.pop() if len(named) == 1 else None


def region_named(text: str) -> str | None:
    """The region that most of the names in a text mean, unless another one is named nearly as often."""
    counts = regions_named(text)
    if not counts:
        return None
    (region, most), *rest = counts.most_common()
    others = sum(times for other, times in rest)
    if most > 2 * others or (rest and most >= 2 * others and {region, rest[0][0]} in NEIGHBORS):
        return region
    if set(counts) == {"abdomen", "pelvis"}:
        return "abdomen"
    return None


def _named(clause: str, patterns: Mapping[str, re.Pattern[str]]) -> set[str]:
    """The modalities that a clause names; the words of one are not looked at for the next."""
    found = set()
    for value, pattern in patterns.items():
        clause, times = pattern.subn(" ; ", clause)
        if times:
            found.add(value)
    return found


def _own_clauses(text: str) -> list[str]:
    """The clauses that may name the examination of the image: no negation, no earlier or recommended examination."""
    clauses = [
        clause
        for sentence in sentences(text)
        for clause in CLAUSE_END.split(re.sub(r"(?<=\w)\.(?=\w)", "", sentence.lower()))
    ]
    own = []
    for clause in clauses:
        cue = NEGATION.search(clause)
        before = clause if cue is None else clause[: cue.start()]
        if not NOT_THIS_EXAMINATION.search(clause):
            own.append(before)
    return own


def only(table: Mapping[str, re.Pattern[str]], text: str) -> str | None:
    """The one value that a text names; None for none or several."""
    found = [value for value, pattern in table.items() if pattern.search(text)]
    return found[0] if len(found) == 1 else None


def _side(text: str) -> str | None:
    """The one side that a text affirms."""
    affirmed = " ; ".join(NEGATION.split(clause)[0] for clause in CLAUSE_END.split(NO_SIDE.sub(" ", text.lower())))
    return only(_SIDES, affirmed)
