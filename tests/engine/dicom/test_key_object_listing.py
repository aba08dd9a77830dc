"""Listing Key Object Selections: their titles and marked images, wherever the files are, and nothing else of them."""

import zipfile
from pathlib import Path
from typing import Any

import pydicom
import pytest
from highdicom.sr import CodeContentItem, CodedConcept
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from engine.dicom.key_objects import KeyImage, KeyObject, frames_of
from engine.dicom.listing import open_path
from tests.engine.dicom_samples import dataset, derive_stack, key_objects, sample


@pytest.fixture
def images(tmp_path: Path) -> list[Dataset]:
    """A stack of four real slices in the folder "study"."""
    return [pydicom.dcmread(path) for path in derive_stack(tmp_path / "study", [0, 5, 10, 15])]


def only(path: Path) -> KeyObject:
    (document,) = open_path(path).key_objects
    return document


def test_a_document_is_listed_with_its_title_and_its_images(tmp_path: Path, images: list[Dataset]) -> None:
    path = key_objects(tmp_path / "study/keys", [images[1], images[3]], codes.DCM.ForReferringProvider)
    listing = open_path(tmp_path / "study")
    (document,) = listing.key_objects
    assert (document.name, document.title, document.is_rejection_note) == (str(path), "For Referring Provider", False)
    assert document.key_images == (KeyImage(images[1].SOPInstanceUID), KeyImage(images[3].SOPInstanceUID))
    assert document.study_uid == listing.studies[0].uid
    assert listing.rejected == ()
    assert listing.as_dict()["key_objects"] == [
        {"path": str(path), "title": "For Referring Provider", "warns": False, "images": 2}
    ]


def test_its_free_text_and_the_patient_stay_in_the_file(tmp_path: Path, images: list[Dataset]) -> None:
    content = pydicom.dcmread(key_objects(tmp_path / "keys", images, codes.DCM.OfInterest))
    words = Dataset()
    words.RelationshipType, words.ValueType, words.TextValue = "CONTAINS", "TEXT", "seen by Mrs Secret"
    words.ConceptNameCodeSequence = [CodedConcept("113012", "DCM", "Key Object Description")]
    content.ContentSequence.append(words)
    content.save_as(tmp_path / "keys")
    shown = repr(only(tmp_path / "keys"))
    assert "Secret" not in shown
    assert str(images[0].PatientID) not in shown


@pytest.mark.parametrize(
    "title",
    [codes.DCM.RejectedForQualityReasons, codes.DCM.RejectedForPatientSafetyReasons, codes.DCM.QualityIssue],
)
def test_a_rejection_title_makes_a_rejection_note(tmp_path: Path, images: list[Dataset], title: Any) -> None:
    assert only(key_objects(tmp_path / "keys", images[:1], title)).is_rejection_note


def test_a_local_code_equal_to_a_rejection_code_is_not_a_rejection_note(tmp_path: Path, images: list[Dataset]) -> None:
    local = CodedConcept("113001", "99LOCAL", "Tumour board")
    document = only(key_objects(tmp_path / "keys", images[:1], local))
    assert (document.title, document.is_rejection_note) == ("Tumour board", False)


def test_a_title_modifier_gives_the_reason(tmp_path: Path, images: list[Dataset]) -> None:
    content = pydicom.dcmread(key_objects(tmp_path / "keys", images[:1], codes.DCM.RejectedForQualityReasons))
    modifier = CodeContentItem(
        CodedConcept("113011", "DCM", "Document Title Modifier"),
        CodedConcept("111207", "DCM", "Image artifact(s)"),
        "HAS CONCEPT MOD",
    )
    content.ContentSequence.insert(0, modifier)
    content.save_as(tmp_path / "keys")
    assert only(tmp_path / "keys").title == "Rejected for Quality Reasons: Image artifact(s)"


def test_a_list_of_all_images_is_rejected_with_a_reason(tmp_path: Path, images: list[Dataset]) -> None:
    listing = open_path(key_objects(tmp_path / "keys", images, codes.DCM.Manifest))
    assert listing.key_objects == ()
    assert "lists all images" in listing.rejected[0].reason


def test_frame_numbers_count_from_one(tmp_path: Path) -> None:
    image = dataset("emri_small.dcm")
    document = only(key_objects(tmp_path / "keys", [image], codes.DCM.OfInterest, numbers=[2, 5]))
    assert document.key_images == (KeyImage(image.SOPInstanceUID, frozenset((1, 4))),)
    (series,) = open_path(sample("emri_small.dcm")).studies[0].series
    assert [ref.frame for ref in frames_of(series, document.key_images)] == [1, 4]
    whole = only(key_objects(tmp_path / "whole", [image], codes.DCM.OfInterest))
    assert frames_of(series, whole.key_images) == ()


def test_invalid_frame_numbers_do_not_mark_the_whole_image(tmp_path: Path) -> None:
    image = dataset("emri_small.dcm")
    listing = open_path(key_objects(tmp_path / "keys", [image], codes.DCM.OfInterest, numbers=[0, -3]))
    assert listing.key_objects == ()
    assert "refers to no image" in listing.rejected[0].reason


def test_it_may_lie_in_a_zip_alone_or_with_its_images(tmp_path: Path, images: list[Dataset]) -> None:
    path = key_objects(tmp_path / "keys", images[:1], codes.DCM.OfInterest)
    with zipfile.ZipFile(tmp_path / "keys.zip", "w") as packed:
        packed.write(path, "keys")
    assert only(tmp_path / "keys.zip").name == f"{tmp_path / 'keys.zip'} > keys"


def test_the_same_document_twice_is_listed_once(tmp_path: Path, images: list[Dataset]) -> None:
    path = key_objects(tmp_path / "keys/a", images[:1], codes.DCM.OfInterest)
    (tmp_path / "keys/b").write_bytes(path.read_bytes())
    listing = open_path(tmp_path / "keys")
    assert [document.name for document in listing.key_objects] == [str(path)]
    assert [Path(rejected.path).name for rejected in listing.rejected] == ["b"]


def test_a_document_is_known_while_its_images_are_still_being_read(
    tmp_path: Path, images: list[Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.dicom.listing.FIRST_PART_AFTER", 0.0)
    key_objects(tmp_path / "study/a first", images[3:], codes.DCM.OfInterest)
    parts: list[int] = []
    open_path(tmp_path / "study", found=lambda listing: parts.append(len(listing.key_objects)))
    assert parts
    assert set(parts) == {1}
