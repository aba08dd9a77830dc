"""What the sample archive promises: images that may be shown and shipped, with credit, and searchable facts."""

import csv
from collections import Counter

import pytest
from PIL import Image

from engine.facts.fact import MODALITIES, REGIONS
from engine.importing.csv_files import read_image_folder
from engine.importing.source import FoundCase
from engine.resources import resource_path
from engine.text.deidentify import clean

FOLDER = resource_path("sample-archive")
LIMIT = 18_000_000
"""Bytes of all images; they stay in the history of the repository."""


@pytest.fixture(scope="module")
def cases() -> list[FoundCase]:
    found = list(read_image_folder(FOLDER))
    assert all(isinstance(one, FoundCase) for one in found)
    return [one for one in found if isinstance(one, FoundCase)]


def test_most_cases_have_an_image_to_look_at(cases: list[FoundCase]) -> None:
    with_image = [one for one in cases if one.images]
    assert len(with_image) >= 600
    assert len(with_image) >= 4 * (len(cases) - len(with_image))
    assert any(not one.text for one in with_image)


def test_every_case_says_what_was_examined_and_where(cases: list[FoundCase]) -> None:
    assert {one.modality for one in cases} <= set(MODALITIES)
    assert {one.body_part for one in cases} == set(REGIONS)
    regions = Counter(one.body_part for one in cases)
    assert min(regions.values()) >= 20


def test_every_case_may_be_redistributed_and_names_its_source(cases: list[FoundCase]) -> None:
    assert {one.licence for one in cases} <= {"CC BY", "CC BY 3.0", "CC BY 4.0"}
    assert all(one.attribution for one in cases)


def test_no_report_holds_an_identifier_that_an_import_would_remove(cases: list[FoundCase]) -> None:
    assert not [one.text for one in cases if clean(one.text, one.identifiers).removed]


def test_every_report_is_there_once(cases: list[FoundCase]) -> None:
    texts = Counter(one.text for one in cases if one.text)
    assert max(texts.values()) == 1


def test_every_image_belongs_to_a_case_and_is_small_and_gray() -> None:
    with (FOLDER / "cases.csv").open(encoding="utf-8", newline="") as file:
        named = sorted(row["image"] for row in csv.DictReader(file))
    paths = sorted((FOLDER / "images").iterdir())
    assert named == [f"images/{path.name}" for path in paths]
    assert sum(path.stat().st_size for path in paths) <= LIMIT
    for path in paths:
        with Image.open(path) as image:
            assert image.mode == "L"
            assert max(image.size) <= 512
