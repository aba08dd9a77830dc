"""Whether two report sentences contradict each other in negation, laterality or body part. Knows no similarity.

A rule of words after NegEx (Chapman et al. 2001): a cue negates what follows it until the clause ends. It errs towards
conflict, since a false support misleads and a missing one only leaves a sentence marked as unsupported.
"""

import re
from dataclasses import dataclass

from engine.words import STOP, words

NEGATION = re.compile(
    r"\b(?:no longer|no|not|without|absent|absence of|free of|negative for|denies|denied|excludes?|excluded|ruled out|"
    r"rules out|resolved|never|neither|nor|cannot|none|nonspecific for|lack of|lacks)\b"
)
CLAUSE_END = re.compile(r"\b(?:but|however|although|though|except|apart from|besides|yet|while|whereas)\b|[.;:]")
NORMAL = re.compile(r"\b(?:normal|unremarkable|clear|intact|within normal limits|healthy|negative)\b")
SIDES = {
    **dict.fromkeys(["left", "lt", "sinistral"], "left"),
    **dict.fromkeys(["right", "rt", "dextral"], "right"),
    **dict.fromkeys(["bilateral", "bilaterally", "both"], "both"),
}
BODY_PARTS = {
    "head": "head brain skull cranial intracranial cerebral cerebellar cerebellum cerebrum frontal temporal "
    "hemispheric parietal occipital ventricle ventricles thalamus pituitary orbit orbital sinus sinuses mandible "
    "mandibular maxilla maxillary panoramic tooth teeth dental facial temporomandibular",
    "neck": "neck thyroid larynx laryngeal carotid parotid submandibular pharynx pharyngeal epiglottis",
    "chest": "chest lung lungs pulmonary pleural pleura thorax thoracic hilar hilum mediastinum mediastinal bronchus "
    "bronchial cardiac heart aortic aorta pericardial coronary rib ribs cardiomediastinal costophrenic diaphragm "
    "lingula",
    "breast": "breast breasts mammogram mammography mammographic axillary axilla",
    "abdomen": "abdomen abdominal liver hepatic kidney kidneys renal spleen splenic pancreas pancreatic gallbladder "
    "biliary bowel colon colonic stomach gastric duodenum duodenal intestinal appendix adrenal peritoneal mesenteric "
    "retroperitoneal jejunal ileal",
    "pelvis": "pelvis pelvic bladder uterus uterine ovary ovarian prostate prostatic rectum rectal sacrum sacral "
    "endometrial cervix adnexal scrotal testicular testis",
    "spine": "spine spinal vertebra vertebrae vertebral cervical lumbar disc disk intervertebral cord",
    "arm": "shoulder humerus humeral elbow radius radial ulna ulnar wrist hand finger carpal metacarpal scapula "
    "clavicle forearm thumb",
    "leg": "hip femur femoral knee tibia tibial fibula fibular ankle foot calcaneus metatarsal patella patellar toe "
    "talus acetabular acetabulum",
}
PART_OF = {word: part for part, listed in BODY_PARTS.items() for word in listed.split()}
# Findings that imply a region; they are terms that can be denied, which names of regions are not.
IMPLIED = {"pneumothorax": "chest", "pneumonia": "chest", "cardiomegaly": "chest", "hydronephrosis": "abdomen"}
# Neighbouring regions that one examination shows, so that naming the one does not exclude the other.
TOGETHER = [
    {"abdomen", "pelvis"},
    {"chest", "spine"},
    {"neck", "spine"},
    {"head", "neck"},
    {"pelvis", "leg"},
    {"abdomen", "spine"},
    {"pelvis", "spine"},
    {"chest", "breast"},
    {"chest", "abdomen"},
]
NEUTRAL = STOP | set(
    re.findall(
        r"\w+",
        "image images scan radiograph radiographs ray xray film ct mr mri ultrasound ultrasonography tomography "
        "computed magnetic resonance view views axial coronal sagittal contrast enhanced weighted t1 t2 flair arrow "
        "arrows seen shows showing show demonstrates demonstrating demonstrated revealed "
        "reveals revealing evidence sign signs finding findings patient after before follow up upper lower lobe "
        "lobes side sided region area areas acute any right left bilateral both male female year old man woman "
        "anterior posterior lateral medial",
    )
)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a sentence says: affirmed and negated words, sides, body parts, and whether it calls things normal."""

    affirmed: frozenset[str]
    negated: frozenset[str]
    sides: frozenset[str]
    parts: frozenset[str]
    normal: bool


def claims(sentence: str) -> Claims:
    """Read a sentence by the rules of this module."""
    lower = sentence.lower()
    affirmed: set[str] = set()
    negated: set[str] = set()
    normal = False
    for clause in CLAUSE_END.split(re.sub(r"(?<=\d)\.(?=\d)", "", lower)):
        cue = NEGATION.search(clause)
        before, after = (clause, "") if cue is None else (clause[: cue.start()], clause[cue.end() :])
        affirmed |= _terms(before)
        negated |= _terms(after)
        normal = normal or bool(NORMAL.search(before)) or (cue is not None and "abnormal" in after)
    found = words(lower)
    sides = frozenset(SIDES[word] for word in found if word in SIDES)
    if sides == {"left", "right"} or "both" in sides:
        sides = frozenset({"both"})
    parts = frozenset((PART_OF | IMPLIED)[word] for word in found if word in PART_OF or word in IMPLIED)
    return Claims(frozenset(affirmed), frozenset(negated), sides, parts, normal)


def conflict(one: str, other: str) -> str | None:
    """What two sentences contradict each other in: "negation", "laterality", "body part"; None when in nothing."""
    a, b = claims(one), claims(other)
    if a.affirmed & b.negated - b.affirmed or b.affirmed & a.negated - a.affirmed:
        return "negation"
    if a.normal != b.normal and not _only_denies(b if a.normal else a):
        return "negation"
    if a.sides and b.sides and a.sides != b.sides:
        return "laterality"
    if a.parts and b.parts and not a.parts & b.parts and not any(a.parts | b.parts <= pair for pair in TOGETHER):
        return "body part"
    return None


def dispute(one: str, other: str) -> str | None:
    """The conflict of two sentences about one thing: they share a finding, or one calls its body part normal.

    Two sentences that merely differ in what they are about are in conflict as evidence, but dispute nothing.
    """
    kind = conflict(one, other)
    if kind not in ("negation", "laterality"):
        return None
    a, b = claims(one), claims(other)
    same_finding = bool((a.affirmed | a.negated) & (b.affirmed | b.negated))
    return kind if same_finding or (kind == "negation" and a.normal != b.normal and a.parts & b.parts) else None


def _only_denies(claim: Claims) -> bool:
    """It affirms nothing, as in "No acute abnormality": that goes with a normal finding."""
    return bool(claim.negated) and not claim.affirmed


def _terms(text: str) -> set[str]:
    """Words that may name a finding: stems of what is neither grammar, technique, side nor body part."""
    return {
        _stem(word)
        for word in words(text)
        if len(word) > 2 and not word.isdigit() and word not in NEUTRAL and word not in PART_OF and word not in SIDES
    }


def _stem(word: str) -> str:
    """Plural and singular as one."""
    for plural, singular in (("thoraces", "thorax"), ("stases", "stasis"), ("noses", "nosis"), ("sses", "ss")):
        if word.endswith(plural):
            return word.removesuffix(plural) + singular
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith("ss") and not word.endswith("is") and len(word) > 3:
        return word[:-1]
    return word
