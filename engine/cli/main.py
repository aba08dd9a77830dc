"""The command line: open, import, search, draft, reindex, doctor. Knows no Qt; the engine does all the work.

Exit codes: 0 done (also when part of an import was rejected), 2 the user can fix it (one line on stderr), 1 our bug (a
traceback on stderr). `--json` prints one JSON document on stdout and nothing else there.
"""

import json
import logging
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from engine.archive import Archive
from engine.bundle import Bundle
from engine.cli.doctor import examine, kindred_version
from engine.cli.output import draft_lines, hit_lines, import_lines, progress_line, study_lines
from engine.dicom.listing import open_path
from engine.errors import Cancelled, UserError, exists, missing
from engine.image.picture import GrayPicture, load_picture
from engine.importing.importer import import_path
from engine.importing.reindex import reindex
from engine.reports.draft import draft as make_draft
from engine.retrieval.search import Query, SearchOptions, search
from engine.store.filters import Filters

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path)
Command = Callable[..., None]

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
bundle_option = click.option("--bundle", type=FOLDER, help="Folder of the models; the starter bundle if left out.")


def frame_options(command: Command) -> Command:
    """--frame and --window, which say what of a file is looked at."""
    frame = click.option("--frame", default=0, show_default=True, metavar="N", help="Which frame, counted from 0.")
    window = click.option(
        "--window",
        nargs=2,
        type=float,
        metavar="CENTER WIDTH",
        help="Window in modality values; the file's if left out.",
    )
    return frame(window(command))


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(kindred_version(), prog_name="kindred")
def cli() -> None:
    """Find earlier cases by image or by words, and draft the report from them.

    Without a command: the desktop app. Research software, not for diagnostic use.
    """


@cli.command("open", epilog="Example: kindred open /media/cdrom --json")
@click.argument("path", type=FILE)
@json_option
def open_command(path: Path, as_json: bool) -> None:
    """List the studies in PATH (file, folder or zip), and what was refused and why."""
    with progress_line() as progress:
        listing = open_path(path, progress)
    _say(listing.as_dict(), study_lines(listing), as_json)


@cli.command("import", epilog="Example: kindred import ~/studies --archive ~/kindred --reports reports.csv")
@click.argument("path", type=FILE)
@click.option("--archive", "folder", type=FOLDER, required=True, help="The archive; made when missing.")
@click.option("--reports", type=FILE, help="CSV with text and one of study_uid, accession, case_id, image.")
@click.option("--link-sources", is_flag=True, help="Remember where cases came from, in a file for you alone.")
@bundle_option
@json_option
def import_command(
    path: Path, folder: Path, reports: Path | None, link_sources: bool, bundle: Path | None, as_json: bool
) -> None:
    """Bring PATH into an archive: DICOM, a folder with cases.csv, pictures, or a CSV of reports.

    Identifiers are stored as keyed hashes only. Run again to go on after an interruption: nothing is doubled.
    """
    if not exists(path):
        raise missing(path)
    models = Bundle.open(bundle)
    started = time.perf_counter()
    with (
        Archive.open(folder) if Archive.exists(folder) else Archive.create(folder) as archive,
        progress_line() as progress,
    ):
        result = import_path(archive, models, path, reports, progress, link_sources=link_sources)
        stats = archive.stats()
    seconds = round(time.perf_counter() - started, 2)
    _say({**result.as_dict(), "archive": stats, "seconds": seconds}, import_lines(result, stats, seconds), as_json)


@cli.command("search", epilog='Example: kindred search --archive ~/kindred --text "pleural effusion" --modality CR CT')
@click.option("--archive", "folder", type=FOLDER, required=True, help="Where to search.")
@click.option("--image", type=FILE, help="DICOM, PNG or JPEG to search by; with --text both count.")
@click.option("--text", help="Words to search by.")
@click.option("-k", "count", default=10, show_default=True, help="How many cases at most.")
@click.option("--modality", multiple=True, metavar="CT ...", help="Only these modalities.")
@click.option("--sex", type=click.Choice(["M", "F", "O"], case_sensitive=False), help="Only this sex.")
@click.option("--age", nargs=2, type=int, metavar="FROM TO", help="Only these ages in years, both included.")
@click.option("--kind", multiple=True, type=click.Choice(["image", "report"]), help="What may match.")
@click.option(
    "--mode", type=click.Choice(["vector", "lexical", "hybrid"]), default="vector", show_default=True,
    help="By meaning, by words, or both.",
)  # fmt: skip
@frame_options
@bundle_option
@json_option
def search_command(
    folder: Path,
    image: Path | None,
    text: str | None,
    count: int,
    modality: tuple[str, ...],
    sex: str | None,
    age: tuple[int, int] | None,
    kind: tuple[Any, ...],
    mode: Any,
    frame: int,
    window: tuple[float, float] | None,
    bundle: Path | None,
    as_json: bool,
) -> None:
    """Find archived cases that look or read alike; best first. The study of the image never finds itself."""
    wanted = tuple(one for given in modality for one in given.replace(",", " ").split())
    with Archive.open(folder) as archive:
        models = None if mode == "lexical" else Bundle.open(bundle)
        picture = None if image is None else load_picture(image, frame, window)
        started = time.perf_counter()
        options = SearchOptions(
            filters=Filters(wanted, sex, age or (None, None), kind),
            k=count,
            mode=mode,
            exclude_study=picture.study_uid if picture else None,
            patient=picture.patient_key if picture else None,
        )
        found = search(archive, models, Query(None if picture is None else picture.gray, text), options)
        took = round(1000 * (time.perf_counter() - started), 1)
    asked = {"text": text, "image": _shown(picture), "mode": mode}
    document = {
        "hits": [hit.as_dict() for hit in found.hits],
        "ms": took,
        "query": asked,
        "look": found.familiarity.as_dict(),
    }
    _say(document, hit_lines(found.hits, took, found.familiarity), as_json)


@cli.command("draft", epilog="Example: kindred draft chest.dcm --archive ~/kindred")
@click.argument("file", type=FILE)
@click.option("--archive", "folder", type=FOLDER, help="Where evidence is looked for.")
@frame_options
@bundle_option
@json_option
def draft_command(
    file: Path,
    folder: Path | None,
    frame: int,
    window: tuple[float, float] | None,
    bundle: Path | None,
    as_json: bool,
) -> None:
    """Propose a report for one frame of FILE, each sentence with similar wording in the archive."""
    models = Bundle.open(bundle)
    picture = load_picture(file, frame, window)
    archive = None if folder is None else Archive.open(folder)
    try:
        proposed = make_draft(
            models,
            archive,
            picture.gray,
            exclude_study=picture.study_uid,
            patient=picture.patient_key,
            modality=picture.modality,
        )
    finally:
        if archive is not None:
            archive.close()
    _say({**proposed.as_dict(), "image": _shown(picture)}, draft_lines(proposed), as_json)


@cli.command("reindex", epilog="Example: kindred reindex --archive ~/kindred --bundle ~/new-models")
@click.option("--archive", "folder", type=FOLDER, required=True, help="The archive to move.")
@bundle_option
@json_option
def reindex_command(folder: Path, bundle: Path | None, as_json: bool) -> None:
    """Move an archive to another bundle: embed its pictures and reports anew, from what it stores.

    The old vectors serve until the last new one is there. Run again to go on after an interruption.
    """
    with Archive.open(folder) as archive:
        models = Bundle.open(bundle)
        started = time.perf_counter()
        with progress_line() as progress:
            result = reindex(archive, models, progress)
    seconds = round(time.perf_counter() - started, 2)
    said = f"The archive {folder} holds {result.total:,} vectors of the bundle {models.id} ({seconds} s)."
    _say({"vectors": result.total, "bundle_id": models.id, "seconds": seconds}, [said], as_json)


@cli.command("doctor", epilog="Example: kindred doctor --archive ~/kindred")
@click.option("--archive", "folder", type=FOLDER, help="An archive to look at too.")
@bundle_option
@json_option
def doctor_command(folder: Path | None, bundle: Path | None, as_json: bool) -> None:
    """Say what is installed, where models really run, and whether bundle and archive are in order."""
    checks = examine(bundle, folder)
    problems = [check.text for check in checks if not check.ok]
    lines = [f"{'ok     ' if check.ok else 'PROBLEM'} {check.text}" for check in checks]
    _say({"ok": not problems, "checks": [check.as_dict() for check in checks]}, lines, as_json)
    if problems:
        raise UserError(problems[0] if len(problems) == 1 else f"{len(problems)} problems were found, see above.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; never raises."""
    try:
        cli.main(_spread(list(sys.argv[1:] if argv is None else argv)), prog_name="kindred", standalone_mode=False)
    except UserError as error:
        click.echo(str(error), err=True)
        return 2
    except click.ClickException as error:
        where = f"{error.ctx.command_path} " if isinstance(error, click.UsageError) and error.ctx else "kindred "
        click.echo(f"{error.format_message()} See: {where}--help", err=True)
        return 2
    except (click.Abort, Cancelled, KeyboardInterrupt):
        click.echo("Stopped; what was done so far is kept.", err=True)
        return 2
    except Exception:
        logging.getLogger("kindred").exception("This is a bug in Kindred; please report it with these lines.")
        return 1
    return 0


def _spread(argv: list[str]) -> list[str]:
    """`--modality CT MR` as the repeated option that click understands."""
    spread: list[str] = []
    open_option = False
    for position, word in enumerate(argv):
        if word.startswith("-"):
            open_option = word == "--modality"
        elif open_option and argv[position - 1] != "--modality":
            spread.append("--modality")
        spread.append(word)
    return spread


def _shown(picture: GrayPicture | None) -> dict[str, Any] | None:
    """Which frame at which window a result stands for."""
    if picture is None:
        return None
    return {"path": str(picture.origin.file or picture.origin.name), "frame": picture.frame, "window": picture.window}


def _say(document: dict[str, Any], lines: Sequence[str], as_json: bool) -> None:
    click.echo(json.dumps(document, ensure_ascii=False, indent=2) if as_json else "\n".join(lines))
