"""Asks a PACS for the studies of a patient, or whether it answers, whatever it speaks."""

from pathlib import Path

from engine.errors import UserError, missing
from engine.pacs.address import Pacs
from engine.pacs.address_check import checked
from engine.pacs.dicomweb.client import DicomWeb
from engine.pacs.dimse.client import Dimse
from engine.pacs.limits import Limits, Watch
from engine.pacs.objects import sought_in
from engine.pacs.source import Source
from engine.pacs.studies import Answer, Sought, answer, checked_id
from engine.progress import IsCancelled, never


def connect(pacs: Pacs, watch: Watch) -> Source:
    """How a PACS is asked; connects to nothing yet.

    Raises:
        UserError: a package is missing, or the keyring has no password.
    """
    return DicomWeb(pacs, watch) if pacs.is_web else Dimse(pacs, watch)


def echo(pacs: Pacs, limits: Limits | None = None, cancelled: IsCancelled = never) -> None:
    """Ask whether a PACS answers, without asking for any patient.

    Raises:
        UserError: it does not, and why.
        Cancelled: the user cancelled.
    """
    connect(checked(pacs), Watch(limits or Limits(), cancelled)).echo()


def find(pacs: Pacs, sought: Sought, limits: Limits | None = None, cancelled: IsCancelled = never) -> Answer:
    """The studies of a patient in a PACS, newest first, without the one that is open.

    Raises:
        UserError: the Patient ID is empty or a pattern, or the PACS cannot be asked.
        Cancelled: the user cancelled.
    """
    patient_id = checked_id(sought.patient.id)
    source = connect(checked(pacs), Watch(limits or Limits(), cancelled))
    return answer(source.studies(patient_id), sought)


def sought_of(path: Path) -> Sought:
    """The patient and study of a DICOM file.

    Raises:
        UserError: it is no DICOM file, or damaged.
    """
    if not path.exists():
        raise missing(path)
    if not path.is_file():
        raise UserError(f"{path} is a folder; give one image of the study.", path)
    try:
        with path.open("rb") as file:
            return sought_in(file)
    except OSError as error:
        raise UserError(f"{error.strerror}: {path}", path) from None
