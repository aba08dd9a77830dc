"""Keeps passphrases in the keyring of the operating system: Keychain, Credential Manager or Secret Service.

Optional: it needs the package `keyring` (the extra of that name), and a session with a keyring, which servers lack.
Whoever can use the account then opens what is encrypted, so nothing is kept unless somebody asks for it.
"""

import importlib.util

from engine.errors import UserError

SERVICE = "kindred"


def is_installed() -> bool:
    """Whether the package is there; whether there is a keyring, only an attempt says."""
    return importlib.util.find_spec("keyring") is not None


def recall(key_id: str) -> str | None:
    """The passphrase that was kept for a key; None without one, or without a keyring."""
    if not is_installed():
        return None
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(SERVICE, key_id)
    except KeyringError:
        return None


def keep(key_id: str, secret: str, what: str = "passphrase") -> None:
    """Keep a passphrase for a key, or another secret, which `what` names in messages.

    Raises:
        UserError: there is no keyring, or it refused.
    """
    if not is_installed():
        raise UserError(f"The {what} was not remembered: the package keyring is not installed.")
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password(SERVICE, key_id, secret)
    except KeyringError as error:
        raise UserError(
            f"The {what} was not remembered: this session has no keyring ({type(error).__name__})."
        ) from None


def drop(key_id: str) -> bool:
    """Forget the passphrase of a key; whether one was kept.

    Raises:
        UserError: the keyring refused, and still has it.
    """
    if recall(key_id) is None:
        return False
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.delete_password(SERVICE, key_id)
    except KeyringError as error:
        raise UserError(
            f"The passphrase is still in the keyring, which refused ({type(error).__name__}); unlock the keyring and "
            "try again."
        ) from None
    return True
