"""The addresses of the PACS that this user added, stored as JSON in a file that only its owner can read.

Without an entry nothing of this wing ever connects. Knows no passwords.
"""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.pacs.address import Pacs
from engine.pacs.address_check import checked
from engine.resources import user_folder
from engine.store.safety.json_file import read_json
from engine.store.safety.whole_file import write_whole

FILE = "pacs.json"


def addresses(folder: Path | None = None) -> tuple[Pacs, ...]:
    """Every PACS that was added, in that order.

    Args:
        folder: of the file; None for that of the user.

    Raises:
        UserError: the file cannot be read.
    """
    path = (folder or user_folder()) / FILE
    try:
        content = read_json(path)
        return tuple(_pacs(row) for row in content["pacs"])
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{path} is damaged; delete it and add the PACS again.", path) from None


def address(name: str = "", folder: Path | None = None) -> Pacs:
    """One PACS by its name, or the only one.

    Raises:
        UserError: there is none of that name, or several and no name was given.
    """
    known = addresses(folder)
    if not known:
        raise UserError("No PACS was added yet: kindred pacs add, or PACS settings in the app.")
    if not name and len(known) == 1:
        return known[0]
    names = ", ".join(one.name for one in known)
    if not name:
        raise UserError(f"Several PACS were added; name one of them: {names}.")
    found = next((one for one in known if one.name == name), None)
    if found is None:
        raise UserError(f"There is no PACS of the name {name}; there is {names}.")
    return found


def add(pacs: Pacs, folder: Path | None = None, replaced: str = "") -> Pacs | None:
    """Add a PACS, or replace that of the same name, or that of the name `replaced`; what was replaced.

    Raises:
        UserError: it is not complete, or the file cannot be written.
    """
    checked(pacs)
    known = addresses(folder)
    old = replaced or pacs.name
    if pacs.name != old and any(one.name == pacs.name for one in known):
        raise UserError(f"There is a PACS of the name {pacs.name} already; give another name.")
    gone = next((one for one in known if one.name == old), None)
    if gone is None:
        _write((*known, pacs), folder)
    else:
        _write(tuple(pacs if one == gone else one for one in known), folder)
    return gone


def remove(name: str, folder: Path | None = None) -> None:
    """Forget a PACS.

    Raises:
        UserError: there is none of that name, or the file cannot be written.
    """
    gone = address(name, folder)
    _write(tuple(one for one in addresses(folder) if one != gone), folder)


def _write(known: tuple[Pacs, ...], folder: Path | None) -> None:
    path = (folder or user_folder()) / FILE
    content = json.dumps({"pacs": [one.as_dict() for one in known]}, indent=1, ensure_ascii=False)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, [content.encode()])
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}.", path) from None


def _pacs(row: Any) -> Pacs:
    default = Pacs("")
    for item in fields(Pacs):
        if item.name in row and type(row[item.name]) is not type(getattr(default, item.name)):
            raise ValueError(item.name)
    return Pacs(**row)
