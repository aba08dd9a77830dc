"""Real DICOM files of pydicom and pydicom-data for tests, and files derived from them under new UIDs."""

import warnings
from pathlib import Path
from typing import Any

import data_store
import pydicom.data
from highdicom.ko import KeyObjectSelection, KeyObjectSelectionDocument
from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import generate_uid

PYDICOM_FILES = Path(pydicom.data.__file__).parent
PYDICOM_DATA = Path(data_store.__file__).parent / "data"


def sample(name: str) -> Path:
    """A file of either collection, by name."""
    for folder in (PYDICOM_FILES / "test_files", PYDICOM_FILES / "palettes", PYDICOM_DATA):
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(name)


def dataset(name: str) -> FileDataset:
    """The whole dataset, with pydicom's warnings about it aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dcmread(sample(name), force=True)


def derive(path: Path, name: str = "MR_small.dcm", **changes: Any) -> Path:
    """Write a file derived from a real one: a new SOP Instance UID and other values of the named elements.

    An element is removed where the value is None.
    """
    derived = dataset(name)
    derived.SOPInstanceUID = generate_uid()
    derived.file_meta.MediaStorageSOPInstanceUID = derived.SOPInstanceUID
    derived.SeriesDescription = "derived for tests"
    for keyword, value in changes.items():
        if value is not None:
            setattr(derived, keyword, value)
        elif keyword in derived:
            delattr(derived, keyword)
    path.parent.mkdir(parents=True, exist_ok=True)
    derived.save_as(path)
    return path


def derive_stack(folder: Path, positions: list[float], name: str = "CT_small.dcm", **changes: Any) -> list[Path]:
    """One file a position along z, numbered in the order given, named against that order."""
    common: dict[str, Any] = {"SeriesInstanceUID": generate_uid()} | changes
    files = []
    for index, z in enumerate(positions):
        own = {"InstanceNumber": index + 1, "ImagePositionPatient": [-100.0, -100.0, z]} | common
        files.append(derive(folder / f"slice{len(positions) - index:03}.dcm", name, **own))
    return files


def key_objects(path: Path, images: list[Dataset], title: Any, numbers: list[int] | None = None) -> Path:
    """Write a Key Object Selection document for images of one study.

    title: a code of PS3.16 CID 7010. numbers: of the frames of all images, counting from 1; none: whole images.
    """
    content = KeyObjectSelection(document_title=title, referenced_objects=images)
    document = KeyObjectSelectionDocument(images, content, generate_uid(), 99, generate_uid(), 1, manufacturer="tests")
    for part in document.ContentSequence:
        if part.ValueType == "IMAGE" and numbers:
            part.ReferencedSOPSequence[0].ReferencedFrameNumber = numbers
    path.parent.mkdir(parents=True, exist_ok=True)
    document.save_as(path)
    return path
