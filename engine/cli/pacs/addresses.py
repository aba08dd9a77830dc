"""The commands `kindred pacs add`, `remove`, `list` and `test`. Leave all work to `engine.pacs`."""

import sys
import time
from pathlib import Path

import click

from engine.cli.options import FILE, json_option, print_result
from engine.errors import UserError
from engine.pacs import address_book, passwords
from engine.pacs.address import CALLING, Pacs
from engine.pacs.address_check import checked
from engine.pacs.connection import echo

name_argument = click.argument("name")


@click.command(
    "add",
    epilog="Example: kindred pacs add archive --host 10.0.0.5 --port 11112 --called ARCHIVE --tls --ca-file ca.pem",
)
@name_argument
@click.option("--url", default="", help="Address of DICOMweb, such as https://pacs.example/dicom-web.")
@click.option("--user", default="", help="User name for DICOMweb; the password is asked for, or read from stdin.")
@click.option("--host", default="", help="Host of a PACS without DICOMweb.")
@click.option("--port", type=int, default=0, help="Its DICOM port.")
@click.option("--called", default="", metavar="AE", help="Its AE title.")
@click.option("--calling", default=CALLING, show_default=True, metavar="AE", help="AE title of this workstation.")
@click.option(
    "--receiver",
    default="",
    metavar="ADDRESS:PORT",
    help="Retrieve by C-MOVE, and receive on this address while one runs. Default: C-GET.",
)
@click.option("--tls", is_flag=True, help="Use TLS for DICOM; DICOMweb does with https.")
@click.option(
    "--ca-file",
    type=FILE,
    help="PEM file of the authority that signed the certificate of the PACS. Default: those of this computer.",
)
@click.option("--certificate", type=FILE, help="PEM file with the certificate of this workstation.")
@click.option("--key", type=FILE, help="PEM file with the private key of --certificate.")
@click.option("--allow-plain", is_flag=True, help="Allow a connection without TLS, which others can read.")
@json_option
def add_command(
    name: str,
    url: str,
    user: str,
    host: str,
    port: int,
    called: str,
    calling: str,
    receiver: str,
    tls: bool,
    ca_file: Path | None,
    certificate: Path | None,
    key: Path | None,
    allow_plain: bool,
    as_json: bool,
) -> None:
    """Add a PACS under NAME, or replace it. Connects to nothing; `kindred pacs test` does.

    Give either --url for DICOMweb, or --host, --port and --called. The password goes into the keyring of this account,
    and into no file.
    """
    pacs = checked(
        Pacs(
            name=name,
            url=url,
            user=user,
            host=host,
            port=port,
            called=called,
            calling=calling,
            receiver=receiver,
            tls=tls,
            ca_file=_absolute(ca_file),
            certificate=_absolute(certificate),
            key=_absolute(key),
            allow_plain=allow_plain,
        )
    )
    if user:
        passwords.keep(pacs, _password(user))
    passwords.drop_replaced(address_book.add(pacs), pacs)
    print_result({"pacs": pacs.as_dict()}, [f"Added {name}: {pacs.where}. Try it: kindred pacs test {name}"], as_json)


@click.command("remove", epilog="Example: kindred pacs remove archive")
@name_argument
@json_option
def remove_command(name: str, as_json: bool) -> None:
    """Forget a PACS and its password. Retrieved studies stay."""
    gone = address_book.address(name)
    passwords.drop(gone)
    address_book.remove(name)
    print_result({"removed": name}, [f"Removed {name}."], as_json)


@click.command("list", epilog="Example: kindred pacs list --json")
@json_option
def list_command(as_json: bool) -> None:
    """List every PACS that was added, without passwords."""
    known = address_book.addresses()
    lines = [f"{one.name}  {one.way}  {one.where}" for one in known] or ["No PACS was added yet: kindred pacs add"]
    print_result({"pacs": [one.as_dict() for one in known]}, lines, as_json)


@click.command("test", epilog="Example: kindred pacs test archive")
@click.argument("name", required=False, default="")
@json_option
def test_command(name: str, as_json: bool) -> None:
    """Ask whether a PACS answers, without asking for any patient."""
    pacs = address_book.address(name)
    started = time.perf_counter()
    echo(pacs)
    milliseconds = round(1000 * (time.perf_counter() - started), 1)
    print_result(
        {"name": pacs.name, "ok": True, "ms": milliseconds}, [f"{pacs.name} answers ({milliseconds:g} ms)."], as_json
    )


def _absolute(path: Path | None) -> str:
    return "" if path is None else str(path.absolute())


def _password(user: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(f"Password of {user}", hide_input=True, err=True))
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise UserError("The password is missing: type it in a terminal, or give it on stdin.")
    return password
