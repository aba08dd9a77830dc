"""The PACS that the user added: adds, changes, tries out and removes them. Knows no widgets and no patient.

A keyring may ask something and a server may be slow, so everything but reading the list is done by a worker.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, as_work
from engine.errors import UserError
from engine.pacs import address_book, passwords
from engine.pacs.address import Pacs
from engine.pacs.address_check import checked
from engine.pacs.retrieved import Kept, delete, kept, retrieved_folder
from engine.progress import IsCancelled, Progress
from engine.text.words import counted

NO_PASSWORD = "Type the password of this user; it is kept in the keyring of this account only."


class PacsAddressesState(QObject):
    """The list is read when it is first needed, and nothing is connected to before it is tried out."""

    changed = Signal()
    saved = Signal()
    """What was edited is stored."""
    refused = Signal(str)
    """Why what was edited is not stored, as one sentence for the user."""

    def __init__(
        self,
        background: Background,
        opened: Callable[[], set[str]] = set,
        folder: Path | None = None,
        parent: QObject | None = None,
    ) -> None:
        """`opened` says which studies are open, by UID; `folder` has the list, None is the user's folder."""
        super().__init__(parent)
        self._background, self._folder = background, folder
        self._opened = opened
        self._kept = Kept(0, 0)
        self._known: tuple[Pacs, ...] | None = None
        self.line = ""
        """What the last attempt came to, as one sentence for the user."""

    @property
    def known(self) -> tuple[Pacs, ...]:
        """Every PACS, in the order in which they were added; none where the list cannot be read, which `line` says."""
        if self._known is None:
            try:
                self._known = address_book.addresses(self._folder)
            except UserError as error:
                self._known, self.line = (), str(error)
        return self._known

    def named(self, name: str) -> Pacs | None:
        """The PACS of that name, else the first one."""
        return next((one for one in self.known if one.name == name), self.known[0] if self.known else None)

    def save(self, values: Mapping[str, str | int | bool], password: str = "", replaced: str = "") -> None:
        """Check and store a PACS.

        Args:
            values: fields of `Pacs` by name.
            password: as typed; "" to leave that in the keyring as it is.
            replaced: name of the PACS that was edited; "" for a new one.
        """
        pacs = replace(Pacs(""), **values)  # type: ignore[arg-type]  # the form has the types of the fields
        self._background.start(
            as_work(_save, pacs, password, replaced, self._folder),
            lambda _: self._take_saved(),
            key="pacs address",
            lane=Lane.NETWORK,
            failed=lambda error: self.refused.emit(str(error)),
            shows_failure=True,
        )

    def remove(self, name: str) -> None:
        """Forget a PACS and its password; retrieved studies stay."""
        self._background.start(
            as_work(_remove, name, self._folder),
            lambda _: self._reload(f"Removed {name}."),
            key="pacs address",
            lane=Lane.NETWORK,
            failed=lambda error: self._say(str(error)),
            shows_failure=True,
        )

    def try_out(self, name: str) -> None:
        """Ask a PACS whether it answers, without asking for any patient."""
        pacs = self.named(name)
        if pacs is None:
            return
        self._say(f"Asking {pacs.name}…")

        def work(progress: Progress, cancelled: IsCancelled) -> None:
            from engine.pacs.connection import echo  # not at start: nobody may need it

            echo(pacs, cancelled=cancelled)

        self._background.start(
            work,
            lambda _: self._say(f"{pacs.name} answers."),
            key="pacs test",
            lane=Lane.NETWORK,
            failed=lambda error: self._say(str(error)),
            shows_failure=True,
        )

    def stop_trying(self) -> None:
        """Stop waiting for an answer, and say nothing of it."""
        self._background.drop("pacs test")
        self.line = ""

    # -- retrieved studies

    @property
    def kept_line(self) -> str:
        """How many retrieved studies are on this computer, as a sentence; "" for none."""
        megabytes = max(1, round(self._kept.bytes / 1e6))
        said = (
            f"{counted(self._kept.studies, 'retrieved study', 'retrieved studies')} on this computer, {megabytes:,} MB."
        )
        return said if self._kept.studies else ""

    @property
    def can_delete(self) -> bool:
        """Whether there are retrieved studies."""
        return self._kept.studies > 0

    def refresh(self) -> None:
        """Read the list again, which the command line may have changed, and count the retrieved studies."""
        self._known = None
        self._background.start(
            as_work(kept, retrieved_folder(self._folder)), self._take_kept, key="pacs retrieved", lane=Lane.NETWORK
        )

    def delete_retrieved(self) -> None:
        """Delete the retrieved studies that are not open."""
        self._background.start(
            as_work(delete, retrieved_folder(self._folder), self._opened()),
            self._take_deleted,
            lane=Lane.NETWORK,
            failed=lambda error: self._say(str(error)),
            shows_failure=True,
        )

    def _take_kept(self, found: Kept) -> None:
        self._kept = found
        self.changed.emit()

    def _take_deleted(self, count: int) -> None:
        self._say(f"{counted(count, 'retrieved study', 'retrieved studies')} deleted.")
        self.refresh()

    def _take_saved(self) -> None:
        self._reload("")
        self.saved.emit()

    def _reload(self, line: str) -> None:
        self._known = None
        self._say(line)

    def _say(self, line: str) -> None:
        self.line = line
        self.changed.emit()


def _save(pacs: Pacs, password: str, replaced: str, folder: Path | None) -> None:
    checked(pacs)
    if pacs.user and password:
        passwords.keep(pacs, password)
    elif pacs.user and passwords.recall(pacs) is None:
        raise UserError(NO_PASSWORD)
    passwords.drop_replaced(address_book.add(pacs, folder, replaced), pacs)


def _remove(name: str, folder: Path | None) -> None:
    passwords.drop(address_book.address(name, folder))
    address_book.remove(name, folder)
