"""Names are sorted as people sort them."""

import random

from engine.dicom.natural_order import natural_key

ORDER = ["1", "2", "10", "1000000", "a", "IM1", "IM1a", "im01b", "IM2", "IM2.5", "IM2.10", "IM10", "z9", "z10", "é"]


def test_numbers_in_names_count_as_numbers() -> None:
    shuffled = ORDER[:]
    random.Random(3).shuffle(shuffled)
    assert sorted(shuffled, key=natural_key) == ORDER


def test_any_name_has_a_place() -> None:
    names = ["9" * 6000, "0", "00", "000", "IM٣", "caf\udce9", "A", "a"]
    backwards = names[::-1]
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)
