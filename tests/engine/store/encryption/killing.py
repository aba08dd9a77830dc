"""Encrypts and decrypts an archive in a process that kills itself, at each of its steps, and looks at what is left.

`python -m tests.engine.store.encryption.killing FOLDER` prints a JSON line a kill. A step is a file that is opened,
renamed or removed, an SQL statement, or some instructions of a running one.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from engine.archive import Archive
from engine.store.backup.source import archive_source
from engine.store.encryption import cipher, convert, key_file
from engine.store.encryption.convert import decrypt, encrypt
from engine.store.encryption.unlocked import is_encrypted, unlock
from engine.store.folder.folder_store import DATABASE
from engine.store.folder.sources import SourceLinks
from tests.engine.store.encryption.conftest import PASSPHRASE, forget_keys

WORDS = (b"Zwiebelschale", b"Quastenflosser")
STEPS = ("open", "os.rename", "os.remove")
EVERY = 2_000
"""Instructions of SQLite between two steps."""


def main(folder: Path) -> None:
    """Kill each of both at every step of an archive that is plain."""
    os.fsync = lambda _: None  # a kill loses nothing of what was written
    key_file.COST, convert.PROGRESS_EVERY = 1 << 10, EVERY
    for action in ("encrypt", "decrypt"):
        step, ended = 0, False
        while not ended:
            step += 1
            work = folder.with_name("work")
            shutil.rmtree(work, ignore_errors=True)
            shutil.copytree(folder, work)
            ended = killed_at(step, action, work)
            print(json.dumps({"action": action, "step": step, "ended": ended, **seen(work)}), flush=True)  # noqa: T201
            if step % 10 == 0:
                run(action, work)
                print(json.dumps({"action": action, "step": step, "again": True, **seen(work)}), flush=True)  # noqa: T201
        folder = work.rename(folder.with_name(action))  # what the next one begins with


def run(action: str, folder: Path) -> None:
    """Do it, unless it is done already."""
    forget_keys()  # and files, since one that was copied anew may have the number of one that is gone
    encrypted = is_encrypted(folder / DATABASE)
    if action == "encrypt" and not encrypted:
        encrypt(archive_source(folder), PASSPHRASE)
    elif action == "decrypt" and encrypted:
        unlock(folder, PASSPHRASE)
        decrypt(archive_source(folder))


def killed_at(step: int, action: str, folder: Path) -> bool:
    """Whether a process that would die at this step ended before it."""
    child = os.fork()
    if not child:
        try:
            count_to(step, folder)
            run(action, folder)
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), status
    return status == 0


def count_to(step: int, folder: Path) -> None:
    """Kill this process at its n-th step from here."""
    left = step

    def one(*_: Any) -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in STEPS and str(arguments[0]).startswith(str(folder)):
            one()

    def counted(execute: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *arguments: (one(), execute(*arguments))[1]

    sys.addaudithook(hook)
    cipher._Connection.execute = counted(cipher._Connection.execute)  # type: ignore[method-assign]
    connect = cipher.connect

    def watched(*arguments: Any, **options: Any) -> Any:
        connection = connect(*arguments, **options)
        connection.set_progress_handler(one, EVERY)
        return connection

    cipher.connect = watched


def seen(folder: Path) -> dict[str, Any]:
    """What somebody finds who opens it with the passphrase."""
    forget_keys()
    encrypted = is_encrypted(folder / DATABASE)
    if encrypted:
        unlock(folder, PASSPHRASE)
    with Archive.open(folder) as archive:
        found = {
            "encrypted": encrypted,
            "cases": archive.stats()["cases"],
            "problems": [*archive.problems(deep=True), *archive.audit_problems()],
        }
        with closing(SourceLinks(folder)) as links:
            found["paths"] = sum(links.path(case_id) is not None for case_id in archive.case_ids())
        archive.index.refresh()
        found["vectors"] = len(archive.index.rows().ids)
    content = b"".join(path.read_bytes() for path in folder.iterdir())
    found["words"] = sum(word in content for word in WORDS)
    found["left"] = sorted(path.name for path in folder.iterdir() if path.suffix == ".new")
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
