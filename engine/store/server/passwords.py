"""Passwords for archives on servers: kept for this process, or in the keyring of the account. Writes no file."""

from engine.store.address import Address
from engine.store.encryption import system_keyring

_typed: dict[str, str] = {}


def password_of(address: Address) -> str | None:
    """The password for an address: that which was typed, else that in the keyring.

    None leaves it to PostgreSQL's own ways (~/.pgpass, certificates, none at all).
    """
    return _typed.get(str(address)) or system_keyring.recall(_name(address))


def use(address: Address, password: str) -> None:
    """Use a password until the process ends; "" forgets it."""
    _typed[str(address)] = password


def keep(address: Address, password: str) -> None:
    """Keep a password in the keyring. Raises UserError where there is none."""
    system_keyring.keep(_name(address), password, "password")


def drop(address: Address) -> bool:
    """Forget a password; whether the keyring had one. Raises UserError when the keyring refuses."""
    _typed.pop(str(address), None)
    return system_keyring.drop(_name(address))


def _name(address: Address) -> str:
    return f"password of {address}"
