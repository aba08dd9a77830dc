"""Studies to fill a PACS with, derived from pydicom's files under new UIDs and labelled so."""

from dataclasses import dataclass
from pathlib import Path

from pydicom.uid import generate_uid

from engine.pacs.studies import Sought
from engine.study import Patient
from tests.engine.dicom_samples import derive

PATIENT = "K-4711"
OTHER = "K-47110"
"""Another patient, whose ID begins like the first one's."""


@dataclass(frozen=True, slots=True)
class Studies:
    """Files, and the UIDs of their studies."""

    newest: str
    """MR of 2024: three images of two series, one of them a compressed one."""
    middle: str
    """CT of 2022: twelve images."""
    oldest: str
    """CT of 2019: one image, with another birth date."""
    other: str
    """CT of the other patient."""
    plain: list[Path]
    compressed: list[Path]

    @property
    def sought(self) -> Sought:
        """As the middle study asks for the others of its patient."""
        return Sought(Patient(name="Test^Anna", id=PATIENT, birth_date="19700102", sex="F"), "", self.middle)

    def files_of(self, study_uid: str) -> list[Path]:
        """The files of a study."""
        return [path for path in (*self.plain, *self.compressed) if path.parent.name == study_uid]


def make_studies(folder: Path) -> Studies:
    """Write the studies, each into a folder called like its UID."""
    newest, middle, oldest, other = (str(generate_uid()) for _ in range(4))
    anna = {"PatientID": PATIENT, "PatientName": "Test^Anna", "PatientBirthDate": "19700102", "PatientSex": "F"}
    ct = anna | {
        "StudyInstanceUID": middle,
        "StudyDate": "20220315",
        "StudyDescription": "Thorax",
        "StudyTime": "101500",
    }
    ct |= {"SeriesInstanceUID": str(generate_uid()), "AccessionNumber": "A-2"}
    plain = [derive(folder / middle / f"{n}.dcm", "CT_small.dcm", InstanceNumber=n, **ct) for n in range(1, 13)]
    mr = anna | {"StudyInstanceUID": newest, "StudyDate": "20240501", "StudyDescription": "Kopf Schädel"}
    mr |= {"SpecificCharacterSet": "ISO_IR 100", "StudyTime": "080000", "AccessionNumber": "A-3"}
    first, second = str(generate_uid()), str(generate_uid())
    plain += [derive(folder / newest / f"{n}.dcm", "MR_small.dcm", SeriesInstanceUID=first, **mr) for n in range(2)]
    compressed = [derive(folder / newest / "j2k.dcm", "MR_small_jp2klossless.dcm", SeriesInstanceUID=second, **mr)]
    ct = anna | {
        "StudyInstanceUID": oldest,
        "StudyDate": "20190101",
        "StudyDescription": "Abdomen",
        "StudyTime": "120000",
    }
    ct |= {"PatientBirthDate": "19701202", "SeriesInstanceUID": str(generate_uid())}
    plain.append(derive(folder / oldest / "1.dcm", "CT_small.dcm", **ct))
    ct |= {"PatientID": OTHER, "PatientName": "Other^Berta", "StudyInstanceUID": other}
    plain.append(derive(folder / other / "1.dcm", "CT_small.dcm", **ct | {"SeriesInstanceUID": str(generate_uid())}))
    return Studies(newest, middle, oldest, other, plain, compressed)
