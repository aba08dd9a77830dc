"""Passwords of DICOMweb services, in the keyring of the account and nowhere else: in no file, log or message."""

from engine.errors import UserError
from engine.pacs.address import Pacs
from engine.store.encryption import system_keyring

NOT_KEPT = (
    "The password was not kept: this session has no keyring. Kindred stores passwords nowhere else; start Kindred in a "
    "session with a keyring."
)


def keep(pacs: Pacs, password: str) -> None:
    """Keep the password of a PACS.

    Raises:
        UserError: there is no keyring, or it refused.
    """
    try:
        system_keyring.keep(_entry(pacs), password)
    except UserError:
        raise UserError(NOT_KEPT) from None
    if system_keyring.recall(_entry(pacs)) != password:  # some keyrings only pretend
        raise UserError(NOT_KEPT)


def recall(pacs: Pacs) -> str | None:
    """The password that was kept; None without one."""
    return system_keyring.recall(_entry(pacs))


def drop(pacs: Pacs) -> None:
    """Forget the password of a PACS.

    Raises:
        UserError: the keyring refused, and still has it.
    """
    try:
        system_keyring.drop(_entry(pacs))
    except UserError:
        raise UserError(f"The password of {pacs.name} is still in the keyring: unlock it and try again.") from None


def drop_replaced(gone: Pacs | None, pacs: Pacs) -> None:
    """Forget the password of the PACS that another one has replaced, unless both have the same user and address.

    Raises:
        UserError: the keyring refused, and still has it.
    """
    if gone is not None and _entry(gone) != _entry(pacs):
        drop(gone)


def _entry(pacs: Pacs) -> str:
    """The entry has user and address, so that a password never goes to another server than the one it was typed for."""
    return f"pacs {pacs.user} {pacs.url}"
