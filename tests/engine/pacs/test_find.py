"""A patient's studies, asked of real PACS by DICOMweb and by C-FIND."""

import pytest

from engine.errors import UserError
from engine.pacs.address import Pacs
from engine.pacs.connection import echo, find
from engine.pacs.studies import Sought
from engine.study import Patient
from tests.engine.pacs.pacs_studies import OTHER, PATIENT, Studies

EACH = pytest.mark.parametrize("pacs", ["web", "get"], indirect=True)


@EACH
def test_the_other_studies_of_the_patient_are_listed_newest_first(pacs: Pacs, studies: Studies) -> None:
    found = find(pacs, studies.sought)
    assert [one.uid for one in found.studies] == [studies.newest, studies.oldest]
    newest = found.studies[0]
    assert (newest.date, newest.time, newest.description) == ("20240501", "080000", "Kopf Schädel")
    assert newest.modalities == ("MR",)
    assert newest.images in (3, None)  # dcmqrscp does not count
    assert newest.patient.name == "Test^Anna"
    assert found.dropped == 0


@EACH
def test_a_study_with_another_birth_date_is_marked(pacs: Pacs, studies: Studies) -> None:
    newest, oldest = find(pacs, studies.sought).studies
    assert newest.differs == ""
    assert oldest.differs == "birth date"


@EACH
def test_without_an_open_study_all_studies_are_listed(pacs: Pacs, studies: Studies) -> None:
    found = find(pacs, Sought(Patient(id=PATIENT)))
    assert [one.uid for one in found.studies] == [studies.newest, studies.middle, studies.oldest]
    assert [one.uid for one in find(pacs, Sought(Patient(id=OTHER))).studies] == [studies.other]


@EACH
def test_a_patient_whom_the_pacs_does_not_know_has_no_studies(pacs: Pacs) -> None:
    assert find(pacs, Sought(Patient(id="nobody"))).studies == ()


@pytest.mark.parametrize("patient_id", ["K-47*", "K-471?", "*", "K-4711\\K-47110"])
def test_a_patient_id_that_is_a_pattern_is_not_asked_for(patient_id: str) -> None:
    nowhere = Pacs("nowhere", host="127.0.0.1", port=1, called="NOWHERE")
    with pytest.raises(UserError, match="takes for a pattern"):
        find(nowhere, Sought(Patient(id=patient_id)))


@pytest.mark.parametrize("patient_id", ["", "  "])
def test_a_study_without_patient_id_has_no_priors(patient_id: str) -> None:
    nowhere = Pacs("nowhere", host="127.0.0.1", port=1, called="NOWHERE")
    with pytest.raises(UserError, match="no Patient ID"):
        find(nowhere, Sought(Patient(id=patient_id)))


@EACH
def test_whether_a_pacs_answers_can_be_asked(pacs: Pacs) -> None:
    echo(pacs)
