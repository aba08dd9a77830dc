"""Importing key images: they represent their stack in the archive; other kinds of lists mark nothing."""

import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from engine.archive import Archive
from engine.importing.importer import import_path
from tests.engine.dicom_samples import key_objects

SLICES = 12


@pytest.fixture
def stack(tmp_path: Path) -> tuple[Path, list[Dataset]]:
    """A real CT slice as a stack of twelve, each a little brighter."""
    folder = tmp_path / "stack"
    folder.mkdir()
    slices = []
    for n in range(SLICES):
        one = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{n + 1}"
        one.InstanceNumber = n + 1
        one.ImagePositionPatient = [0, 0, 5.0 * n]
        one.PixelData = (one.pixel_array + 10 * n).astype(np.int16).tobytes()
        one.save_as(folder / f"{n}.dcm")
        slices.append(one)
    return folder, slices


def archived(archive: Archive, encoder: object, path: Path) -> list[np.ndarray]:
    import_path(archive, encoder, path)  # type: ignore[arg-type]
    return [archive.image(image.image_id) for image in archive.case(1).images]


def test_a_stack_gives_its_key_images(archive: Archive, encoder, stack) -> None:
    folder, slices = stack
    key_objects(folder / "keys", [slices[2], slices[9]], codes.DCM.OfInterest)
    result = import_path(archive, encoder, folder)
    assert (result.added, result.images, result.rejected) == (1, 2, [])
    held = {row[0] for row in archive._database.read("SELECT key FROM images")}
    assert held == {archive.identity.image(f"1.2.3.{n} 0") for n in (3, 10)}


def test_a_stack_without_key_images_gives_five_evenly_spaced_ones(archive: Archive, encoder, stack) -> None:
    assert import_path(archive, encoder, stack[0]).images == 5


@pytest.mark.parametrize("title", [codes.DCM.RejectedForQualityReasons, codes.DCM.Manifest])
def test_a_list_of_rejected_or_of_all_images_marks_none(archive: Archive, encoder, stack, title) -> None:
    folder, slices = stack
    key_objects(folder / "keys", [slices[2]], title)
    result = import_path(archive, encoder, folder)
    assert result.images == 5
    assert "Key Object Selection" in result.rejected[0].reason


def test_the_list_may_lie_in_a_zip_with_its_images(archive: Archive, encoder, stack, tmp_path: Path) -> None:
    folder, slices = stack
    key_objects(folder / "keys", [slices[4]], codes.DCM.ForTeaching)
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as packed:
        for path in folder.iterdir():
            packed.write(path, f"study/{path.name}")
    assert import_path(archive, encoder, tmp_path / "study.zip").images == 1


def test_key_images_of_another_study_have_no_effect(archive: Archive, encoder, stack, tmp_path: Path) -> None:
    folder, slices = stack
    slices[0].SOPInstanceUID = "9.9.9"
    key_objects(folder / "keys", [slices[0]], codes.DCM.OfInterest)
    assert import_path(archive, encoder, folder).images == 5


def test_a_dose_is_left_out_with_its_reason_and_the_images_come_in(archive: Archive, encoder, tmp_path: Path) -> None:
    folder = tmp_path / "plan"
    folder.mkdir()
    dose = pydicom.dcmread(get_testdata_file("rtdose.dcm"))
    image = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    image.StudyInstanceUID = dose.StudyInstanceUID
    dose.save_as(folder / "dose")
    image.save_as(folder / "image")
    result = import_path(archive, encoder, folder)
    assert (result.added, result.images) == (1, 1)
    assert [(Path(one.path).name, "radiotherapy dose" in one.reason) for one in result.rejected] == [("dose", True)]
    assert archive.case(1).modality == "CT"
    alone = import_path(archive, encoder, folder / "dose")
    assert (alone.added, alone.skipped, len(alone.rejected)) == (0, 0, 1)
