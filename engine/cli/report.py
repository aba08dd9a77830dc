"""The command `kindred report export`. Leaves all work to the engine."""

from dataclasses import replace
from pathlib import Path

import click

from engine.cli.options import FILE, FOLDER, json_option, print_result
from engine.cli.output import progress_line
from engine.errors import UserError, exists
from engine.progress import never
from engine.reports.export.exported_report import ExportedReport
from engine.reports.export.formats import FORMATS, export_report
from engine.reports.workspace import KEY_IMAGES, Workspace
from engine.reports.workspace_patients import open_told_apart
from engine.study import Study


@click.group("report", epilog="Example: kindred report export ~/studies/ct --format sr --out report.dcm")
def report_group() -> None:
    """Export the reports that were written in the app."""


@report_group.command("export", epilog="Example: kindred report export ~/studies/ct --format sr --out report.dcm")
@click.argument("path", type=FILE)
@click.option(
    "--format", "format_name", type=click.Choice(list(FORMATS)), default="txt", show_default=True, help="The format."
)
@click.option("--out", type=FILE, required=True, help="The file to write; it must not exist.")
@click.option("--study", "study_uid", metavar="UID", help="The study, if PATH has several.")
@click.option("--verifier", default="", metavar="NAME", help="Who is accountable for the content; only for sr.")
@click.option("--organization", default="", metavar="NAME", help="Of the verifier.")
@click.option("--workspace", type=FOLDER, help="Folder of the reports. Default: that of the app.")
@json_option
def export_command(
    path: Path,
    format_name: str,
    out: Path,
    study_uid: str | None,
    verifier: str,
    organization: str,
    workspace: Path | None,
    as_json: bool,
) -> None:
    """Export the report of the study in PATH to a file that names the patient.

    The text comes from the app, the patient and the images from PATH (file, folder or ZIP file). Each file says that it
    is a research draft. Nothing is sent anywhere.
    """
    if bool(verifier) != bool(organization):
        raise UserError("Give --verifier and --organization together.")
    if verifier and format_name != "sr":
        raise UserError("--verifier is for --format sr only.")
    if exists(out):
        raise UserError(f"{out} exists already; choose another name.", out)
    with progress_line() as progress:
        studies = open_told_apart(workspace, [path], progress, never, lambda _: None).studies
    study = _chosen(studies, study_uid, path)
    with Workspace.open(workspace) as opened:
        marked = [(str(uid), int(frame)) for uid, frame in opened.load_marks(study.uid, KEY_IMAGES)]
        stored = opened.load(study.uid)
    report = ExportedReport.of(study, stored, key_images=marked)
    export_report(_verified(report, verifier, organization), format_name, out)
    with Workspace.open(workspace) as opened:
        opened.record_export(study.uid, format_name)
    result = {"study": study.uid, "format": format_name, "path": str(out), "state": report.state if stored else None}
    print_result(result, [f"Exported {out} with patient data."], as_json)


def _chosen(studies: tuple[Study, ...], uid: str | None, path: Path) -> Study:
    """The study that is meant.

    Raises:
        UserError: there is none, or several.
    """
    found = [study for study in studies if uid in (None, study.uid, study.stated_uid)]
    if not found:
        raise UserError(f"{path} has no images{' of this study' if uid else ''}; give the files of the study.", path)
    if len(found) > 1:
        raise UserError(f"{path} has several studies; name one with --study: {', '.join(one.uid for one in found)}.")
    return found[0]


def _verified(report: ExportedReport, verifier: str, organization: str) -> ExportedReport:
    """The report with its verifier.

    Raises:
        UserError: it is not signed.
    """
    if verifier and not report.signed:
        raise UserError("Only a signed report can be verified; sign it in the app first.")
    return replace(report, verifier=verifier, organization=organization)
