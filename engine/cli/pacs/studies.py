"""The commands `kindred pacs find`, `priors` and `get`. Leave all work to `engine.pacs`."""

from pathlib import Path

import click

from engine.cli.options import FILE, FOLDER, json_option, print_result
from engine.cli.output import progress_line, rejected_lines
from engine.errors import UserError
from engine.pacs import address_book
from engine.pacs.address import Pacs
from engine.pacs.connection import find, sought_of
from engine.pacs.retrieve import retrieve
from engine.pacs.studies import Answer, FoundStudy, Sought
from engine.study import Patient
from engine.text.words import counted

pacs_option = click.option("--pacs", "name", default="", metavar="NAME", help="Which PACS, if several were added.")


@click.command("find", epilog="Example: kindred pacs find 4711")
@click.argument("patient", metavar="PATIENT_ID|FILE")
@pacs_option
@json_option
def find_command(patient: str, name: str, as_json: bool) -> None:
    """List the studies of a patient, newest first.

    Give the Patient ID, or a DICOM file of the patient. Studies with another Patient ID, which a PACS may list as well,
    are left out and counted.
    """
    path = Path(patient)
    sought = Sought(sought_of(path).patient, sought_of(path).issuer) if _is_file(path) else Sought(Patient(id=patient))
    _print(address_book.address(name), sought, as_json)


@click.command("priors", epilog="Example: kindred pacs priors chest.dcm")
@click.argument("file", type=FILE)
@pacs_option
@json_option
def priors_command(file: Path, name: str, as_json: bool) -> None:
    """List the other studies of the patient of FILE, newest first."""
    _print(address_book.address(name), sought_of(file), as_json)


@click.command("get", epilog="Example: kindred pacs get 1.2.840.113619.2.55.3 --to ~/studies")
@click.argument("study", metavar="STUDY_UID")
@click.option("--to", type=FOLDER, required=True, help="Folder in which the folder of the study is made.")
@pacs_option
@json_option
def get_command(study: str, to: Path, name: str, as_json: bool) -> None:
    """Retrieve a study, to be opened like any folder.

    Objects that are there and whole are not retrieved again, so an interrupted retrieval goes on.
    """
    pacs = address_book.address(name)
    with progress_line() as progress:
        result = retrieve(pacs, study, to, progress=progress)
    lines = [f"{counted(result.new, 'image')} retrieved, {result.there:,} there before: {result.folder}"]
    lines += rejected_lines([(one.path, one.reason) for one in result.rejected])
    print_result(result.as_dict(), lines, as_json)
    if result.missing:
        raise UserError(
            f"{pacs.name} lists {counted(result.missing, 'more image')} and has not sent "
            f"{'it' if result.missing == 1 else 'them'}; try again, or look at its log."
        )


def _print(pacs: Pacs, sought: Sought, as_json: bool) -> None:
    answer = find(pacs, sought)
    print_result({"pacs": pacs.name, **answer.as_dict()}, _lines(answer), as_json)


def _lines(answer: Answer) -> list[str]:
    lines = [_line(study) for study in answer.studies] or ["No studies of this patient."]
    if answer.dropped:
        lines.append(f"{counted(answer.dropped, 'study', 'studies')} of other patients left out.")
    return lines


def _line(study: FoundStudy) -> str:
    count = "" if study.images is None else counted(study.images, "image")
    check = f"CHECK THE PATIENT: other {study.differs}" if study.differs else ""
    what = (study.date or "undated", "/".join(study.modalities), study.description, count, study.uid, check)
    return "  ".join(filter(None, what))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # of a name that is too long, as no Patient ID is
        return False
