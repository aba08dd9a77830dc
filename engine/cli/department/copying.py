"""The command `kindred copy`. Leaves all work to engine/store/copying."""

import time
from pathlib import Path

import click

from engine.archive import Archive
from engine.cli.options import ARCHIVE, json_option, print_result
from engine.cli.output import progress_line
from engine.store.address import Address
from engine.store.encryption.unlocked import is_folder_encrypted
from engine.text.words import counted


@click.command("copy", epilog="Example: kindred copy ~/kindred postgresql://anna@archive.example.org/kindred")
@click.argument("source", type=ARCHIVE, metavar="FROM")
@click.argument("target", type=ARCHIVE, metavar="TO")
@json_option
def copy_command(source: Path | Address, target: Path | Address, as_json: bool) -> None:
    """Copy an archive into a new folder, or an empty database of a server, with its key.

    FROM and TO are folders or addresses. The copy is of the moment at which it begins; FROM can be used and changed
    meanwhile. Until every row was compared with its checksum, TO does not open; a copy that was stopped goes on when
    the same command is run again. The copy of an encrypted folder is not encrypted.
    """
    started = time.perf_counter()
    with Archive.open(source) as archive, progress_line() as progress:
        copied = archive.copy_to(target, progress)
    seconds = round(time.perf_counter() - started, 2)
    lines = [
        f"Copied {counted(copied.cases, 'case')} with {counted(copied.images, 'image')} and "
        f"{counted(copied.reports, 'report')} to {target}, and checked each row ({seconds} s)."
    ]
    if isinstance(source, Path) and is_folder_encrypted(source) and isinstance(target, Path):
        lines.append(f"The copy is not encrypted; to encrypt it: kindred encrypt {target}")
    document = {**copied.as_dict(), "from": str(source), "to": str(target), "seconds": seconds}
    print_result(document, lines, as_json)
