"""What is being released: version, edition, date and commit."""

import importlib.metadata
import os
import subprocess
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Release:
    """One version of Kindred in one edition."""

    version: str
    edition: str
    """"cpu" or "gpu"."""
    commit: str
    """"" outside of a Git checkout."""
    seconds: int
    """Since 1970: the time that every packed file gets, so that the same source gives the same installer."""

    @property
    def package(self) -> str:
        """Name of the package: both editions install the same program, so only one of them can be installed."""
        return "kindred" if self.edition == "cpu" else f"kindred-{self.edition}"

    def as_dict(self) -> dict[str, str]:
        """For release.json in the installed folder."""
        date = time.strftime("%Y-%m-%d", time.gmtime(self.seconds))
        return {"version": self.version, "edition": self.edition, "commit": self.commit, "date": date}


def current() -> Release:
    """The release that this checkout and its environment make."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {one.name.lower() for one in importlib.metadata.distributions()}
    edition = "gpu" if "onnxruntime-gpu" in names else "cpu"
    seconds = os.environ.get("SOURCE_DATE_EPOCH") or _git("log", "-1", "--format=%ct") or str(int(time.time()))
    return Release(project["version"], edition, _git("rev-parse", "--short=12", "HEAD"), int(seconds))


def _git(*arguments: str) -> str:
    try:
        ended = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return ended.stdout.strip() if ended.returncode == 0 else ""
