"""Runs the app and every command without a network and says what they tried to reach: `./do bench offline`.

Claim: nothing is looked up or connected to, and nothing is written outside KINDRED_HOME but what was asked for.

The app opens a study with models and an archive, searches and drafts; each command does its work; then each process
waits, since a library may only report after a while. Home, temporary folder and current folder are fresh; whatever lies
there afterwards, and was not asked for, is listed. `_namespace` counts packets.
"""

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.data import get_testdata_file

from benchmarks._namespace import ROOT, Seen, watch, why_not
from benchmarks._section import put

TITLE = "Network"
LIMIT = 120.0
"""Seconds in which everything must have ended, beyond the waiting."""
STUDY = str(get_testdata_file("CT_small.dcm"))
ARCHIVE, OWN_ARCHIVE, ADAPTED, SHOT = "archive", "archive of the app", "adapted", "shot.png"
IMAGES, PASSPHRASE = "images.zip", "passphrase"
EXPORTED, BACKUPS, RESTORED, SALVAGED = "report.dcm", "backups", "restored", "salvaged"
COPIED = "copied"
REPORTS = "reports.csv"
SERVER = "postgresql://anna@archive.invalid/kindred"
SOURCE = ["source", "--reports", f"source/{REPORTS}", "--archive"]
COMMANDS: dict[str, list[str]] = {
    "import": [*SOURCE, ARCHIVE],
    "open": ["source"],
    "search": ["--archive", ARCHIVE, "--text", "fracture", "--image", STUDY],
    "draft": [STUDY, "--archive", ARCHIVE],
    "reindex": ["--archive", ARCHIVE],
    "adapt": ["--archive", ARCHIVE, "--out", ADAPTED],
    "duplicates": ["--archive", ARCHIVE],
    "redact": ["--archive", ARCHIVE, "--yes"],
    "backup": ["--archive", ARCHIVE, "--to", BACKUPS],
    "audit": ["verify", "--archive", ARCHIVE],
    "restore": ["--archive", RESTORED],
    "salvage": ["--archive", ARCHIVE, "--to", SALVAGED],
    "copy": [ARCHIVE, COPIED],
    "worker": ["--archive", ARCHIVE],
    "work": ["--archive", ARCHIVE],
    "encrypt": [ARCHIVE],
    "passphrase": [ARCHIVE, "--new-passphrase-file", PASSPHRASE],
    "decrypt": [ARCHIVE],
    "delete": ["--archive", ARCHIVE, "--case", "1", "--yes"],
    "pacs": ["list"],
    "department": ["logout", SERVER],
    "report": ["export", "source", "--format", "sr", "--out", EXPORTED],
    "export-images": ["source", "--out", IMAGES],
    "doctor": ["--archive", ARCHIVE],
}
"""Each with its arguments, the import first. So few reports adapt nothing, which is said after the models are open."""
SHOWN = {"report": "report export", "pacs": "pacs list", "department": "department logout"}
"""What the table calls a group of commands, by the one that is run."""
REFUSES = ("adapt", "work", "worker")


@dataclass
class Found:
    """What was seen of some processes."""

    network: Seen
    strays: list[str] = field(default_factory=list)
    """Files outside KINDRED_HOME that nobody asked for."""

    @property
    def problems(self) -> list[str]:
        """In words; empty if the claim holds."""
        seen = self.network
        said = [f"looked up: {name}" for name in sorted(set(seen.names))]
        said += [f"{seen.connections} connections"] if seen.connections else []
        said += [] if seen.quiet else [f"{seen.packets} packets on the loopback, {seen.unrouted} to the outside"]
        return said + [f"written: {path}" for path in self.strays] + seen.failed


def run(roles: list[list[str]], folder: Path, limit: float = LIMIT) -> Found:
    """Run roles of this module at the same time in a namespace, in a fresh home.

    Args:
        roles: the arguments of each process, as `main` takes them.
        folder: empty, or of an earlier run.
        limit: seconds.
    """
    work = folder / "work"
    for name in ("work/source", "user", "temporary", "kindred"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    reports = "accession,text\n1,Fracture of the distal femur.\n2,Chest radiograph with a left pleural effusion.\n"
    (work / "source" / REPORTS).write_text(reports)
    (work / "source" / "image.dcm").write_bytes(Path(str(get_testdata_file("MR_small.dcm"))).read_bytes())
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ORT_"))}
    environment |= {
        **{"HOME": str(folder / "user"), "TMPDIR": str(folder / "temporary"), "KINDRED_HOME": str(folder / "kindred")},
        **{"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "QT_QPA_PLATFORM": "offscreen"},
        **{"OMP_NUM_THREADS": "1"},
    }
    before = _listed(Path.home())
    commands = [[sys.executable, "-m", "benchmarks.offline", "--role", *role] for role in roles]
    seen = watch(commands, environment, work, limit)
    strays = [str(path) for name in ("user", "temporary") for path in (folder / name).rglob("*") if path.is_file()]
    asked = {"source", ARCHIVE, OWN_ARCHIVE, ADAPTED, EXPORTED, BACKUPS, RESTORED, SALVAGED, COPIED, IMAGES}
    asked |= {PASSPHRASE, SHOT}
    strays += [str(path) for path in work.iterdir() if path.name not in asked]
    return Found(seen, strays + sorted(_listed(Path.home()) - before))


def _listed(home: Path) -> set[str]:
    """What lies in the folders of a home where libraries keep files: some ask the system for it, not the variables."""
    folders = [home, *(home / name for name in (".cache", ".config", ".local/share", ".local/state"))]
    return {str(path) for folder in folders if folder.is_dir() for path in folder.iterdir()}


def _app(seconds: float) -> None:
    """The app on an archive of its own, with models, searching and drafting, until so many seconds after its start."""
    from PySide6.QtCore import QEventLoop, QTimer

    from desktop import demo
    from desktop.app import build, make_application

    until = time.monotonic() + seconds
    _command("import", [*SOURCE, OWN_ARCHIVE])
    make_application()
    app = build()
    app.window.show()
    demo.drive(app, [Path(STUDY)], Path(OWN_ARCHIVE), None)
    assert app.desk.archive.bundle is not None
    assert app.desk.search.hits
    loop = QEventLoop()
    QTimer.singleShot(max(0, round(1000 * (until - time.monotonic()))), loop.quit)
    loop.exec()
    app.close()


def _command(name: str, arguments: list[str]) -> None:
    from engine.cli import main as command_line
    from engine.dicom.listing import open_path
    from engine.reports.workspace import Workspace
    from engine.store.encryption.unlocked import VARIABLE

    if name == "report":
        with Workspace.open() as workspace:
            workspace.save_edit(open_path(Path("source")).studies[0].uid, "Normal.")
    if name in ("encrypt", "passphrase", "decrypt"):
        Path(PASSPHRASE).write_text("correct horse battery\n")
        os.environ[VARIABLE] = PASSPHRASE
    if name == "restore":
        arguments = [*map(str, Path(BACKUPS).glob("archive-*")), *arguments]
    status = command_line.main([name, *arguments])
    if status and not (name in REFUSES and status == 2):
        sys.exit(status)


def table(found: dict[str, Found], seconds: float) -> str:
    """The section of the document."""
    rows = [
        f"| {SHOWN.get(name, name)} | {len(one.network.names)} | {one.network.connections} | {one.network.packets} | "
        f"{one.network.unrouted} | {len(one.strays)} |"
        for name, one in found.items()
    ]
    return (
        f"Each ran for {seconds:.0f} s in a network namespace with a loopback alone, with a name server and a listener "
        "on it. `./do bench offline` prints this table, `python -m benchmarks.offline --markdown docs/reliability.md` "
        "writes it. The last row is not Kindred: it shows that a process which asks is noticed.\n\n"
        "| process | look-ups | connections | packets | packets to the outside | files elsewhere |\n"
        "|---|---:|---:|---:|---:|---:|\n" + "\n".join(rows)
    )


def main() -> None:
    """Run each for a while, print the table; exit status 1 if anything was reached or written."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=30.0, help="of each process")
    options.add_argument("--markdown", type=Path, metavar="FILE", help="write the table to this file")
    options.add_argument("--role", nargs="+", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.role:
        play(*chosen.role)
        return
    if reason := why_not():
        sys.exit(reason)
    found: dict[str, Found] = {}
    with tempfile.TemporaryDirectory() as name:
        for role in (["app"], *([command] for command in COMMANDS), ["asking"]):
            found[role[0]] = run([[*role, str(chosen.seconds)]], Path(name))
            print(role[0], found[role[0]].problems or "nothing", flush=True)
    text = table(found, chosen.seconds)
    print(f"\n{text}")
    if chosen.markdown:
        put(chosen.markdown, TITLE, text)
    asking = found.pop("asking")
    sys.exit(0 if asking.network.names and not any(one.problems for one in found.values()) else 1)


def play(role: str, seconds: str = "0") -> None:
    """Inside the namespace: be the app, one command, all "commands", or "asking" for a name, for so many seconds."""
    until = time.monotonic() + float(seconds)
    if role == "app":
        _app(float(seconds))
    elif role == "asking":
        import socket

        socket.create_connection(("kindred.example", 443)).close()
    else:
        for name in COMMANDS if role == "commands" else (role,):
            _command(name, COMMANDS[name])
    time.sleep(max(0.0, until - time.monotonic()))


if __name__ == "__main__":
    main()
