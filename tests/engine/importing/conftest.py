"""Studies to import."""

from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file


@pytest.fixture
def dicom_folder(tmp_path: Path) -> Path:
    """A real CT slice and a real MR slice with made-up identifiers, and a text file."""
    folder = tmp_path / "studies"
    folder.mkdir()
    for name, study, accession in (("CT_small.dcm", "1.2.3.4.5", "ACC-1"), ("MR_small.dcm", "1.2.3.4.6", "ACC-2")):
        dataset = pydicom.dcmread(get_testdata_file(name))
        dataset.StudyInstanceUID, dataset.AccessionNumber = study, accession
        dataset.PatientName, dataset.PatientID = "Quix^Otto", "HOSP-4711"
        dataset.save_as(folder / name)
    (folder / "readme.txt").write_text("not an image")
    return folder
