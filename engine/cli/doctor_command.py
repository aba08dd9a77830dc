"""The command `kindred doctor`. Leaves all work to the engine."""

from collections.abc import Sequence
from pathlib import Path

import click

from engine.cli.doctor import examine
from engine.cli.new_installer import examine_installer
from engine.cli.options import ARCHIVE, FILE, bundle_option, json_option, print_result
from engine.cli.self_test import self_test
from engine.errors import UserError
from engine.store.address import Address
from engine.text.words import counted


@click.command("doctor", epilog="Example: kindred doctor --archive ~/kindred")
@click.option("--archive", "place", type=ARCHIVE, help="An archive to check too.")
@click.option("--deep", is_flag=True, help="Compare every picture, vector and text of the archive with its checksum.")
@click.option("--self-test", "tried", is_flag=True, help="Try out every step from a study to its report as well.")
@click.option(
    "--new", type=FILE, metavar="INSTALLER", help="Only compare the file of an installer with what is running."
)
@bundle_option
@json_option
@click.pass_obj
def doctor_command(
    window: Sequence[str],
    place: Path | Address | None,
    deep: bool,
    tried: bool,
    new: Path | None,
    bundle: Path | None,
    as_json: bool,
) -> None:
    """Check the installation, the models and an archive.

    Reports versions and the execution provider in use too. With --self-test, real files are opened, imported, searched,
    drafted from, exported and shown in a temporary folder; nothing is left of it.
    """
    if new is not None:
        checks = examine_installer(new)
    else:
        checks = [*examine(bundle, place, deep), *(self_test(window) if tried else ())]
    problems = [check.text for check in checks if not check.ok]
    lines = [f"{check.mark:7} {check.text}" for check in checks]
    print_result({"ok": not problems, "checks": [check.as_dict() for check in checks]}, lines, as_json)
    if problems:
        raise UserError(f"{counted(len(problems), 'problem')} found, see above.")
