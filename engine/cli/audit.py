"""The commands `kindred audit verify` and `kindred audit list`. Leave all work to the store."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from engine.archive import Archive
from engine.cli.options import ARCHIVE, json_option, print_result
from engine.errors import UserError
from engine.reports.workspace import Workspace
from engine.store.address import Address
from engine.store.database import WithDatabase
from engine.text.words import counted

archive_option = click.option("--archive", "place", type=ARCHIVE, help="That of an archive. Default: that of reports.")


@click.group("audit", epilog="Example: kindred audit verify --archive ~/kindred")
def audit_group() -> None:
    """What was signed, exported, merged and deleted, by whom, and whether that record was changed.

    Each row of an audit has a keyed hash of itself and of the row before.
    """


@audit_group.command("verify", epilog="Example: kindred audit verify")
@archive_option
@json_option
def verify_command(place: Path | Address | None, as_json: bool) -> None:
    """Find rows of the audit that were changed, deleted, inserted or moved.

    It does not find what was written by someone who has the key beside the database; docs/backups.md says more.
    """
    with _opened(place) as store:
        problems, rows = store.audit_problems(), len(store.audit())
    lines = problems or [f"The audit is as it was written: {counted(rows, 'row')}."]
    print_result({"ok": not problems, "rows": rows, "problems": problems}, lines, as_json)
    if problems:
        raise UserError(f"{counted(len(problems), 'problem')} found in the audit, see above.")


@audit_group.command("list", epilog="Example: kindred audit list --json")
@archive_option
@json_option
def list_command(place: Path | Address | None, as_json: bool) -> None:
    """List the audit, without the texts of reports.

    The name is that which was typed at signing; the account is that of this computer.
    """
    with _opened(place) as store:
        rows = store.audit()
    print_result({"rows": rows}, [_line(row) for row in rows] or ["The audit has no rows."], as_json)


@contextmanager
def _opened(place: Path | Address | None) -> Iterator[WithDatabase]:
    with Workspace.open() if place is None else Archive.open(place) as store:
        yield store


def _line(row: dict[str, Any]) -> str:
    what = row.get("action") or row.get("state")
    of = f"case {row['case_id']}" if row.get("case_id") else row.get("study_uid", "")
    who = f"by {row['who']}" if row.get("who") else ""
    account = f"account {row['login']}" if row.get("login") else ""
    return "  ".join(filter(None, (str(row["id"]), row["at"], what, of, row.get("detail", ""), who, account)))
