"""Which images of a split are other views of the same case. Does not open an image."""

from collections import defaultdict
from collections.abc import Sequence

from training.data.pairs import Pair

RADIOGRAPHS = {"CR", "DX", "RG", "PX"}


def other_views(rows: Sequence[Pair]) -> list[list[int]]:
    """For each row the other rows of its study that show another view of it, such as the lateral view of a chest.

    A study is what one patient has under one text. Of radiographs every other film counts: their labels cannot be
    relied on (in IU X-ray half of all lateral films are labelled PA). Of other modalities only an image in another
    known plane counts: two slices of a series are nearly one image.
    """
    studies: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        studies[row.patient, row.group, row.text].append(number)
    return [
        [other for other in studies[row.patient, row.group, row.text] if is_other_view(row, rows[other])]
        for row in rows
    ]


def is_other_view(one: Pair, other: Pair) -> bool:
    """Whether two images of a study are different views of it."""
    modality = one.values.get("modality", "")
    if one.path == other.path or other.values.get("modality", "") != modality:
        return False
    views = [row.values.get("view", "").lower() for row in (one, other)]
    return modality in RADIOGRAPHS or (all(views) and views[0] != views[1])
