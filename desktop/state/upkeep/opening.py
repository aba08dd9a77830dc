"""Opens the archive of the last session, and archives on servers. Knows no widgets.

Nothing connects to a server by itself: that of the last session is offered, unless the user chose in the settings that
it is opened at the start.
"""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, as_work
from desktop.errors import Message
from desktop.state.settings import SettingsState
from desktop.state.similar.archive import ArchiveState
from engine.archive import Archive, keep_password, use_password
from engine.errors import UserError
from engine.store.address import Address, is_address, parse_address, place_of

OFFER = "The archive of the last session is on a server, {}. Nothing is sent there until you open it."


class OpeningState(QObject):
    """Which archive is opened."""

    accepted = Signal()
    """The server let this account in; the archive is being opened."""
    refused = Signal(str)
    """Why the server cannot be used."""
    message = Signal(object)
    """A Message."""

    def __init__(
        self, background: Background, archive: ArchiveState, settings: SettingsState, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._background, self._archive, self._settings = background, archive, settings

    @property
    def server(self) -> str:
        """The address of the server that was used last; "" for none."""
        return self._settings.now.server

    def remember_from_now(self) -> None:
        """Store which archive is open, for the next session."""
        self._archive.changed.connect(self._remember)

    def _remember(self) -> None:
        place = self._archive.place
        if place is not None:
            self._settings.change(archive=str(place.absolute() if isinstance(place, Path) else place))

    def begin(self, asked: Path | str | None = None) -> None:
        """Open the archive that was asked for, else that of the last session; a folder that has gone is ignored.

        Raises:
            UserError: the address or the folder cannot be read.
        """
        last = self._settings.now.archive
        if asked is not None:
            self._archive.open(place_of(asked))
            return
        if is_address(last):
            if self._settings.now.server_at_start:
                self._archive.open(parse_address(last))
            else:
                self._offer(parse_address(last))
        elif last and "\0" not in last and Archive.exists(Path(last)):
            self._archive.open(Path(last))

    def _offer(self, address: Address) -> None:
        text = OFFER.format(address)
        self.message.emit(Message(text, action="Open it", run=partial(self._archive.open, address)))

    def connect_to(self, typed: str, password: str = "", *, remember: bool = False) -> None:
        """Try an address and a password, and open the archive there; `accepted` or `refused` follows."""
        self._background.start(
            as_work(_tried, typed.strip(), password, remember),
            self._take,
            key="server",
            lane=Lane.OPEN,
            failed=lambda error: self.refused.emit(str(error)),
            shows_failure=True,
        )

    def give_up(self) -> None:
        """Open nothing when the server that is being tried answers after all."""
        self._background.drop("server")

    def _take(self, found: tuple[Address, str]) -> None:
        address, problem = found
        self._settings.change(server=str(address))
        self.accepted.emit()
        if problem:
            self.message.emit(Message(problem))
        self._archive.open(address)


def _tried(typed: str, password: str, remember: bool) -> tuple[Address, str]:
    """The address, and why its password was not remembered. Raises UserError when the server cannot be used."""
    address = parse_address(typed)
    if password:
        use_password(address, password)
    try:
        there = Archive.exists(address)
    except UserError:
        if password:
            use_password(address, "")  # else it would stand before the one in the keyring
        raise
    if not there:
        raise UserError(f"There is no archive at {address}; its administrator creates it (see the guide).")
    try:
        if remember and password:
            keep_password(address, password)
    except UserError as error:
        return address, str(error)
    return address, ""
