"""The commands `kindred encrypt`, `decrypt` and `passphrase`, and the prompt for a passphrase. Knows no cipher."""

import sys
from pathlib import Path

import click

from engine.archive import Archive
from engine.cli.options import FILE, FOLDER, json_option, print_result
from engine.cli.output import printable, progress_line
from engine.errors import UserError
from engine.reports.workspace import Workspace
from engine.store.backup.backup import backups_of
from engine.store.backup.source import Source, archive_source, workspace_source
from engine.store.encryption import system_keyring
from engine.store.encryption.convert import change_passphrase, decrypt, encrypt, plain_copies
from engine.store.encryption.key_file import WrongPassphraseError, read_id
from engine.store.encryption.unlocked import given_passphrase, is_encrypted, read_passphrase, unlock, unlocked_key
from engine.text.words import counted

LOST = (
    "Without the passphrase nothing can be read: whoever loses it loses the data and the backups made from now on. "
    "Keep it where others find it too."
)
archive_argument = click.argument("folder", type=FOLDER, metavar="[ARCHIVE]", required=False)
workspace_option = click.option("--workspace", is_flag=True, help="The reports of this account instead of an archive.")


def ask(folder: Path) -> None:
    """Ask for the passphrase of a folder until it is right, if somebody can type it."""
    while sys.stdin.isatty():
        try:
            unlock(folder, click.prompt(f"Passphrase of {folder}", hide_input=True, err=True))
            return
        except WrongPassphraseError as error:
            click.echo(printable(str(error)), err=True)


@click.command("encrypt", epilog="Example: kindred encrypt ~/kindred")
@archive_argument
@workspace_option
@json_option
def encrypt_command(folder: Path | None, workspace: bool, as_json: bool) -> None:
    """Encrypt an archive, or the reports of this account, with a passphrase.

    Close the app before. The passphrase is asked for, or read from the file that the variable KINDRED_PASSPHRASE_FILE
    names. Without it nothing can be read: whoever loses it loses the data.
    """
    source = _source(folder, workspace)
    if is_encrypted(source.path):
        raise UserError(f"{source.folder} is encrypted already.", source.folder)
    (Workspace.open() if workspace else Archive.open(source.folder)).close()  # whole, and of this version
    passphrase = given_passphrase() or _new_passphrase()
    with progress_line() as progress:
        encrypt(source, passphrase, progress)
    plain = plain_copies(source)
    lines = [f"Encrypted {source.folder if folder else 'the reports of this account'}. {LOST}"]
    if plain:
        lines += [f"These copies are not encrypted; delete what you do not need ({_replace(folder)}):"]
        lines += [f"  {path}" for path in plain]
    print_result({"folder": str(source.folder), "plain_copies": [*map(str, plain)]}, lines, as_json)


@click.command("decrypt", epilog="Example: kindred decrypt ~/kindred")
@archive_argument
@workspace_option
@json_option
def decrypt_command(folder: Path | None, workspace: bool, as_json: bool) -> None:
    """Decrypt an archive, or the reports of this account. Close the app before."""
    source = _source(folder, workspace)
    with progress_line() as progress:
        decrypt(source, progress)
    lines = [f"Decrypted {source.folder if folder else 'the reports of this account'}."]
    if held := _encrypted_backups(source):
        lines.append(f"{counted(held, 'backup')} made before {'needs' if held == 1 else 'need'} the passphrase.")
    print_result({"folder": str(source.folder)}, lines, as_json)


@click.command("passphrase", epilog="Example: kindred passphrase ~/kindred")
@archive_argument
@workspace_option
@click.option("--new-passphrase-file", "new", type=FILE, help="A file with the new passphrase. Default: it is asked.")
@click.option("--remember", is_flag=True, help="Keep the passphrase in the keyring of this account; change nothing.")
@click.option("--forget", is_flag=True, help="Remove it from that keyring; change nothing.")
@json_option
def passphrase_command(
    folder: Path | None, workspace: bool, new: Path | None, remember: bool, forget: bool, as_json: bool
) -> None:
    """Change the passphrase of an encrypted archive, or of the reports of this account.

    The data are not written anew: who knew the earlier passphrase and kept a copy of encryption.json can still read
    them. Decrypt and encrypt again to keep such a person out. Earlier backups keep the earlier passphrase.
    """
    source = _source(folder, workspace)
    if not is_encrypted(source.path):
        raise UserError(f"{source.folder} is not encrypted.", source.folder)
    if forget or remember:
        print_result({"folder": str(source.folder)}, [_kept(source.folder, remember)], as_json)
        return
    unlocked_key(source.folder)
    change_passphrase(source.folder, read_passphrase(new) if new else _new_passphrase())
    lines = [f"The passphrase of {source.folder} was changed. {LOST}"]
    if held := _encrypted_backups(source):
        lines.append(f"{counted(held, 'backup')} made before {'has' if held == 1 else 'have'} the earlier passphrase.")
    print_result({"folder": str(source.folder)}, lines, as_json)


def _kept(folder: Path, remember: bool) -> str:
    """Keep the passphrase in the keyring, or forget it, and say so."""
    if not remember:
        dropped = system_keyring.drop(read_id(folder))
        return f"The passphrase of {folder} {'is no longer' if dropped else 'was not'} in the keyring."
    passphrase = given_passphrase()
    if passphrase is None and sys.stdin.isatty():
        passphrase = str(click.prompt(f"Passphrase of {folder}", hide_input=True, err=True))
    if passphrase is None:
        raise UserError("Type the passphrase in a terminal, or name a file with it; --help says how.")
    unlock(folder, passphrase)
    system_keyring.keep(read_id(folder), passphrase)
    return f"The passphrase of {folder} is in the keyring of this account, which opens it from now on."


def _source(folder: Path | None, workspace: bool) -> Source:
    if (folder is None) != workspace:
        raise UserError("Name the folder of an archive, or --workspace for the reports of this account.")
    if folder is None:
        return workspace_source()
    if not Archive.exists(folder):
        raise UserError(f"{folder} is not a Kindred archive; choose another folder.", folder)
    return archive_source(folder)


def _encrypted_backups(source: Source) -> int:
    return sum(is_encrypted(one.path / one.database) for one in backups_of(source))


def _new_passphrase() -> str:
    """A new passphrase, typed twice. UserError when nobody can type it."""
    if not sys.stdin.isatty():
        raise UserError("Type the new passphrase in a terminal, or name a file with it; --help says how.")
    click.echo(LOST, err=True)
    return str(click.prompt("New passphrase", hide_input=True, confirmation_prompt=True, err=True))


def _replace(folder: Path | None) -> str:
    return f"backups: kindred backup{f' --archive {folder}' if folder else ''} --replace"
