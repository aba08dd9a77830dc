"""Where an archive is kept: what a folder and a server each do in their own way. Knows no case and no model."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from engine.store.address import Address
from engine.store.database import Database
from engine.store.full_text_search import FullTextSearch
from engine.store.identity import Identity
from engine.store.nearest_index import NearestIndex
from engine.store.safety.salvaged import Salvaged
from engine.store.score_scale import ScoreScale

if TYPE_CHECKING:
    from engine.store.server.work_queue import WorkQueue


class Scale(Protocol):
    """The score scale of one archive; threads may share it."""

    def current(self, constants: Mapping[str, Any], bundle_id: str) -> ScoreScale:
        """The score scale of the archive as it is now.

        Args:
            constants: the bundle's own score scale, which counts while the archive has few cases.
            bundle_id: the bundle that the search uses.

        Raises:
            UserError: another bundle made the vectors of the archive.
        """


class Store(Protocol):
    """One open archive: its database, what is derived from that, and how it is kept in order."""

    @property
    def name(self) -> str:
        """Of the folder or the database, for titles."""

    @property
    def database(self) -> Database:
        """Its only truth."""

    @property
    def identity(self) -> Identity:
        """Its key."""

    @property
    def index(self) -> NearestIndex:
        """Nearest neighbors among the embeddings."""

    @property
    def score_scale(self) -> Scale:
        """What makes scores of images and reports comparable."""

    @property
    def full_text(self) -> FullTextSearch:
        """Reports by their words."""

    @property
    def place(self) -> Path | Address:
        """What opens it again."""

    @property
    def folder(self) -> Path:
        """Its folder. Raises UserError for an archive on a server, which has none."""

    @property
    def schema(self) -> int:
        """The version of its tables: how many migrations they have had."""

    @property
    def salvaged(self) -> Salvaged | None:
        """What this archive was salvaged of; None for one that is whole."""

    @property
    def work(self) -> "WorkQueue":
        """Work for several processes. Raises UserError for an archive in a folder, which hands out none."""

    def finish_opening(self) -> None:
        """Do what an interrupted change has left; called once when everything is there."""

    def is_alone(self) -> bool:
        """Whether nobody else has it open; it is closed."""

    def source(self, case_id: int) -> str | None:
        """The local path that a case came from; None where it was not kept, or cannot be read."""

    def keep_one_source(self, kept: int, others: Collection[int]) -> None:
        """Keep one of the local paths of merged cases, if any was kept."""

    def delete(self, case_ids: Sequence[int]) -> None:
        """Delete cases with what was derived of them. Raises UserError as `Archive.delete`."""

    def forget_words(self) -> None:
        """Remove from the full-text index the words of reports that were replaced. Raises UserError."""

    def forget_replaced(self) -> None:
        """Remove what is left of images that were replaced. Raises UserError."""

    def rebuild(self) -> None:
        """Make everything that is derived from the database anew. Raises UserError."""

    def problems(self, deep: bool) -> list[str]:
        """How the database contradicts itself or, with `deep`, its checksums, one phrase each."""

    def bytes_used(self) -> int:
        """Bytes on the disk, of everything."""

    def close(self) -> None:
        """Close it; no thread may be using it."""
