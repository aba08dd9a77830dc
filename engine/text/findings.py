"""Names the findings of a report sentence, each affirmed or negated. Rules over words; knows no models.

The vocabulary is compiled by hand from what reports of radiographs, CT, MR and ultrasound name most often; it covers
the MeSH headings of the IU X-ray reports. Synonyms share one name. What a sentence calls normal is a negated
abnormality: "Heart size is normal" negates "heart abnormality", "Normal chest" negates "abnormality". A word that is
not in the vocabulary is not a finding, so that a rule built on this never agrees about what it does not understand.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from engine.text.conflicts import NORMAL, SIDES, clauses
from engine.text.words import singular, words

ABNORMALITY = "abnormality"
FINDINGS = {
    # Lungs and pleura
    "opacity": "opacity, opacification, opacified, opaque, density, infiltrate, infiltration, infiltrative, shadowing, "
    "airspace disease, air space disease, ground glass, groundglass, ggo, haziness, hazy, whiteout",
    "consolidation": "consolidation, consolidative, consolidated, air bronchogram",
    "pneumonia": "pneumonia, pneumonitis, bronchopneumonia, covid 19, covid",
    "atelectasis": "atelectasis, atelectatic, collapse, collapsed, volume loss, loss of volume",
    "nodule": "nodule, nodular, nodularity, micronodule",
    "granuloma": "granuloma, granulomatous, granulomata",
    "effusion": "pleural effusion, effusion, pleural fluid, hydrothorax, hemothorax, hydropneumothorax",
    "blunted angle": "blunting, blunted",
    "pneumothorax": "pneumothorax, pneumothoraces, hydropneumothorax",
    "edema": "edema, oedema, edematous, oedematous",
    "congestion": "congestion, congested, cephalization, vascular prominence, engorgement, heart failure",
    "emphysema": "emphysema, emphysematous, hyperinflation, hyperinflated, hyperexpansion, hyperexpanded, hyperlucent, "
    "hyperlucency, hyperdistention, copd, chronic obstructive, flattened diaphragm, bulla, bullous, bleb",
    "low volume": "low lung volume, hypoinflation, hypoinflated, poor inspiration, low inspiratory",
    "fibrosis": "fibrosis, fibrotic, scar, scarring, cicatrix, honeycombing, reticulation, reticular",
    "interstitial disease": "interstitial, interlobular septal thickening, septal thickening, kerley",
    "bronchiectasis": "bronchiectasis, bronchiectatic",
    "cavity": "cavity, cavitary, cavitation, cavitating",
    "tuberculosis": "tuberculosis, tuberculous, tuberculoma",
    "embolism": "embolism, embolus, emboli, embolic, filling defect",
    "raised diaphragm": "eventration, elevated hemidiaphragm, raised hemidiaphragm, elevation of the hemidiaphragm",
    # Heart and vessels
    "cardiomegaly": "cardiomegaly, cardiac enlargement, heart enlargement, enlarged heart, megalocardia",
    "pericardial effusion": "pericardial effusion, hemopericardium, tamponade",
    "aneurysm": "aneurysm, aneurysmal, pseudoaneurysm",
    "dissection": "dissection, intimal flap",
    "tortuosity": "tortuous, tortuosity, ectasia, ectatic, unfolded, uncoiled",
    "atherosclerosis": "atherosclerosis, atherosclerotic, arteriosclerosis, plaque",
    "stenosis": "stenosis, stenotic, narrowing, narrowed, stricture",
    "occlusion": "occlusion, occluded",
    "thrombosis": "thrombosis, thrombus, thrombi, thrombosed",
    "malformation": "malformation, arteriovenous, avm",
    # Bones and joints
    "fracture": "fracture, fractured, fragment, compression deformity",
    "dislocation": "dislocation, dislocated, subluxation, subluxed",
    "degeneration": "degenerative, degeneration, osteophyte, osteophytosis, spondylosis, osteoarthritis, arthritis, "
    "arthrosis, spurring, spur, hyperostosis, joint space narrowing",
    "scoliosis": "scoliosis, scoliotic, levoscoliosis, dextroscoliosis, levocurvature, dextrocurvature",
    "kyphosis": "kyphosis, kyphotic",
    "osteopenia": "osteopenia, osteopenic, osteoporosis, osteoporotic, demineralization, demineralized",
    "lytic lesion": "lytic, osteolytic, lucency, lucent, radiolucency, radiolucent",
    "sclerosis": "sclerosis, sclerotic",
    "erosion": "erosion, erosive, eroded",
    "periosteal reaction": "periosteal reaction, periostitis",
    "osteonecrosis": "osteonecrosis, avascular necrosis",
    "osteomyelitis": "osteomyelitis, discitis, spondylodiscitis",
    "joint effusion": "joint effusion, hemarthrosis, lipohemarthrosis",
    "disc herniation": "disc herniation, disk herniation, disc protrusion, disc bulge, disc extrusion, herniated disc",
    "tear": "tear, torn, rupture, ruptured",
    # Anywhere
    "mass": "mass, tumor, tumour, neoplasm, neoplastic, lesion, malignancy, malignant, carcinoma, cancer, sarcoma",
    "metastasis": "metastasis, metastatic, metastase",
    "lymphoma": "lymphoma, lymphomatous",
    "cyst": "cyst, cystic, pseudocyst",
    "abscess": "abscess, empyema",
    "calcification": "calcification, calcified, calcinosis, calcific, microcalcification",
    "stone": "stone, calculus, calculi, gallstone, cholelithiasis, nephrolithiasis, lithiasis",
    "hemorrhage": "hemorrhage, haemorrhage, hemorrhagic, bleed, bleeding, hematoma, haematoma, subarachnoid, "
    "extravasation",
    "hernia": "hernia, herniation, herniated",
    "thickening": "thickening, thickened",
    "dilatation": "dilatation, dilation, dilated, distended, distension, distention",
    "obstruction": "obstruction, obstructed, obstructive, obstructing, ileus, volvulus, intussusception",
    "perforation": "perforation, perforated, free air, pneumoperitoneum, free gas",
    "subcutaneous gas": "subcutaneous emphysema, subcutaneous gas, subcutaneous air, pneumomediastinum",
    "ascites": "ascites, free fluid, peritoneal fluid",
    "collection": "collection, seroma",
    "stranding": "stranding, fat stranding",
    "lymphadenopathy": "lymphadenopathy, adenopathy, lymph node enlargement, enlarged lymph node",
    "hepatomegaly": "hepatomegaly, liver enlargement, hepatosplenomegaly",
    "splenomegaly": "splenomegaly, spleen enlargement, hepatosplenomegaly",
    "hydronephrosis": "hydronephrosis, hydroureter, hydroureteronephrosis, pelviectasis",
    "appendicitis": "appendicitis, appendicolith",
    "diverticulum": "diverticulum, diverticula, diverticulosis, diverticulitis, diverticular",
    "fistula": "fistula, fistulous",
    "foreign body": "foreign body, foreign bodies",
    "infarction": "infarction, infarct, infarcted, ischemia, ischemic, ischaemic, stroke",
    "necrosis": "necrosis, necrotic",
    "atrophy": "atrophy, atrophic",
    "hydrocephalus": "hydrocephalus, ventriculomegaly, ventricle enlargement, ventricle dilatation",
    "midline shift": "midline shift, mass effect",
    "demyelination": "demyelination, demyelinating, multiple sclerosis",
    "meningioma": "meningioma",
    "glioma": "glioma, glioblastoma, astrocytoma, oligodendroglioma, ependymoma",
    "schwannoma": "schwannoma, neuroma, neurofibroma",
    "adenoma": "adenoma, macroadenoma, microadenoma",
    "hemangioma": "hemangioma, haemangioma",
    "lipoma": "lipoma, liposarcoma, lipomatous",
    "agenesis": "agenesis, aplasia, hypoplasia, hypoplastic, dysgenesis",
    "enhancement": "enhancement, enhancing, enhance, enhanced lesion",
    "hyperintensity": "hyperintensity, hyperintense, high signal, increased signal, bright signal, high intensity",
    "hypointensity": "hypointensity, hypointense, low signal, decreased signal, low intensity",
    "hypodensity": "hypodensity, hypodense, hypoattenuating, hypoattenuation, low density, low attenuation",
    "hyperdensity": "hyperdensity, hyperdense, hyperattenuating, hyperattenuation, high density, high attenuation",
    "hypoechoic": "hypoechoic, hypoechogenic, anechoic, hypoecho",
    "hyperechoic": "hyperechoic, hyperechogenic, echogenic",
    "restricted diffusion": "restricted diffusion, diffusion restriction",
    "uptake": "uptake, hypermetabolic, hypermetabolism",
    "B lines": "b line, lung rocket, comet tail",
    "enlargement": "enlargement, enlarged",
    # Devices
    "tube": "tube, endotracheal, tracheostomy, nasogastric, drain",
    "catheter": "catheter, picc, port a cath, portacath, mediport, central line, central venous line",
    "pacemaker": "pacemaker, defibrillator, icd, pacing lead, aicd",
    "surgical material": "clip, suture, sternotomy, staple, surgical wire, valve replacement, cabg",
    "hardware": "hardware, screw, prosthesis, arthroplasty, implant, fixation, rod, stent, spinal fusion",
    ABNORMALITY: "abnormality, disease, process, finding, pathology, abnormal",
}
"""Name of a finding -> its wordings, in the singular."""
ORGANS = {
    "lung": "lung, pulmonary, airspace, bronchial, bronchus, lobe, lobar, hemithorax, bibasilar, bibasal, perihilar",
    "pleura": "pleura, pleural, costophrenic",
    "heart": "heart, cardiac, cardiomediastinal, cardiothoracic, ventricular",
    "mediastinum": "mediastinum, mediastinal, cardiomediastinal, hilar, hilum, hila",
    "vessel": "aorta, aortic, artery, arterial, vein, venous, vascular, vasculature, vascularity, carotid",
    "bone": "bone, bony, osseous, rib, skeletal, skeleton, clavicle, humerus, femur, femoral, tibia, fibula, radius, "
    "ulna, scapula, sternum, cortex, cortical, acetabulum, calcaneus, metatarsal, metacarpal, phalanx, patella",
    "spine": "spine, spinal, vertebra, vertebral, disc, disk, cord, lumbar, cervical, thoracic spine",
    "brain": "brain, cerebral, intracranial, cerebellum, cerebellar, frontal lobe, temporal lobe, parietal lobe, "
    "occipital lobe, ventricle, thalamus, basal ganglia, pons, midbrain, white matter, gray matter, pituitary, sella, "
    "suprasellar, corpus callosum, meninges, dural",
    "orbit": "orbit, orbital, optic, globe, eye",
    "sinus": "sinus, maxillary, ethmoid, sphenoid, nasal",
    "jaw": "mandible, mandibular, tooth, teeth, dental",
    "thyroid": "thyroid",
    "breast": "breast, nipple, mammary",
    "liver": "liver, hepatic",
    "biliary": "gallbladder, biliary, bile, cholecyst",
    "pancreas": "pancreas, pancreatic",
    "spleen": "spleen, splenic",
    "kidney": "kidney, renal, ureter, ureteral, ureteric",
    "adrenal": "adrenal",
    "bladder": "bladder",
    "bowel": "bowel, colon, colonic, sigmoid, ileum, ileal, jejunum, duodenum, duodenal, stomach, gastric, rectum, "
    "rectal, cecum, appendix, intestine, intestinal, esophagus, esophageal",
    "uterus": "uterus, uterine, endometrium, endometrial, cervix",
    "ovary": "ovary, ovarian, adnexal, adnexa",
    "prostate": "prostate, prostatic",
    "testis": "testis, testicular, scrotum, scrotal",
    "joint": "joint, knee, hip, shoulder, ankle, elbow, wrist, meniscus, ligament, tendon, cartilage",
    "muscle": "muscle, muscular, soft tissue",
}
"""Organ -> its wordings, in the singular."""
OF_ORGAN = {
    ("heart", "enlargement"): "cardiomegaly",
    ("liver", "enlargement"): "hepatomegaly",
    ("spleen", "enlargement"): "splenomegaly",
    ("vessel", "dilatation"): "aneurysm",
    ("brain", "enlargement"): "enlargement",
}
"""What a general finding of one organ is called."""
ORGAN_OF = {
    **dict.fromkeys(
        ("atelectasis", "consolidation", "emphysema", "interstitial disease", "opacity", "pneumonia", "tuberculosis"),
        "lung",
    ),
    **dict.fromkeys(("blunted angle", "effusion", "pneumothorax"), "pleura"),
    "cardiomegaly": "heart",
}
"""Organ of a finding that reports name without it: "Focal opacity at the right base." """
NOT_NEGATED = re.compile(
    r"\b(?:no (?:\w+ )?(?:interval )?change|not only|without (?:and with )?(?:\w+ )?contrast|non ?contrast|"
    r"no contrast)\b"
)
NOT_EXCLUDED = re.compile(
    r"\b(?:cannot|can t|not|difficult to|hard to) (?:\w+ )?(?:be )?(?:\w+ )?(?:excluded?|ruled? out)\b|"
    r"(?:^|(?<=[.;:,] )|\b(?:with|and|the|an?|interval|previously|recently) )resolved (?=[a-z])"
)
"""Negates nothing and affirms nothing: "cannot be excluded", "with resolved pneumothorax"; read as DOUBTFUL."""
DOUBTFUL = "doubtful"
DOUBT = re.compile(
    rf"\b(?:{DOUBTFUL}|possibl[ey]|probabl[ey]|likely|unlikely|suspicio\w*|suspect\w*|question\w*|may|might|could|equivocal|"
    r"rule out|history of)\b"
)
"""Such a clause does not affirm, and "no suspicious mass" still negates."""
BORDERLINE = re.compile(r"\b(?:upper limits?(?: of)? normal|borderline|top normal|high normal)\b")
"""Neither normal nor abnormal."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a sentence or a report says is there, and what is not."""

    affirmed: frozenset[str]
    negated: frozenset[str]
    """With ABNORMALITY for what is normal as a whole, and "heart abnormality" for a normal organ."""
    organs: frozenset[str]
    sides: frozenset[str]
    """Any of "left", "right" and "both"."""
    doubted: frozenset[str] = frozenset()
    """Findings that are possible, unlikely, to be ruled out or gone."""
    mixed: bool = False
    """Whether a sentence names left and right and several findings, so that their sides are not known."""

    @property
    def abnormal(self) -> frozenset[str]:
        """What is affirmed or doubted."""
        return self.affirmed | self.doubted

    @property
    def all(self) -> frozenset[tuple[str, bool]]:
        """Every finding with whether it is affirmed."""
        return frozenset({(name, True) for name in self.affirmed} | {(name, False) for name in self.negated})

    @property
    def normal(self) -> bool:
        """Whether it affirms and doubts nothing abnormal and calls the whole or an organ normal."""
        return not self.abnormal and any(name.endswith(ABNORMALITY) for name in self.negated)


@lru_cache(maxsize=20_000)
def findings(sentence: str) -> Findings:
    """The findings of one sentence."""
    affirmed: set[str] = set()
    negated: set[str] = set()
    doubted: set[str] = set()
    lower = NOT_EXCLUDED.sub(f" {DOUBTFUL} ", NOT_NEGATED.sub(" ", " ".join(words_and_stops(sentence))))
    for clause, is_negated in clauses(lower):
        text, in_doubt = _certain(clause, is_negated)
        doubted |= _findings_in(in_doubt)
        organs, found = _named(text, "organs"), _findings_in(text)
        if not is_negated and NORMAL.search(text) and not BORDERLINE.search(text):
            named = _normal_organs(text) if found - {ABNORMALITY} else organs
            negated |= {f"{organ} {ABNORMALITY}" for organ in named} or (set() if found else {ABNORMALITY})
        if is_negated:
            negated |= {f"{organ} {ABNORMALITY}" for organ in organs} if found == {ABNORMALITY} and organs else found
        else:
            affirmed |= found - {ABNORMALITY}
    sides = {SIDES[word] for word in words(sentence) if word in SIDES}
    mixed = sides >= {"left", "right"} and len(affirmed | negated) > 1
    if sides >= {"left", "right"} or "both" in sides:
        sides = {"both"}
    return Findings(
        frozenset(affirmed),
        frozenset(negated - affirmed),
        frozenset(_named(lower, "organs")),
        frozenset(sides),
        frozenset(doubted - affirmed),
        mixed,
    )


def together(parts: "list[Findings] | tuple[Findings, ...]") -> Findings:
    """The findings of a report from those of its sentences: what one sentence affirms is affirmed."""
    affirmed = frozenset[str]().union(*(part.affirmed for part in parts))
    negated = frozenset[str]().union(*(part.negated for part in parts))
    organs = frozenset[str]().union(*(part.organs for part in parts))
    sides = frozenset[str]().union(*(part.sides for part in parts))
    doubted = frozenset[str]().union(*(part.doubted for part in parts))
    return Findings(affirmed, negated - affirmed, organs, sides, doubted - affirmed)


def _findings_in(text: str) -> set[str]:
    """The findings that a clause names, by the organ that it names."""
    organs = _named(text, "organs")
    return {
        next((OF_ORGAN[organ, name] for organ in organs if (organ, name) in OF_ORGAN), name)
        for name in _named(text, "findings")
    }


def _certain(text: str, is_negated: bool) -> tuple[str, str]:
    """What is certain in a clause, and what is in doubt: "opacity" | "may be pneumonia", but all of "is possible"."""
    cue = re.search(rf"\b{DOUBTFUL}\b", text) or (None if is_negated else DOUBT.search(text))
    if cue is None or not _named(text, "findings"):
        return text, ""
    before, after = text[: cue.start()], text[cue.end() :]
    follows = cue.group() != DOUBTFUL and not re.search(r"\b(?:is|are|was|were|be) $", before)
    return (before, after) if follows and _named(before, "findings") and _named(after, "findings") else ("", text)


def _normal_organs(text: str) -> set[str]:
    """The organs that a clause calls normal beside a finding: those of its pieces that have no finding."""
    pieces = [one for one in re.split(r"\b(?:and|with)\b|,", text) if NORMAL.search(one)]
    return {organ for one in pieces if _named(one, "findings") <= {ABNORMALITY} for organ in _named(one, "organs")}


def words_and_stops(sentence: str) -> list[str]:
    """Lower-case words and the marks that end a clause, in order; hyphens separate words."""
    return re.findall(r"[a-z0-9]+|[.;:,]", re.sub(r"(?<=\d)\.(?=\d)", "", sentence.lower()))


def _named(text: str, kind: str) -> set[str]:
    """The names of the vocabulary that a text contains; the longest wording first, so that parts of it do not count."""
    pattern, names = _vocabulary(kind)
    plain = " ".join(singular(word) for word in words(text))
    return {name for found in pattern.finditer(plain) for name in names[found.group()]}


@cache
def _vocabulary(kind: str) -> tuple[re.Pattern[str], dict[str, list[str]]]:
    names: dict[str, list[str]] = {}
    for name, wordings in (FINDINGS if kind == "findings" else ORGANS).items():
        for wording in wordings.split(","):
            plain = " ".join(singular(word) for word in wording.split())
            names.setdefault(plain, []).append(name)
    longest = sorted(names, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, longest))})\b"), names
