"""The command `kindred duplicates`. Leaves all work to the engine."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from engine.archive import Archive
from engine.cli.options import ARCHIVE, json_option, print_result
from engine.cli.output import progress_line
from engine.errors import Cancelled, UserError
from engine.retrieval.case_text import case_line
from engine.retrieval.duplicates import DuplicateGroup, find_duplicates
from engine.store.address import Address
from engine.text.words import counted


@click.command("duplicates", epilog="Example: kindred duplicates --archive ~/kindred --merge --case 12")
@click.option("--archive", "place", type=ARCHIVE, required=True, help="The archive.")
@click.option(
    "--case",
    "cases",
    multiple=True,
    type=int,
    metavar="N",
    help="Only the group of this case; repeated: only these of it.",
)
@click.option("--merge", is_flag=True, help="Merge each group into its first case, where nothing speaks against it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def duplicates_command(place: Path | Address, cases: tuple[int, ...], merge: bool, yes: bool, as_json: bool) -> None:
    """List near-duplicate cases of an archive in groups, and merge them.

    Near-duplicates have the same pixels, the same picture at another size, window or compression, or reports with the
    same words. Merging keeps every picture; cases of different patients, or with different reports, are not merged.
    """
    with Archive.open(place) as archive:
        for case_id in cases:
            archive.case(case_id)
        with progress_line() as progress:
            groups = find_duplicates(archive, progress)
        if cases:
            groups = [group for group in groups if not set(cases).isdisjoint(group.case_ids)]
        if len(cases) > 1:
            groups = [one for one in (group.only(cases) for group in groups) if len(one.cases) > 1]
        possible = [group for group in groups if merge and not group.obstacle]
        if possible and not yes and not click.confirm(_question(groups, possible, place), err=True):
            raise Cancelled
        results = [_merge(archive, group) for group in possible]
        total = archive.stats()["cases"]
    merged = [result for result in results if "merged" in result]
    failed = [result["problem"] for result in results if "problem" in result]
    document = {"groups": [group.as_dict() for group in groups], "merged": merged, "cases": total}
    lines = [*_lines(groups, merge), *failed]
    if merge:
        lines.append(f"{counted(len(merged), 'group')} merged; {counted(total, 'case')} left.")
    print_result(document, lines, as_json)
    if failed and as_json:
        raise UserError(" ".join(failed))


def _question(groups: Sequence[DuplicateGroup], possible: Sequence[DuplicateGroup], place: Path | Address) -> str:
    number = sum(len(group.cases) for group in possible)
    question = f"Merge {counted(number, 'case')} in {place} into {len(possible):,}? This cannot be undone."
    return "\n".join([*_lines(groups, True), question])


def _merge(archive: Archive, group: DuplicateGroup) -> dict[str, Any]:
    """What was merged; or the problem, after which the next group is merged all the same."""
    try:
        kept = archive.merge(group.case_ids)
    except UserError as error:
        return {"problem": str(error)}
    return {"case": kept, "merged": [one for one in group.case_ids if one != kept]}


def _lines(groups: Sequence[DuplicateGroup], merge: bool) -> list[str]:
    if not groups:
        return ["No near-duplicates found."]
    lines = []
    for group in groups:
        why = f"; {'not merged' if merge else 'cannot be merged'}: {group.obstacle}" if group.obstacle else ""
        lines.append(f"{group.title}{why}.")
        lines += [f"    {case_line(case)}" for case in group.cases]
    duplicates = sum(len(group.cases) for group in groups)
    return [*lines, f"{counted(len(groups), 'group')} with {counted(duplicates, 'case')}."]
