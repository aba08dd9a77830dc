"""The well-known color palettes of PS3.6 Annex B, for pseudo-color display of gray images. Knows no screen.

The tables come from pydicom.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from pydicom.pixels.processing import apply_color_lut

COLOR_MAPS = {
    "Hot iron": "1.2.840.10008.1.5.1",
    "PET": "1.2.840.10008.1.5.2",
    "Hot metal blue": "1.2.840.10008.1.5.3",
    "PET 20 step": "1.2.840.10008.1.5.4",
    "Spring": "1.2.840.10008.1.5.5",
    "Summer": "1.2.840.10008.1.5.6",
    "Fall": "1.2.840.10008.1.5.7",
    "Winter": "1.2.840.10008.1.5.8",
}
"""Names on screen and their UIDs (PS3.6 table A-1)."""


@cache
def color_map_table(name: str) -> NDArray[np.uint8]:
    """Colors of the gray levels 0 to 255: uint8 [256, 3], RGB.

    Raises:
        KeyError: no palette has this name.
    """
    table = np.asarray(apply_color_lut(np.arange(256, dtype=np.uint8), palette=COLOR_MAPS[name]), np.uint8)
    table.flags.writeable = False
    return table
