"""Finds the packages of the extra `department`, and keeps what they log to themselves: requests name patients."""

import importlib.util
import logging

from engine.errors import UserError

TALKATIVE = ("pynetdicom", "dicomweb_client", "urllib3", "requests")


def require(*names: str) -> None:
    """Make sure that packages are installed, before they are imported.

    Raises:
        UserError: one is not.
    """
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f"DICOM over the network needs packages that are not installed ({', '.join(missing)}): install Kindred "
            "with the extra department, as in pip install 'kindred-radiology[department]'."
        )
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
