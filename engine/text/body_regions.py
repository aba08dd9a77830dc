"""Which regions of the body words name, and which of them exclude each other. Knows no sentences.

Two levels: parts that one examination shows, and places within a part, of which a finding is in one or the other.
"""

import re

from engine.text.words import words

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
# Places that exclude each other: a finding in the one is no finding in the other. Long bones reach two joints and are
# in no set; organs of the chest touch each other in every report and are in none either.
PLACES = {
    "lung height": "upper lower middle",
    "brain lobe": "frontal parietal temporal occipital cerebellar=cerebellum",
    "spine level": "cervical thoracic=dorsal lumbar sacral=sacrum",
    "arm joint": "shoulder=scapula=clavicle elbow wrist=hand=finger=carpal=metacarpal=thumb",
    "leg joint": "hip=acetabulum=acetabular knee=patella=patellar ankle=foot=calcaneus=metatarsal=toe=talus",
    "organ": "liver=hepatic kidney=kidneys=renal spleen=splenic pancreas=pancreatic gallbladder=biliary "
    "stomach=gastric duodenum=duodenal colon=colonic appendix adrenal bladder uterus=uterine=endometrial "
    "ovary=ovaries=ovarian=adnexal prostate=prostatic rectum=rectal testis=testicular=scrotal",
}
PLACE_OF = {
    word: (kind, names.split("=")[0])
    for kind, listed in PLACES.items()
    if kind != "lung height"
    for names in listed.split()
    for word in names.split("=")
}
HEIGHT = re.compile(
    r"\b(upper|lower|middle|mid)\b"
    r"(?= (?:and (?:upper|lower|middle|mid) )?(?:\w+ )?(?:lobes?|zones?|fields?|lungs?|poles?)\b)"
)


def parts_of(text: str) -> frozenset[str]:
    """The parts of the body that a text names or implies."""
    return frozenset((PART_OF | IMPLIED)[word] for word in words(text) if word in PART_OF or word in IMPLIED)


def places_of(text: str) -> dict[str, set[str]]:
    """The places that a text names, by kind of place: {"organ": {"liver"}}."""
    found: dict[str, set[str]] = {}
    for word in words(text):
        if word in PLACE_OF:
            kind, place = PLACE_OF[word]
            found.setdefault(kind, set()).add(place)
    for height in HEIGHT.findall(text.lower()):
        found.setdefault("lung height", set()).add("middle" if height == "mid" else height)
    return found


def apart(one: str, other: str) -> bool:
    """Whether two texts speak of different regions: parts that no examination shows together, or other places."""
    a, b = parts_of(one), parts_of(other)
    if a and b and not a & b and not any(a | b <= pair for pair in TOGETHER):
        return True
    first, second = places_of(one), places_of(other)
    return any(not first[kind] & second[kind] for kind in first.keys() & second.keys())
