"""The group of the commands `kindred pacs`."""

import click

from engine.cli.pacs.addresses import add_command, list_command, remove_command, test_command
from engine.cli.pacs.studies import find_command, get_command, priors_command


@click.group("pacs", epilog="Example: kindred pacs add radiology --url https://pacs.example/dicom-web --user anna")
def pacs_group() -> None:
    """Find and retrieve studies of a PACS. Nothing is ever sent to one.

    Kindred connects to a PACS that you added, when you ask it to, and to nothing else.
    """


for command in (
    *(add_command, remove_command, list_command, test_command),
    *(find_command, priors_command, get_command),
):
    pacs_group.add_command(command)
