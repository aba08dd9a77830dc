"""The command line: open, import, search, draft, reindex, adapt, backup, doctor. Knows no Qt and does no work itself.

Exit codes: 0 success (also when part of an import was rejected), 2 an error that the user can fix (one line on stderr),
1 a bug (a traceback on stderr). With `--json`, stdout is one JSON document and nothing else.
"""

import logging
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from engine.adapt import adapt as adapting
from engine.adapt import table
from engine.adapt.pairs import LIMIT
from engine.adapt.training import Recipe
from engine.archive import Archive
from engine.bundle import Bundle
from engine.cli.audit import audit_group
from engine.cli.backups import backup_command, restore_command, salvage_command
from engine.cli.deletion import delete_command
from engine.cli.department.copying import copy_command
from engine.cli.department.login import department_group
from engine.cli.department.reindexing import reindex_command
from engine.cli.department.work import work_command, worker_command
from engine.cli.doctor import kindred_version
from engine.cli.doctor_command import doctor_command
from engine.cli.duplicates import duplicates_command
from engine.cli.encryption import ask, decrypt_command, encrypt_command, passphrase_command
from engine.cli.export_images import export_images_command
from engine.cli.import_cases import import_command
from engine.cli.options import ARCHIVE, FILE, FOLDER, bundle_option, json_option, print_result
from engine.cli.output import (
    draft_lines,
    fact_lines,
    hit_lines,
    printable,
    progress_line,
    study_lines,
)
from engine.cli.pacs.group import pacs_group
from engine.cli.query_options import check_age, check_image_options, check_modalities, corrections_of, require_file
from engine.cli.redact import redact_command
from engine.cli.report import report_group
from engine.dicom.listing import open_path
from engine.errors import Cancelled, UserError
from engine.facts.fact import FactKind, Facts, agreed, as_dict, corrected, first_of
from engine.image.picture import GrayPicture, load_picture, load_series
from engine.image.renditions import renditions_of
from engine.reports.draft import draft as make_draft
from engine.retrieval.search import Query, SearchOptions, search
from engine.store.address import Address
from engine.store.encryption.unlocked import ask_with
from engine.store.filters import Filters

CommandFunction = Callable[..., None]
COUNT = click.IntRange(max=1 << 40)
"""SQLite and NumPy count with 64 bits."""

fact_option = click.option(
    "--fact",
    "corrections",
    multiple=True,
    metavar="KIND=VALUE",
    help="Correct what the header says, as in region=hip; KIND= removes it.",
)


def frame_options(command: CommandFunction) -> CommandFunction:
    """Add --frame and --window, which select a frame of a file and how it is displayed."""
    frame = click.option("--frame", default=0, show_default=True, metavar="N", help="Frame, counted from 0.")
    window = click.option(
        "--window",
        nargs=2,
        type=float,
        metavar="CENTER WIDTH",
        help="Window in modality values. Default: the window of the file.",
    )
    return frame(window(command))


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(kindred_version(), prog_name="kindred")
def cli() -> None:
    """Find similar cases by image or text, and draft reports from them.

    Without a command, the desktop app starts. Research software, not for diagnostic use.
    """


@cli.command("open", epilog="Example: kindred open /media/cdrom --json")
@click.argument("path", type=FILE)
@json_option
def open_command(path: Path, as_json: bool) -> None:
    """List the studies in PATH.

    PATH is a file, a folder or a ZIP file. Rejected files are listed with the reason.
    """
    with progress_line() as progress:
        listing = open_path(path, progress)
    print_result(listing.as_dict(), study_lines(listing), as_json)


@cli.command("search", epilog='Example: kindred search --archive ~/kindred --text "pleural effusion" --modality CR CT')
@click.option("--archive", "place", type=ARCHIVE, required=True, help="The archive to search.")
@click.option("--image", type=FILE, help="DICOM, PNG or JPEG file to search by; can be combined with --text.")
@click.option("--series", is_flag=True, help="Search by the whole series of --image (file, folder or ZIP file).")
@click.option("--text", help="Text to search by.")
@click.option("-k", "count", type=COUNT, default=10, show_default=True, help="Number of cases to find.")
@click.option("--modality", multiple=True, metavar="CT ...", help="Only cases of these modalities.")
@click.option("--sex", type=click.Choice(["M", "F", "O"], case_sensitive=False), help="Only patients of this sex.")
@click.option("--age", nargs=2, type=int, metavar="FROM TO", help="Only patients of this age, in years.")
@click.option("--kind", multiple=True, type=click.Choice(["image", "report"]), help="Match images or reports only.")
@click.option(
    "--mode",
    type=click.Choice(["vector", "lexical", "hybrid"]),
    default="vector",
    show_default=True,
    help="Match by meaning, by exact words, or both.",
)
@fact_option
@frame_options
@bundle_option
@json_option
def search_command(
    place: Path | Address,
    image: Path | None,
    series: bool,
    text: str | None,
    count: int,
    modality: tuple[str, ...],
    sex: str | None,
    age: tuple[int, int] | None,
    kind: tuple[Any, ...],
    mode: Any,
    corrections: tuple[str, ...],
    frame: int,
    window: tuple[float, float] | None,
    bundle: Path | None,
    as_json: bool,
) -> None:
    """Find similar archived cases.

    The best are listed first. The study of the image itself is never found. With --series, up to 9 key or evenly spaced
    frames are searched by, and each hit names the one that it is nearest to.
    """
    if series and (image is None or frame):
        raise UserError("--series searches by a whole series: give it with --image, and omit --frame.")
    modalities = tuple(one for value in modality for one in value.replace(",", " ").split())
    check_age(age)
    check_image_options(image)
    with Archive.open(place) as archive:
        check_modalities(modalities, archive.stats()["modalities"])
        models = None if mode == "lexical" else Bundle.open(bundle)
        pictures: Sequence[GrayPicture] = ()
        if image is not None:
            pictures = load_series(image, window) if series else (_picture(image, frame, window),)
        picture = pictures[0] if pictures else None
        query = _query(pictures, series, text, _facts(pictures, models), corrections_of(corrections))
        started = time.perf_counter()
        options = SearchOptions(
            filters=Filters(modalities, sex, age or (None, None), kind),
            k=count,
            mode=mode,
            exclude_study=picture.study_uid if picture else None,
            patient=picture.patient_key if picture else None,
        )
        found = search(archive, models, query, options)
        milliseconds = round(1000 * (time.perf_counter() - started), 1)
    document: dict[str, Any] = {
        "hits": [hit.as_dict() for hit in found.hits],
        "ms": milliseconds,
        "query": {"text": text, "image": _displayed(picture), "mode": mode, "facts": as_dict(found.facts)},
        "look": found.familiarity.as_dict(),
    }
    if series:
        document["query"]["frames"] = [_displayed(one) for one in pictures]
    print_result(document, [*fact_lines(found.facts), *hit_lines(found.hits, milliseconds, found.familiarity)], as_json)


@cli.command("draft", epilog="Example: kindred draft chest.dcm --archive ~/kindred")
@click.argument("file", type=FILE)
@click.option("--archive", "place", type=ARCHIVE, help="The archive whose reports the draft is made of.")
@fact_option
@frame_options
@bundle_option
@json_option
def draft_command(
    file: Path,
    place: Path | Address | None,
    corrections: tuple[str, ...],
    frame: int,
    window: tuple[float, float] | None,
    bundle: Path | None,
    as_json: bool,
) -> None:
    """Draft a report for one frame of FILE, or say why there is none.

    Each sentence is listed with archived reports of the same finding. The window does not change the draft.
    """
    models = Bundle.open(bundle)
    picture = _picture(file, frame, window)
    facts = corrected(_facts((picture,), models), corrections_of(corrections))
    with nullcontext() if place is None else Archive.open(place) as archive:
        proposed = make_draft(
            models,
            archive,
            renditions_of(picture),
            facts=facts,
            body_part=picture.body_part,
            exclude_study=picture.study_uid,
            patient=picture.patient_key,
            offer=True,
        )
    known = [] if proposed.silence else fact_lines(facts)  # the line of a silent draft says them
    print_result({**proposed.as_dict(), "image": _displayed(picture)}, [*known, *draft_lines(proposed)], as_json)


@cli.command("adapt", epilog="Example: kindred adapt --archive ~/kindred --out ~/adapted-models")
@click.option("--archive", "place", type=ARCHIVE, required=True, help="The archive to learn from.")
@bundle_option
@click.option("--out", type=FOLDER, required=True, help="Folder of the new models.")
@click.option(
    "--limit",
    type=COUNT,
    default=LIMIT,
    show_default=True,
    metavar="N",
    help="Maximum number of images with reports.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 1 << 40),
    default=0,
    show_default=True,
    metavar="N",
    help="Of the random numbers of the training.",
)
@click.option("--force", is_flag=True, help="Write the new models even if they are not better.")
@json_option
def adapt_command(
    place: Path | Address, bundle: Path | None, out: Path, limit: int, seed: int, force: bool, as_json: bool
) -> None:
    """Adapt the models to the reports of an archive, offline.

    Some patients are held out to compare the models before and after. New models are written only if they are better;
    the old ones and the archive stay as they are.
    """
    with Archive.open(place) as archive:
        models = Bundle.open(bundle)
        options = adapting.AdaptOptions(out, limit, force, Recipe(seed=seed))
        click.echo(str(adapting.plan(archive, limit)), err=True)
        with progress_line() as progress:
            result = adapting.adapt(archive, models, options, progress)
    lines = [*table.plain(result.own, result.others), ""]
    if not result.written:
        print_result(result.as_dict(), lines, as_json)
        raise UserError(
            f"The adapted models are not better and were not written: {'; '.join(result.against)}. Import more studies "
            "with reports, or add --force to write them anyway."
        )
    lines += [
        f"The new models are in {out}. To use them, re-index the archive:",
        f"    kindred reindex --archive {place} --bundle {out}",
    ]
    print_result(result.as_dict(), lines, as_json)


cli.add_command(doctor_command)
cli.add_command(import_command)
cli.add_command(delete_command)
cli.add_command(duplicates_command)
cli.add_command(redact_command)
cli.add_command(report_group)
cli.add_command(audit_group)
cli.add_command(department_group)
cli.add_command(export_images_command)
cli.add_command(backup_command)
cli.add_command(restore_command)
cli.add_command(salvage_command)
cli.add_command(copy_command)
cli.add_command(reindex_command)
cli.add_command(worker_command)
cli.add_command(work_command)
cli.add_command(encrypt_command)
cli.add_command(decrypt_command)
cli.add_command(passphrase_command)
cli.add_command(pacs_group)


def main(argv: Sequence[str] | None = None, window: Sequence[str] = ()) -> int:
    """Run a command and return its exit code; never raises.

    Args:
        argv: its arguments; None for those of the process.
        window: command that shows a study and an archive in a window, for the self-test.
    """
    arguments = _repeat_modality(list(sys.argv[1:] if argv is None else argv))
    ask_with(ask)
    try:
        cli.main(arguments, prog_name="kindred", standalone_mode=False, obj=window)
    except UserError as error:
        click.echo(printable(str(error)), err=True)
        return 2
    except click.ClickException as error:
        named = arguments[0] if arguments and arguments[0] in cli.commands else ""  # some errors have no context
        click.echo(f"{error.format_message()} See: {' '.join(filter(None, ('kindred', named, '--help')))}", err=True)
        return 2
    except (click.Abort, Cancelled, KeyboardInterrupt):
        click.echo("Stopped. Completed work is kept.", err=True)
        return 2
    except Exception:
        logging.getLogger("kindred").exception("This is a bug in Kindred; please report it with these lines.")
        return 1
    return 0


def _repeat_modality(argv: list[str]) -> list[str]:
    """Turn `--modality CT MR` into the repeated option that click expects."""
    result: list[str] = []
    open_option = False
    for index, word in enumerate(argv):
        if word.startswith("-"):
            open_option = word == "--modality"
        elif open_option and argv[index - 1] != "--modality":
            result.append("--modality")
        result.append(word)
    return result


def _picture(path: Path, frame: int, window: tuple[float, float] | None) -> GrayPicture:
    """One frame of a file."""
    require_file(path)
    return load_picture(path, frame, window)


def _facts(pictures: Sequence[GrayPicture], models: Bundle | None) -> Facts:
    """What the header says of the images of a query, else what the models say of the middle one."""
    header = agreed(one.facts for one in pictures)
    said = models.facts_of_image(pictures[len(pictures) // 2].gray) if models is not None and pictures else {}
    return first_of(header, said)


def _query(
    pictures: Sequence[GrayPicture], series: bool, text: str | None, facts: Facts, corrections: Mapping[FactKind, str]
) -> Query:
    if series:
        return Query(None, text, facts, corrections, [picture.gray for picture in pictures])
    return Query(pictures[0].gray if pictures else None, text, facts, corrections)


def _displayed(picture: GrayPicture | None) -> dict[str, Any] | None:
    """The frame and window that a result is for."""
    if picture is None:
        return None
    return {"path": str(picture.origin.file or picture.origin.name), "frame": picture.frame, "window": picture.window}
