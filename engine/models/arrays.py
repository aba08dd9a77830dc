"""Reads the arrays of a file of a bundle (NumPy's .npz). Does not know what they mean."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import UserError


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of a file by name.

    Raises:
        UserError: the file cannot be read, or a number in it is none (NaN) or infinite.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            arrays = {name: np.asarray(kept[name]) for name in kept.files}
        if not all(np.isfinite(one).all() for one in arrays.values() if one.dtype.kind == "f"):
            raise ValueError("not finite")
    except Exception as error:  # numpy and zipfile promise no type for damaged input
        raise unreadable(path) from error
    return arrays


def unreadable(path: Path) -> UserError:
    """The error for a file whose content is not what a bundle needs."""
    return UserError(f"{path.name} in the bundle {path.parent} cannot be read; export the bundle again.")
