"""Reads manifest.json of a bundle and verifies its files. Does not know what the models compute."""

import hashlib
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.models.manifest_shape import first_wrong
from engine.store.safety.json_file import read_json

SCHEMA_VERSION = 2
"""Version 2: the graphs of the towers end at their features, and `heads` names the file that projects them."""
FILE_NAME = "manifest.json"
GRAPHS = ("image", "text", "captioner")
PAIR_KINDS = ("image-image", "image-report", "report-report")

_REQUIRED = {
    "name": str,
    "preprocess": dict,
    "embedding_size": int,
    "tokenizer": dict,
    "variants": dict,
    "captioner": dict,
    "calibration": dict,
}

Manifest = dict[str, Any]


def file_entry(path: Path) -> dict[str, Any]:
    """The manifest entry of a file: {"file", "sha256" (hex), "bytes"}."""
    content = path.read_bytes()
    return {"file": path.name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def read(folder: Path) -> Manifest:
    """Read manifest.json without checking the files that it lists.

    Raises:
        UserError: the folder is not a bundle, the JSON is unreadable, the schema is newer, or an entry is missing.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        raise UserError(f"There is no model bundle in {folder} (no {FILE_NAME}); choose a bundle folder.")
    try:
        manifest = read_json(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}); copy the bundle again.") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("schema_version"), int):
        raise UserError(f"{path} is not the manifest of a model bundle; choose another folder.")
    version = manifest["schema_version"]
    if version > SCHEMA_VERSION:
        raise UserError(
            f"The bundle {folder} has manifest version {version}, but this version of Kindred supports up to "
            f"{SCHEMA_VERSION}; update Kindred or use an older bundle."
        )
    for key, kind in _REQUIRED.items():
        if not isinstance(manifest.get(key), kind):
            raise UserError(f"{path} has no valid '{key}' entry; export the bundle again.")
    for pair in PAIR_KINDS:
        constants = manifest["calibration"].get(pair)
        if not isinstance(constants, dict) or "mean" not in constants or not _positive(constants.get("std")):
            raise UserError(f"{path} has no score scale of {pair} pairs; export the bundle again.")
    if wrong := first_wrong(manifest):
        raise UserError(f"{path} has no valid '{wrong}' entry; export the bundle again.")
    return manifest


def _positive(value: Any) -> bool:
    return type(value) in (int, float) and value > 0


def require_export_target(target: Path, kept: Path | None = None) -> None:
    """Raise UserError if a bundle cannot be written to `target`: something else, or the bundle `kept`, is there."""
    if kept is not None and target.resolve() == kept.resolve():
        raise UserError(f"{target} holds the models to start from, which are kept; choose another --out.")
    if target.exists() and not (target / FILE_NAME).is_file():
        raise UserError(f"{target} exists and is not a model bundle; choose another --out.")


def choose_variant(manifest: Manifest, wanted: str | None, on_gpu: bool) -> str:
    """The variant to run: the wanted one, else the fastest available: int8 on a CPU, fp16 on a GPU.

    Raises:
        UserError: the bundle has no such variant.
    """
    present = list(manifest["variants"])
    if wanted is not None and wanted not in present:
        raise UserError(f"The bundle has no variant '{wanted}'; choose one of: {', '.join(present)}.")
    if wanted is not None:
        return wanted
    for name in ("fp16", "fp32", "int8") if on_gpu else ("int8", "fp32", "fp16"):
        if name in present:
            return name
    raise UserError("The bundle contains no model variant; export it again.")


def checked_file(folder: Path, entry: Any, what: str) -> Path:
    """The path of a file whose size and SHA-256 match its entry.

    Args:
        folder: the bundle.
        entry: as `file_entry` writes it.
        what: what the file is, for the message.

    Raises:
        UserError: the file is missing, damaged, outside the folder, or not listed.
    """
    if not isinstance(entry, dict) or not {"file", "sha256", "bytes"} <= entry.keys():
        raise UserError(f"The manifest of the bundle {folder} does not list the {what}; export the bundle again.")
    path = folder / str(entry["file"])
    try:
        if path.parent.resolve() != folder.resolve():
            reason = f"The bundle {folder} refers to a file outside its folder ({entry['file']}); do not use it."
            raise UserError(reason)
        if not path.is_file():
            raise UserError(f"{path.name} ({what}) is missing from the bundle {folder}; copy the bundle again.")
        actual = file_entry(path)
    except (OSError, ValueError, RuntimeError) as error:  # no permission, no possible name, a loop of links
        raise UserError(f"The {what} of the bundle {folder} cannot be read; copy the bundle again.") from error
    if actual["bytes"] != entry["bytes"] or actual["sha256"] != entry["sha256"]:
        raise UserError(f"{path.name} in the bundle {folder} is damaged (checksum mismatch); copy the bundle again.")
    return path


def damaged_files(folder: Path, manifest: Manifest) -> list[str]:
    """One sentence per missing or damaged file of any variant, for `kindred doctor`."""
    entries = [(manifest["tokenizer"], "tokenizer"), (manifest.get("training_ngrams"), "training word sequences")]
    if manifest.get("heads"):
        entries.append((manifest["heads"], "projections"))
    if manifest.get("familiarity"):
        entries.append((manifest["familiarity"], "statistics of the training images"))
    if manifest.get("fact_heads"):
        entries.append((manifest["fact_heads"], "classifiers of facts"))
    for variant, graphs in manifest["variants"].items():
        entries += [(graphs.get(graph), f"{variant} {graph} model") for graph in GRAPHS]
    problems = []
    for entry, what in entries:
        try:
            checked_file(folder, entry, what)
        except UserError as error:
            problems.append(str(error))
    return problems
