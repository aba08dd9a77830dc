"""Says in one line why there is no draft: what is known of the image, then what is missing. Decides nothing."""

from collections.abc import Mapping
from typing import Literal

from engine.facts.fact import Facts
from engine.models.familiarity import BLANK, OUTSIDE
from engine.text.words import words

Silence = Literal["", "blank", "unfamiliar", "no archive", "far", "other examinations", "divided", "disagree"]
"""Why there is no draft; "" when there is one."""

LINES: Mapping[Silence, str] = {
    "blank": BLANK,
    "unfamiliar": OUTSIDE,
    "no archive": "Open an archive to draft from its reports.",
    "far": "Nothing in this archive is close enough to draft from.",
    "other examinations": "The nearest reports in this archive are of other examinations.",
    "divided": "The nearest reports in this archive are of different examinations.",
    "disagree": "The nearest reports in this archive do not agree on a finding.",
}
MODALITY_NAMES = {
    "CT": "CT",
    "MR": "MRI",
    "CR": "Radiograph",
    "US": "Ultrasound",
    "MG": "Mammogram",
    "NM": "Scintigram",
    "PT": "PET",
    "XA": "Angiogram",
    "ES": "Photograph",
}
REGION_NAMES = {"limb": "a limb"}
BODY_PART_NAMES = frozenset(
    words(
        "shoulder elbow wrist hand finger thumb hip knee ankle foot toe femur tibia forearm humerus skull brain orbit "
        "neck chest abdomen pelvis breast heart liver kidney bladder"
    )
)
"""Parts that are named as the header does (0018,0015), since they say more than the region."""


def line(silence: Silence, facts: Facts, body_part: str = "") -> str:
    """What is known of the image, and why there is no draft."""
    return f"{known(facts, body_part)} {LINES.get(silence, '')}".strip()


def known(facts: Facts, body_part: str = "") -> str:
    """What is known of the image, as a sentence: "Radiograph of the hip."; "" when nothing is.

    Args:
        facts: of the image.
        body_part: of the header (0018,0015).
    """
    modality, region = facts.get("modality"), facts.get("region")
    name = MODALITY_NAMES.get(modality.value, "") if modality else ""
    part = body_part.strip().lower()
    where = f"the {part}" if part in BODY_PART_NAMES else ""
    if region and not where:
        where = REGION_NAMES.get(region.value, f"the {region.value}")
    if not name and not where:
        return ""
    text = f"{name or 'Image'} of {where}" if where else name
    guessed = any(fact.source == "models" for fact in (modality, region) if fact)
    return f"{text} (according to the models)." if guessed else f"{text}."
