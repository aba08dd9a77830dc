"""Writes a bundle folder, its manifest and its card, atomically. Knows no models."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.models import heads, manifest
from engine.models.bundle_folder import new_folder
from engine.models.manifest import GRAPHS, PAIR_KINDS, SCHEMA_VERSION, file_entry
from export import model_card
from export.variants import file_name

TOKENIZER, NGRAMS, CARD = "tokenizer.json", "training_ngrams.bin", "MODEL_CARD.md"


@contextmanager
def changed(bundle: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """A copy of a bundle and its manifest to edit: it replaces the bundle on success, or nothing changes."""
    with new_folder(bundle) as folder:
        shutil.copytree(bundle, folder, dirs_exist_ok=True)
        content: dict[str, Any] = json.loads((folder / manifest.FILE_NAME).read_text(encoding="utf-8"))
        yield folder, content
        write_manifest(folder, content)


def provisional(
    folder: Path, name: str, size: int, dim: int, max_length: int, captioner: dict[str, Any], variants: list[str]
) -> dict[str, Any]:
    """A manifest that can be opened before anything is measured; its score scale is the identity."""
    return {
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "git_commit": git_commit(),
        "preprocess": {"size": size, "mode": "longest side to size, centred on black, bicubic"},
        "embedding_size": dim,
        "tokenizer": {**file_entry(folder / TOKENIZER), "max_length": max_length},
        "heads": file_entry(folder / heads.FILE),
        "variants": {v: {g: file_entry(folder / file_name(g, v)) for g in GRAPHS} for v in variants},
        "captioner": captioner,
        "calibration": {kind: {"mean": 0.0, "std": 1.0} for kind in PAIR_KINDS},
        "training_ngrams": {**file_entry(folder / NGRAMS), "n": 8},
    }


def write_manifest(folder: Path, content: dict[str, Any]) -> None:
    """Write manifest.json."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / manifest.FILE_NAME).write_text(text + "\n", encoding="utf-8")


def drop_variant(folder: Path, content: dict[str, Any], variant: str) -> None:
    """Delete a variant from the folder and the manifest."""
    for entry in content["variants"].pop(variant).values():
        (folder / entry["file"]).unlink()


def refuse_too_large(folder: Path, most_bytes: int) -> int:
    """Return the bytes of the whole folder.

    Raises:
        UserError: they are more than `most_bytes` (0: any size), naming the largest files.
    """
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    total = sum(sizes.values())
    if most_bytes and total > most_bytes:
        largest = ", ".join(f"{name} {sizes[name] / 1e6:.1f}" for name in sorted(sizes, key=lambda n: -sizes[n])[:4])
        raise UserError(
            f"The bundle has {total / 1e6:.2f} MB, {(total - most_bytes) / 1e6:.2f} MB too many ({largest}); "
            "export fewer variants, try --small, or train smaller models."
        )
    return total


def git_commit() -> str:
    """The commit of the exporting code, with "-dirty" if files differ from it; "unknown" outside a checkout."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    root = Path(__file__).resolve().parent
    command = [git, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    found = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return found.stdout.strip() if found.returncode == 0 else "unknown"


def made_by(card: Path) -> str:
    """The export command that a card names, "" if there is none."""
    lines = card.read_text(encoding="utf-8").splitlines() if card.is_file() else []
    return next((line.strip() for line in lines if line.startswith("    python -m export ")), "")


def told_command(module: str, argv: Sequence[str]) -> str:
    """A command as a card tells it: of an absolute path only the last name, since a card leaves the machine."""

    def told(word: str) -> str:
        head, equals, path = word.rpartition("=")
        return f"{head}{equals}{Path(path).name}" if Path(path).is_absolute() else word

    return f"python -m {module} {shlex.join(map(told, argv))}"


def rewrite_card(folder: Path, content: dict[str, Any]) -> None:
    """Write the card of a finished bundle again, with the commands that made it and measured it."""
    commands = (made_by(folder / CARD), content.get("measured", {}).get("command", ""))
    card = model_card.card(content, "\n    ".join(filter(None, commands)))
    (folder / CARD).write_text(card, encoding="utf-8")
