"""Recognizes body regions named in a text, and which of them exclude each other. Does not know sentences.

Two levels: body parts, and sites within a body part. A finding at one site is not at another site of the same kind.
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
# Findings that imply a body part. Unlike the names of body parts they can be negated.
IMPLIED_BY_FINDING = {
    "pneumothorax": "chest",
    "pneumonia": "chest",
    "cardiomegaly": "chest",
    "hydronephrosis": "abdomen",
}
# Neighboring body parts shown by one examination: naming one does not exclude the other.
EXAMINED_TOGETHER = [
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
# Sites that exclude each other, with synonyms after "=". Long bones are not listed because they reach two joints, nor
# are the organs of the chest because reports name them together.
SITES = {
    "lung height": "upper lower middle",
    "brain lobe": "frontal parietal temporal occipital cerebellar=cerebellum",
    "spine level": "cervical thoracic=dorsal lumbar sacral=sacrum",
    "arm joint": "shoulder=scapula=clavicle elbow wrist=hand=finger=carpal=metacarpal=thumb",
    "leg joint": "hip=acetabulum=acetabular knee=patella=patellar ankle=foot=calcaneus=metatarsal=toe=talus",
    "jaw": "mandible=mandibular maxilla=maxillary",
    "gland of the neck": "thyroid parotid submandibular",
    "organ": "liver=hepatic kidney=kidneys=renal spleen=splenic pancreas=pancreatic gallbladder=biliary "
    "stomach=gastric duodenum=duodenal colon=colonic appendix adrenal bladder uterus=uterine=endometrial "
    "ovary=ovaries=ovarian=adnexal prostate=prostatic rectum=rectal testis=testicular=scrotal",
}
SITE_OF = {
    word: (kind, names.split("=")[0])
    for kind, listed in SITES.items()
    if kind != "lung height"
    for names in listed.split()
    for word in names.split("=")
}
HEIGHT = re.compile(
    r"\b(upper|lower|middle|mid)\b"
    r"(?= (?:and (?:upper|lower|middle|mid) )?(?:\w+ )?(?:lobes?|zones?|fields?|lungs?|poles?)\b)"
)


def parts_of(text: str) -> frozenset[str]:
    """The body parts that a text names or implies."""
    return frozenset(
        (PART_OF | IMPLIED_BY_FINDING)[word] for word in words(text) if word in PART_OF or word in IMPLIED_BY_FINDING
    )


def sites_of(text: str) -> dict[str, set[str]]:
    """The sites that a text names, by kind of site: {"organ": {"liver"}}."""
    found: dict[str, set[str]] = {}
    for word in words(text):
        if word in SITE_OF:
            kind, site = SITE_OF[word]
            found.setdefault(kind, set()).add(site)
    for height in HEIGHT.findall(text.lower()):
        found.setdefault("lung height", set()).add("middle" if height == "mid" else height)
    return found


def exclude_each_other(one: str, other: str) -> bool:
    """Whether two texts are about regions that exclude each other: body parts not examined together, or sites."""
    a, b = parts_of(one), parts_of(other)
    if a and b and not a & b and not any(a | b <= pair for pair in EXAMINED_TOGETHER):
        return True
    first, second = sites_of(one), sites_of(other)
    return any(not first[kind] & second[kind] for kind in first.keys() & second.keys())
