"""Near-duplicates are found by pixels, picture and words, and said to be of different patients where they are."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.archive import Archive
from engine.retrieval.duplicates import DuplicateGroup, find_duplicates
from engine.store.case import NewCase, NewImage
from tests.engine.conftest import WordEncoder, picture

Make = Callable[..., NewCase]


def add(archive: Archive, key: str, *grays: NDArray[np.uint8], **facts: object) -> int:
    rows = WordEncoder().embed_images(grays)
    images = tuple(NewImage(gray, row, f"{key}{n}") for n, (gray, row) in enumerate(zip(grays, rows, strict=True)))
    return archive.add_case(NewCase(key, images=images, **facts))  # type: ignore[arg-type]


def brighter(seed: int) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray((picture(seed) // 2 + 40).astype(np.uint8)).resize((64, 80)))


def summary(group: DuplicateGroup) -> tuple[list[int], tuple[str, ...], str, bool]:
    return [case.case_id for case in group.cases], group.reasons, group.patients, not group.obstacle


def test_groups_by_pixels_picture_and_words(archive: Archive, make_case: Make) -> None:
    add(archive, "1", picture(1), patient="P")
    add(archive, "2", picture(1), patient="P")
    add(archive, "3", picture(3))
    add(archive, "4", brighter(3))
    add(archive, "5", picture(5), patient="P")
    add(archive, "6", picture(5), patient="Q")
    archive.add_case(make_case("7", "Normal chest, no effusion.", patient="R"))
    archive.add_case(make_case("8", "Normal chest; NO effusion", (8,), patient="R"))
    archive.add_case(make_case("9", "Normal chest, no effusion.", (9,)))
    archive.add_case(make_case("10", "Fracture."))
    archive.add_case(make_case("11", "Fracture."))
    add(archive, "12", picture(12), picture(13))
    add(archive, "13", picture(12), picture(14))  # shares a slice only
    groups = [summary(group) for group in find_duplicates(archive)]
    assert groups == [
        ([1, 2], ("same pixels",), "same", True),
        ([3, 4], ("same picture",), "unknown", True),
        ([5, 6], ("same pixels",), "different", False),
        ([7, 8], ("same words",), "same", False),  # "no effusion" beside "NO effusion": punctuation differs
        ([10, 11], ("same words",), "unknown", False),
    ]
    assert "patients" in find_duplicates(archive)[2].obstacle


def test_equal_words_of_studies_with_pictures_are_no_duplicates(archive: Archive, make_case: Make) -> None:
    for n in range(3):
        archive.add_case(make_case(str(n), "Normal chest.", (n + 1,), patient="P"))
    assert find_duplicates(archive) == []
    archive.add_case(make_case("text", "Normal chest.", patient="P"))  # which of the three it belongs to is unknown
    assert find_duplicates(archive) == []


def test_many_copies_are_one_group(archive: Archive) -> None:
    for n in range(14):
        add(archive, str(n), picture(1))
        add(archive, f"other {n}", picture(n + 20))
    (group,) = find_duplicates(archive)
    assert len(group.cases) == 14


def test_of_a_group_with_a_stranger_the_others_can_be_merged(archive: Archive) -> None:
    for key, patient in (("1", "P"), ("2", "Q"), ("3", "P")):
        add(archive, key, picture(1), patient=patient)
    (group,) = find_duplicates(archive)
    assert group.patients == "different"
    assert summary(group.only([1, 3])) == ([1, 3], ("same pixels",), "same", True)
