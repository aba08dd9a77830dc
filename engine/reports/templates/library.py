"""The templates that ship with Kindred and the user's own, which are MRRT files in a folder. Knows no screen."""

import re
from collections.abc import Sequence
from pathlib import Path

from engine.errors import UserError
from engine.reports.templates.mrrt import MOST_BYTES, read_template, write_template
from engine.reports.templates.template import Template
from engine.resources import resource_path, user_folder
from engine.store.safety.whole_file import write_whole

FOLDER = "templates"


def templates(folder: Path | None = None) -> tuple[Template, ...]:
    """The user's own templates by name, then the shipped ones; a file that cannot be read is left out.

    Args:
        folder: of the user's data; None for the default one.
    """
    own = _in(_folder(folder), own=True)
    names = {template.name for template in own}
    return (*own, *(one for one in _in(resource_path(FOLDER), own=False) if one.name not in names))


def import_template(path: Path, folder: Path | None = None) -> Template:
    """Add an MRRT file to the user's own templates.

    Raises:
        UserError: it cannot be read, or is no template.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UserError(f"The template {path} cannot be read: {error.strerror}.", path) from None
    return save(read_template(data, own=True), folder)


def save(template: Template, folder: Path | None = None) -> Template:
    """Write an own template, in place of the one of that name.

    Raises:
        UserError: it has no name, or the folder cannot be written.
    """
    path = _path(template.name, folder)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, [write_template(template)])
    except OSError as error:
        raise UserError(f"The template cannot be saved in {path.parent}: {error.strerror}.") from None
    return Template(template.name, template.parts, template.modality, template.region, own=True)


def delete(name: str, folder: Path | None = None) -> None:
    """Delete an own template; a shipped one of that name shows again.

    Raises:
        UserError: the file cannot be deleted.
    """
    path = _path(name, folder)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"The template {path} cannot be deleted: {error.strerror}.", path) from None


def best(among: Sequence[Template], modality: str, region: str) -> Template | None:
    """The first template of a modality and region, else of the modality in any region; None without any."""
    if not modality:
        return None
    fitting = [one for one in among if one.modality == modality and one.region in (region, "")]
    return min(fitting, key=lambda one: one.region == "", default=None)


def _folder(folder: Path | None) -> Path:
    return (folder or user_folder()) / FOLDER


def _path(name: str, folder: Path | None) -> Path:
    plain = re.sub(r"[^\w-]+", "-", name.strip().lower()).strip("-")
    if not plain:
        raise UserError("Give the template a name.")
    return _folder(folder) / f"{plain[:80]}.html"


def _in(folder: Path, own: bool) -> list[Template]:
    found = []
    for path in sorted(folder.glob("*.html")) if folder.is_dir() else []:
        try:
            with path.open("rb") as file:
                found.append(read_template(file.read(MOST_BYTES + 1), own))
        except (OSError, UserError):
            continue
    return sorted(found, key=lambda one: one.name.casefold())
