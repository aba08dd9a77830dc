"""Masks of segmentations lie on the images that they are of."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid

from engine.dicom.listing import Listing, open_path
from engine.errors import UserError
from engine.image import segmentation as module
from engine.image.segmentation import Segmentation, read_segmentation
from tests.engine.dicom.documents.samples import segmentation
from tests.engine.dicom_samples import derive_stack

MASKS = np.zeros((3, 128, 128), bool)
MASKS[1, 40:60, 70:100] = True
MASKS[2, 0, 0] = True


@pytest.fixture
def stack(tmp_path: Path) -> list[Path]:
    """Three slices, 128 x 128."""
    return derive_stack(tmp_path / "stack", [0.0, 5.0, 10.0], FrameOfReferenceUID=generate_uid())


def read(path: Path, listing: Listing) -> Segmentation:
    (document,) = open_path(path).documents
    return read_segmentation(document, listing.studies)


def covered(found: Segmentation, listing: Listing, slices: list[Path]) -> np.ndarray:
    """The masks as an array like MASKS, for placements without scale."""
    masks = np.zeros_like(MASKS)
    frames = {frame.image.sop_uid: frame for frame in listing.studies[0].frames()}
    for number, path in enumerate(slices):
        for mask in found.of(frames[str(dcmread(path).SOPInstanceUID)]):
            a, b, c, d, left, top = (round(value, 3) for value in mask.placement)
            assert (a, b, c, d) == (1, 0, 0, 1)
            rows, columns = mask.bits.shape
            masks[number, int(top) : int(top) + rows, int(left) : int(left) + columns] |= mask.bits
    return masks


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL"])
def test_each_mask_lies_on_the_image_that_it_was_made_of(kind: str, tmp_path: Path, stack: list[Path]) -> None:
    listing = open_path(tmp_path / "stack")
    found = read(segmentation(tmp_path / "seg.dcm", stack, MASKS, kind), listing)
    assert found.segments == {1: "Spleen"}
    assert np.array_equal(covered(found, listing, stack), MASKS)


def test_without_a_source_a_mask_lies_on_the_image_in_its_plane(tmp_path: Path, stack: list[Path]) -> None:
    path = segmentation(tmp_path / "seg.dcm", stack, MASKS)
    changed = dcmread(path)
    for group in changed.PerFrameFunctionalGroupsSequence:
        del group.DerivationImageSequence
    changed.save_as(path)
    listing = open_path(tmp_path / "stack")
    assert np.array_equal(covered(read(path, listing), listing, stack), MASKS)


def test_a_mask_of_another_frame_of_reference_lies_on_no_image(tmp_path: Path, stack: list[Path]) -> None:
    path = segmentation(tmp_path / "seg.dcm", stack, MASKS)
    changed = dcmread(path)
    changed.FrameOfReferenceUID = generate_uid()
    for group in changed.PerFrameFunctionalGroupsSequence:
        del group.DerivationImageSequence
    changed.save_as(path)
    assert read(path, open_path(tmp_path / "stack")).masks == {}


def test_a_coarser_mask_is_placed_by_its_geometry(tmp_path: Path, stack: list[Path]) -> None:
    listing = open_path(tmp_path / "stack")
    first = listing.studies[0].series[0].frames[0]
    assert first.spacing is not None
    coarse = replace(first, spacing=(2 * first.spacing[0], 4 * first.spacing[1]))
    placement = module._placement(coarse, first, 3, 5)
    assert placement is not None
    assert [round(value, 4) for value in placement[:4]] == [4, 0, 0, 2]
    assert [round(value, 4) for value in placement[4:]] == [12 - 1.5, 10 - 0.5]  # centers of the first pixels agree


def test_a_segmentation_that_is_too_large_is_refused(
    tmp_path: Path, stack: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_PIXELS", 100)
    with pytest.raises(UserError, match="too large"):
        read(segmentation(tmp_path / "seg.dcm", stack, MASKS), open_path(tmp_path / "stack"))
