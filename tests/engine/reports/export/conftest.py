"""A signed report of a real study under derived UIDs, with an addendum and key images."""

from pathlib import Path

import pytest

from engine.dicom.listing import open_path
from engine.reports.document import Document, Mark, Proposal
from engine.reports.draft import Sentence
from engine.reports.export.exported_report import ExportedReport
from engine.reports.stored_report import Addendum, StoredReport
from engine.study import Study
from tests.engine.dicom_samples import derive_stack

TEXT = "Befund: Größe 3 cm | <unverändert> & ^stabil~ \\ glatt.\n\nNo pleural effusion.\nHeart size normal."
PROPOSED = "No pleural effusion."


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Three slices of a patient whose name needs Unicode."""
    derive_stack(
        tmp_path / "study",
        [0.0, 5.0, 10.0],
        SpecificCharacterSet="ISO_IR 192",
        StudyInstanceUID="1.2.826.0.1.3680043.8.498.22",
        PatientName="Müller^Ada^^Dr",
        PatientID="P-17",
        PatientBirthDate="19701224",
        PatientSex="F",
        StudyDate="20260304",
        StudyTime="140500.25",
        StudyID="S1",
        AccessionNumber="ACC 7",
        StudyDescription="CT Thorax",
        ReferringPhysicianName="Zuweiser^Eva",
    )
    return open_path(tmp_path / "study").studies[0]


@pytest.fixture
def stored(study: Study) -> StoredReport:
    """The signed report, one sentence of which was proposed."""
    start = TEXT.index(PROPOSED)
    proposal = Proposal(Sentence(PROPOSED, None, source=7), "chest")
    document = Document(TEXT, (Mark(start, start + len(PROPOSED), 0),), (proposal,))
    return StoredReport(
        study.uid,
        document,
        "",
        "signed",
        "2026-03-04T13:00:00+00:00",
        "2026-03-04T13:05:00+00:00",
        "Grace Hopper",
        addenda=(Addendum("Also a rib fracture.", "Ada Byron", "2026-03-05T08:00:00+00:00"),),
    )


@pytest.fixture
def report(study: Study, stored: StoredReport) -> ExportedReport:
    """It with its second and third slice as key images, and one of another study, which is none of its own."""
    frames = study.series[0].frames
    return ExportedReport.of(
        study, stored, key_images=[(frames[1].image.sop_uid, 0), (frames[2].image.sop_uid, 0), ("1.2.3", 0)]
    )
