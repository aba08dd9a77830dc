"""The commands `kindred department login` and `logout`: the password of an archive on a server, in the keyring."""

import click

from engine.archive import Archive
from engine.cli.options import ARCHIVE, json_option, print_result
from engine.errors import UserError
from engine.store.address import Address


@click.group("department", epilog="Example: kindred department login postgresql://anna@archive.example.org/kindred")
def department_group() -> None:
    """The account on the server of an archive that a department shares."""


@department_group.command(
    "login", epilog="Example: kindred department login postgresql://anna@archive.example.org/kindred"
)
@click.argument("address", type=ARCHIVE)
@json_option
def login_command(address: object, as_json: bool) -> None:
    """Keep the password for ADDRESS in the keyring of the operating system.

    It is tried first. It is written nowhere else; without a keyring, PostgreSQL's own file ~/.pgpass works too.
    """
    place = _required(address)
    password = click.prompt(f"Password for {place}", hide_input=True, err=True)
    from engine.store.server import passwords
    from engine.store.server.connecting import connect

    passwords.use(place, password)
    connect(place).close()
    passwords.keep(place, password)
    print_result({"address": str(place)}, [f"The password for {place} is in the keyring."], as_json)


@department_group.command(
    "logout", epilog="Example: kindred department logout postgresql://anna@archive.example.org/kindred"
)
@click.argument("address", type=ARCHIVE)
@json_option
def logout_command(address: object, as_json: bool) -> None:
    """Remove the password for ADDRESS from the keyring."""
    place = _required(address)
    from engine.store.server import passwords

    dropped = passwords.drop(place)
    said = "was removed from the keyring" if dropped else "was not in the keyring"
    print_result({"address": str(place), "removed": dropped}, [f"The password for {place} {said}."], as_json)


@department_group.command(
    "index", epilog="Example: kindred department index postgresql://owner@archive.example.org/kindred"
)
@click.argument("address", type=ARCHIVE)
@json_option
def index_command(address: object, as_json: bool) -> None:
    """Make the index of vectors at ADDRESS, or bring it up to date, while all desks work.

    Only the owner of the archive can do that; what the owner imports does it too. Once a night is enough.
    """
    place = _required(address)
    with Archive.open(place) as archive:
        archive.index.refresh(save=True)
        state = archive.index.state()
    if state != "intact":
        raise UserError(f"The index of {place} is {state}: only the owner of the archive can make it.")
    print_result({"address": str(place), "index": state}, [f"The index of {place} is up to date."], as_json)


def _required(address: object) -> Address:
    if not isinstance(address, Address):
        raise UserError(f"{address} is no address; write it as postgresql://USER@HOST/DATABASE.")
    return address
