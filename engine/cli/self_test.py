"""Tries out an installation: open, decode, import, search, draft, export and show a window, in a temporary folder.

The files are real ones that ship with Kindred and pydicom. Nothing of the user is read, and nothing is left.
"""

import csv
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from engine.archive import Archive
from engine.bundle import Bundle
from engine.cli.doctor import Check
from engine.dicom.listing import open_path
from engine.errors import UserError
from engine.image.picture import load_picture
from engine.image.renditions import renditions_of
from engine.importing.csv_files import CASES
from engine.importing.importer import import_path
from engine.reports.draft import draft
from engine.reports.export.exported_report import ExportedReport, KeyFrame
from engine.reports.export.formats import FORMATS
from engine.resources import HOME, resource_path
from engine.retrieval.search import Query, SearchOptions, search
from engine.store.backup.source import archive_source
from engine.store.encryption.convert import encrypt
from engine.store.encryption.unlocked import is_encrypted
from engine.text.words import counted

STUDY = "CT_small.dcm"
PLAIN = "MR_small.dcm"
SAME_PIXELS = {
    "RLE": "MR_small_RLE.dcm",
    "JPEG-LS": "MR_small_jpeg_ls_lossless.dcm",
    "JPEG 2000": "MR_small_jp2klossless.dcm",
}
"""The image of `PLAIN`, compressed without loss."""
LOSSY = {"JPEG": "SC_rgb_jpeg_dcmtk.dcm"}
ROWS = 8
"""Of the sample archive that are imported."""
WINDOW_SECONDS = 120.0


def self_test(window: Sequence[str]) -> list[Check]:
    """Do what a user does, step by step, up to the first step that fails.

    Args:
        window: command that shows a study and an archive, whose paths are added, in a window and says what it showed
            as JSON; empty to leave that out.
    """
    checks = []
    with _temporary_home() as home:
        try:
            for name, text in _steps(home, window):
                checks.append(Check(name, True, text))
        except UserError as error:
            checks.append(
                Check("self-test", False, f"The self-test stopped after {counted(len(checks), 'step')}: {error}")
            )
            return checks
    return [*checks, Check("nothing left", True, "The temporary folder of the self-test was removed.")]


def _steps(home: Path, window: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each step with what it found.

    Raises:
        UserError: a step failed.
    """
    path = shipped_file(STUDY)
    study = open_path(path).studies[0]
    yield "open", f"A study was opened: {study.series[0].modality}, {counted(len(study.series[0].frames), 'image')}."
    yield "decode", f"Images were decoded: {', '.join(_decoded())}."
    models = Bundle.open()
    with Archive.create(home / "archive") as archive:
        imported = [import_path(archive, models, source) for source in (_some_cases(home / "source"), path)]
        cases = archive.stats()["cases"]
        if cases != ROWS + 1:
            reason = next((one.reason for result in imported for one in result.rejected), "no reason was given")
            raise UserError(f"only {cases} of {ROWS + 1} cases were imported ({reason}).")
        yield "import", f"{counted(cases, 'case')} were imported."
        text = _texts()[0]
        found = search(archive, models, Query(None, text), SearchOptions(k=3)).hits
        if not found or found[0].text != text:
            raise UserError("a search for the words of a report did not find it first.")
        picture = load_picture(path)
        similar = search(archive, models, Query(picture.gray), SearchOptions(k=3, exclude_study=picture.study_uid)).hits
        yield "search", f"A report was found by its words, and {counted(len(similar), 'similar case')} by an image."
        proposed = draft(
            models,
            archive,
            renditions_of(picture),
            facts=picture.facts,
            body_part=picture.body_part,
            exclude_study=picture.study_uid,
            patient=picture.patient_key,
            offer=True,
        )
        said = counted(len(proposed.sentences), "sentence") if proposed.sentences else "none, with the reason for it"
        yield "draft", f"A draft was asked for: {said}."
    series = study.series[0]
    report = ExportedReport(study, "No pleural effusion.", key_frames=(KeyFrame(series, series.frames[0]),))
    written = [one.label for one in FORMATS.values() if one.write(report)]
    yield "export", f"A report was exported as {', '.join(written)}."
    yield "window", _shown([*window, str(path), str(home / "archive")]) if window else "No window was asked for."
    source = archive_source(home / "archive")
    encrypt(source, "only of this self-test")
    with Archive.open(source.folder) as archive:
        if not is_encrypted(source.path) or archive.stats()["cases"] != cases:
            raise UserError("an encrypted archive could not be read again.")
    yield "encrypt", "The archive was encrypted, and read again."


def shipped_file(name: str) -> Path:
    """A DICOM file that is installed with pydicom; nothing is downloaded.

    Raises:
        UserError: it is missing.
    """
    from pydicom.data import get_testdata_file

    found = get_testdata_file(name, download=False)
    if not found:
        raise UserError(f"the sample file {name} is missing; install Kindred again.")
    return Path(str(found))


def _decoded() -> list[str]:
    """Names of the compressions that were decoded; those without loss to the pixels of the plain image.

    Raises:
        UserError: other pixels came out.
    """
    plain = load_picture(shipped_file(PLAIN)).gray
    for name, file in SAME_PIXELS.items():
        if not np.array_equal(load_picture(shipped_file(file)).gray, plain):
            raise UserError(f"{name} was decoded to other pixels; install Kindred again.")
    for file in LOSSY.values():
        load_picture(shipped_file(file))
    return ["uncompressed", *SAME_PIXELS, *LOSSY]


def _rows() -> list[dict[str, str]]:
    with (resource_path("sample-archive") / CASES).open(encoding="utf-8", newline="") as file:
        return [row for _, row in zip(range(ROWS), csv.DictReader(file))]


def _texts() -> list[str]:
    return [row["text"] for row in _rows()]


def _some_cases(folder: Path) -> Path:
    """A folder with the first cases of the sample archive, as it can be imported."""
    shipped, rows = resource_path("sample-archive"), _rows()
    for row in rows:
        (folder / row["image"]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shipped / row["image"], folder / row["image"])
    with (folder / CASES).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def _shown(command: Sequence[str]) -> str:
    """What a window showed, which ran in a process of its own: what is missing for Qt would abort this one.

    Raises:
        UserError: no window was shown.
    """
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    try:
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=WINDOW_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"the window was not shown ({error}).") from error
    if ended.returncode:
        lines = ended.stderr.strip().splitlines() or [f"exit status {ended.returncode}"]
        raise UserError(f"the window was not shown ({lines[-1]}).")
    try:
        said = json.loads(ended.stdout)
    except ValueError as error:
        raise UserError(f"the window was not shown ({ended.stdout.strip()}).") from error
    after = f", and was usable {said['usable']:.1f} s after its start" if "usable" in said else ""
    return f"A window of {said['width']} x {said['height']} pixels showed the study{after}."


@contextmanager
def _temporary_home() -> Iterator[Path]:
    """A folder that is the home of this process and of those that it starts, until it is removed."""
    names = (HOME, "HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    before = {name: os.environ.get(name) for name in names}
    with tempfile.TemporaryDirectory(prefix="kindred-self-test-") as folder:
        os.environ.update(dict.fromkeys(names, folder))
        try:
            yield Path(folder)
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
