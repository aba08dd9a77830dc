"""A case as an import finds it, before any model has seen it. Knows no archive and no file format."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.store.case import CaseFacts


@dataclass(frozen=True, slots=True)
class LoadedPicture:
    """uint8 [H, W] and the window (centre, width in modality values) it was rendered at, None for picture files."""

    gray: NDArray[np.uint8]
    window: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class FoundPicture:
    """A picture that is read only when the archive lacks it.

    key: names it within its case. name: where it lies, for messages. load: raises UserError when it cannot be read.
    """

    key: str
    name: str
    load: Callable[[], LoadedPicture]
    frame: int = 0


@dataclass(frozen=True, slots=True)
class FoundCase(CaseFacts):
    """What one study or one row brings. Identifiers are as they stand in the source; the archive hashes them.

    name: where it lies, for messages. names: what a row of a reports file may name it by: column -> value.
    identifiers: of this very patient, to be removed from its text. named_by_pictures: `key` comes from what the
    pictures contain, so the case waits until they can be read; a study, which has a UID, goes in with its report alone.
    """

    name: str = ""
    pictures: tuple[FoundPicture, ...] = ()
    text: str = ""
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    identifiers: tuple[str, ...] = ()
    named_by_pictures: bool = False
