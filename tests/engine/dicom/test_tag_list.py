"""The list of DICOM tags: what it contains, and what is redacted."""

import pytest

from engine.dicom.listing import open_path
from engine.dicom.tag_list import Tag, tag_list
from tests.engine.dicom_samples import sample


def tags(name: str) -> dict[str, Tag]:
    image = next(open_path(sample(name)).studies[0].frames()).image
    return {tag.number: tag for tag in tag_list(image) if tag.depth == 0}


def test_elements_have_number_name_and_value() -> None:
    found = tags("CT_small.dcm")
    assert found["0028,0010"] == Tag(0, "0028,0010", "US", "Rows", "128", False)
    assert found["0008,0060"].value == "CT"
    assert "CT Image Storage" in found["0008,0016"].value
    assert "7FE0,0010" not in found


@pytest.mark.parametrize("number", ["0010,0010", "0010,0020", "0008,0020", "0008,0080", "0020,000D", "0008,0018"])
def test_identifying_elements_are_marked(number: str) -> None:
    assert tags("CT_small.dcm")[number].identifying


@pytest.mark.parametrize("number", ["0028,0010", "0008,0060", "0008,0016", "0018,0050", "0028,0030"])
def test_technical_elements_are_not_marked(number: str) -> None:
    assert not tags("CT_small.dcm")[number].identifying


def test_sequences_are_unfolded() -> None:
    image = next(open_path(sample("eCT_Supplemental.dcm")).studies[0].frames()).image
    found = tag_list(image)
    assert max(tag.depth for tag in found) >= 2
    assert sum(tag.name == "Image Position (Patient)" for tag in found) == 2


def test_a_search_finds_numbers_names_and_only_values_that_may_be_seen() -> None:
    found = tags("CT_small.dcm")
    assert found["0010,0010"].matches("patient name", False)
    assert found["0010,0010"].matches("0010,0010", False)
    assert found["0010,0010"].matches("00100010", False)
    value = found["0010,0010"].value
    assert not found["0010,0010"].matches(value, False)
    assert found["0010,0010"].matches(value, True)
    assert found["0028,0010"].matches("rows 128", False)
