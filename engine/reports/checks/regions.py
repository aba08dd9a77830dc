"""Checks the body regions that the text names against those of the study. Rules over words; knows no image."""

import re
from collections.abc import Iterable, Sequence

from engine.facts.from_words import NEIGHBORS
from engine.facts.region_words import regions_named
from engine.reports.checks.check import Check, Known, Line
from engine.text.not_in_image import HISTORY

ALSO_SHOWN = (
    *({"chest", other} for other in ("limb", "neck", "spine", "abdomen", "breast")),
    *({"spine", other} for other in ("head", "neck", "chest", "abdomen", "pelvis")),
    *({"limb", other} for other in ("pelvis", "breast")),
)
"""Regions of which an image of the other shows a part, such as the shoulders on a chest radiograph."""
NO_REGION = re.compile(
    r"\b(?:ventricular(?! (?:system|shunt))|parenchymal|caudate(?: lobe)?|interstitial|lingula\w*|atrial|alveolar|"
    r"obturator|aorto ?-?iliac|calcified testes)\b",
    re.IGNORECASE,
)
"""Words that `region_words` counts for one region, but that other regions have too."""
SURE = 2
"""Weight of a named region from which a sentence is about it (`regions_named`); findings alone weigh 1."""


def region_checks(lines: Sequence[Line], known: Known) -> Iterable[Check]:
    """Sentences about regions that images of this study do not show."""
    if not known.regions:
        return
    shown = set(known.regions)
    for pair in (*NEIGHBORS, *ALSO_SHOWN):
        if pair & known.regions:
            shown |= pair
    for line in lines:
        named = regions_named(NO_REGION.sub(" ", line.text))
        if named and not set(named) & shown and max(named.values()) >= SURE and not HISTORY.search(line.text):
            other = named.most_common(1)[0][0]
            own = " and ".join(sorted(known.regions))
            yield Check("region", line.span, f"This sentence is about the {other}, the study shows the {own}.")
