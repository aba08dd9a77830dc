"""Color palettes: the values of PS3.6 Annex B and of pydicom's own files."""

from pathlib import Path

import numpy as np
import pydicom.data
import pytest
from pydicom import dcmread

from engine.image.color_maps import COLOR_MAPS, color_map_table


@pytest.mark.parametrize("name", COLOR_MAPS)
def test_a_palette_is_the_one_of_its_file(name: str) -> None:
    assert pydicom.data.__file__ is not None
    file = dcmread(Path(pydicom.data.__file__).parent / "palettes" / f"{name.lower().replace(' ', '')}.dcm")
    assert file.SOPInstanceUID == COLOR_MAPS[name]
    if "RedPaletteColorLookupTableData" in file:
        for channel, color in enumerate(("Red", "Green", "Blue")):
            data = np.frombuffer(file[f"{color}PaletteColorLookupTableData"].value, np.uint8)
            np.testing.assert_array_equal(color_map_table(name)[:, channel], data)


def test_hot_iron_has_the_values_of_the_standard() -> None:
    """PS3.6 B.1.1: red doubles until 127, then green until 191, then blue by four."""
    table = color_map_table("Hot iron")
    assert table[[0, 1, 64, 128, 129, 192, 255]].tolist() == [
        [0, 0, 0],
        [2, 0, 0],
        [128, 0, 0],
        [255, 0, 0],
        [255, 2, 0],
        [255, 128, 4],
        [255, 255, 255],
    ]
