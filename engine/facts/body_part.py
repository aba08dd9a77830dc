"""Reduces Body Part Examined (0018,0015) to anatomical terms, since people write names there too. Opens no files."""

import re

from engine.facts.fact import REGIONS
from engine.facts.region_words import WORDS
from engine.text.name_words import flat

TERMS = frozenset(
    re.findall(
        r"\w+",
        "abdomen abdomenpelvis adrenal ankle anus aorta arm artery axilla back bladder body bone brain breast "
        "bronchus buttock calcaneus calf carotid cervix cheek chest chestabdomen chestabdpelvis chin choroid circle "
        "clavicle coccyx colon cornea coronaryartery cspine ctspine lspine tspine lsspine tlspine sspine digit "
        "duodenum ear elbow entire esophagus extremity eye eyelid face femur finger fibula foot forearm gallbladder "
        "hand head headneck heart hip humerus ileum ilium iac jaw jejunum joint kidney knee larynx leg limb liver "
        "lower lung maxilla mandible mediastinum mouth neck neckchest neckchestabdomen neckchestabdpelv nose orbit "
        "ovary pancreas parotid patella pelvis penis pharynx prostate rectum rib ribs sacrum scalp scapula sclera "
        "scrotum shoulder sijoint skull spine spleen sternum stomach submandibular testis thigh thoracic thorax thumb "
        "thymus thyroid tibia tjunction tmj toe tongue trachea trunk upper ureter urethra uterus vagina vein vulva "
        "whole wholebody wrist zygoma soft tissue tissues wall cavity sinus sinuses nasal paranasal aortic arch iliac "
        "internal auditory canal cervical lumbar sacral dorsal joints extremities region abdominal pelvic urinary "
        "biliary tract vessels vessel head_neck",
    )
)
"""Words of the defined terms of PS3.16 annex L, and of their meanings."""
_SMALL = frozenset(
    re.findall(
        r"\w+",
        "l r b lt rt li re left right both links rechts gauche droite droit izquierda izquierdo derecha derecho "
        "sinistra sinistro destra destro dx sx bds of and the und et y e ap pa lat c t s",
    )
)


def body_part_term(text: str) -> str:
    """The text itself if all it holds are anatomical words or sides; else its anatomical words, and "" without any."""
    words = re.findall(r"[^\W\d_]+", text)
    anatomical = [word for word in words if _is_anatomical(flat(word))]
    if not anatomical:
        return ""
    digits = any(map(str.isdigit, text))
    if not digits and all(word in anatomical or flat(word) in _SMALL for word in words):
        return text
    return " ".join(anatomical)


def _is_anatomical(word: str) -> bool:
    return word in TERMS or word in WORDS or word in REGIONS
