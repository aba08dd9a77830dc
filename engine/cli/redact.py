"""The command `kindred redact`. Leaves all work to the engine."""

from pathlib import Path

import click

from engine.archive import Archive
from engine.bundle import Bundle
from engine.cli.options import ARCHIVE, bundle_option, json_option, print_result
from engine.cli.output import progress_line
from engine.errors import Cancelled
from engine.importing.redact import redact
from engine.store.address import Address
from engine.text.words import counted


@click.command("redact", epilog="Example: kindred redact --archive ~/kindred")
@click.option("--archive", "place", type=ARCHIVE, required=True, help="The archive.")
@bundle_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def redact_command(place: Path | Address, bundle: Path | None, yes: bool, as_json: bool) -> None:
    """Black out text that is burned into archived images.

    Only images that no import has checked are read: those archived by earlier versions or with --keep-text. Small text
    may be missed, since stored images are small. Backups keep the old images. An interrupted run can be resumed.
    """
    with Archive.open(place) as archive:
        archive.require_writable()
        models = Bundle.open(bundle)
        archive.require_bundle(models.id)
        images = counted(archive.text_checks.missing(), "image")
        question = f"Check {images} in {place} and black out their text? This cannot be undone."
        if not yes and not click.confirm(question, err=True):
            raise Cancelled
        with progress_line() as progress:
            result = redact(archive, models, progress)
    boxes, found = counted(result.text_boxes, "box", "boxes"), counted(result.text_images, "image")
    lines = [f"{counted(result.images, 'image')} checked: {boxes} of text blacked out in {found}."]
    lines += [f"Not checked: {one.path}: {one.reason}" for one in result.rejected]
    print_result(result.as_dict(), lines, as_json)
