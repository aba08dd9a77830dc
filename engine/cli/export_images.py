"""The command `kindred export-images`. Leaves all work to engine/image/export."""

from pathlib import Path

import click

from engine.cli.options import FILE, json_option, print_result
from engine.cli.output import progress_line, rejected_lines
from engine.dicom.listing import open_path
from engine.errors import UserError
from engine.image.export.export_images import export_images
from engine.image.export.result import NOT_IMAGES, WARNING, ExportResult
from engine.reports.workspace import Workspace
from engine.reports.workspace_audit import ANONYMISED


@click.command("export-images", epilog="Example: kindred export-images ~/studies/ct --out ct.zip")
@click.argument("path", type=FILE, metavar="STUDY")
@click.option("--out", type=FILE, required=True, help="A new folder, or a new ZIP file if its name ends in .zip.")
@click.option("--study", "study_uid", metavar="UID", help="Only this study of several.")
@json_option
def export_images_command(path: Path, out: Path, study_uid: str | None, as_json: bool) -> None:
    """Export the anonymised images of STUDY with a DICOMDIR.

    STUDY is a file, a folder or a ZIP file. Names, numbers, dates, free text, private elements and overlays are removed
    (PS3.15, Basic Application Level Confidentiality Profile), UIDs replaced, and text in the images is blacked out.
    Reports and other documents are not exported.
    """
    with progress_line() as progress:
        listing = open_path(path, progress)
        studies = [study for study in listing.studies if study_uid in (None, study.uid, study.stated_uid)]
        if study_uid is not None and not studies:
            raise UserError(f"{path} has no images of the study {study_uid}; give the files of the study.", path)
        result = export_images(listing, studies, out, progress)
    with Workspace.open() as workspace:
        for uid in dict.fromkeys(study.stated_uid or study.uid for study in studies):
            workspace.record_export(uid, ANONYMISED)
    print_result({"path": str(out), **result.as_dict(), "warning": WARNING}, _lines(result, out), as_json)


def _lines(result: ExportResult, out: Path) -> list[str]:
    lines = [result.sentence(str(out)), *([NOT_IMAGES] if result.documents else []), WARNING]
    return lines + rejected_lines([(one.path, one.reason) for one in result.refused])
