"""The options of a query that click cannot check: which belong together, and corrections of facts. Opens no files."""

from collections.abc import Collection, Sequence
from pathlib import Path

import click

from engine.errors import UserError, exists
from engine.facts.fact import KINDS, MODALITIES, VALUES, FactKind
from engine.facts.from_header import MODALITY_OF_CODE, SIDE_OF_CODE, VIEW_OF_POSITION
from engine.facts.region_words import region_of_names

OLDEST = 150


def check_age(age: tuple[int, int] | None) -> None:
    """Raise UserError for a range of ages that is empty, or of nobody."""
    if age is not None and not (0 <= age[0] <= OLDEST and 0 <= age[1] <= OLDEST):
        raise UserError(f"Ages are from 0 to {OLDEST} years; give both in that range.")
    if age is not None and age[0] > age[1]:
        raise UserError(
            f"No age is from {age[0]} to {age[1]}: give the lower age first, as in --age {age[1]} {age[0]}."
        )


def check_modalities(asked: Collection[str], archived: Collection[str]) -> None:
    """Raise UserError for a modality that neither DICOM nor the archive knows."""
    known = {*MODALITY_OF_CODE, *MODALITIES, *archived}
    for modality in asked:
        if modality.upper() not in known:
            present = ", ".join(sorted(filter(None, archived))) or "none"
            raise UserError(f"{modality} is not a modality; the archive has: {present}.")


def check_image_options(image: Path | None) -> None:
    """Raise UserError for options of an image without one; called while a command runs."""
    context = click.get_current_context()
    for option in ("frame", "window"):
        if image is None and context.get_parameter_source(option) is click.core.ParameterSource.COMMANDLINE:
            raise UserError(f"--{option} selects how an image is shown: give the image with --image.")


def require_file(path: Path) -> None:
    """Raise UserError for a folder where one image is asked for."""
    if exists(path) and path.is_dir():
        raise UserError(f"{path} is a folder; name one image file in it.", path)


def corrections_of(options: Sequence[str]) -> dict[FactKind, str]:
    """The values of --fact, the last of each kind: KIND=VALUE sets a fact, KIND= removes it.

    Raises:
        UserError: one has no kind, or a value that its kind does not have.
    """
    return dict(map(_parsed, options))


def _parsed(correction: str) -> tuple[FactKind, str]:
    name, equals, value = (part.strip() for part in correction.partition("="))
    kind = next((kind for kind in KINDS if kind == name.lower()), None)
    if kind is None or not equals:
        raise UserError(f"--fact {correction} is not KIND=VALUE; the kinds are: {', '.join(KINDS)}.")
    if not value:
        return kind, ""
    known = _known(kind, value)
    if known is None:
        raise UserError(f"{value} is not a {kind}; choose one of: {', '.join(VALUES[kind])}.")
    return kind, known


def _known(kind: FactKind, value: str) -> str | None:
    """The value of a kind that a word means, as DICOM or a person may write it: DX, hip, L, PA."""
    if kind == "modality":
        found = value.upper() if value.upper() in MODALITIES else MODALITY_OF_CODE.get(value.upper())
    elif value.lower() in VALUES[kind]:
        found = value.lower()
    elif kind == "region":
        found = region_of_names(value)
    else:
        found = (SIDE_OF_CODE if kind == "laterality" else VIEW_OF_POSITION).get(value.upper())
    return found if found in VALUES[kind] else None
