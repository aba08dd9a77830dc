"""The store of cases: a folder, or a server that a department shares. Knows no models, no ranking and no DICOM.

What both stores do is here and in engine/store; what each does in its own way is in engine/store/folder (SQLite, FTS5,
faiss) and engine/store/server (PostgreSQL, its full-text search, pgvector). Other modules ask by name.
"""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from engine.errors import Cancelled, UserError
from engine.progress import IsCancelled, Progress, ignore, never
from engine.store.address import Address, place_of
from engine.store.case import CaseFacts, NewCase, NewReport
from engine.store.case_facts import add_facts, confirm_facts
from engine.store.case_queries import CaseQueries
from engine.store.case_rows import fill_blanks, insert_case, insert_image, insert_report
from engine.store.copying.copy import Copied, begin, copy_rows, require_finished
from engine.store.folder.folder_store import FolderStore
from engine.store.import_log import ImportLog
from engine.store.kept_answers import KeptAnswers
from engine.store.new_embeddings import NewEmbeddings
from engine.store.safety.audit_chain import ARCHIVE as AUDITED
from engine.store.safety.audit_chain import AuditChain
from engine.store.safety.checksums import WHOLE, seal
from engine.store.safety.join_keys import add_join_keys
from engine.store.safety.merging import merge_cases, remember_key
from engine.store.safety.name_keys import add_name_keys, name_keys_of
from engine.store.safety.removal import delete_report
from engine.store.safety.salvaged import Salvaged
from engine.store.safety.text_checks import TextChecks
from engine.store.shared_sql import insert, now
from engine.store.store import Store
from engine.store.thumbnail import to_png
from engine.text.hashed_names import spellings

if TYPE_CHECKING:
    from engine.store.server.server_store import ServerStore
    from engine.store.server.work_queue import WorkQueue


class Archive(CaseQueries):
    """An open archive. Threads may share it: each has its own connection, and one writes at a time."""

    def __init__(self, store: Store) -> None:
        """Use `create` or `open`."""
        self._store, self._database = store, store.database
        try:
            require_finished(store.database)
        except BaseException:
            store.close()
            raise
        self.identity = store.identity
        self.name = store.name
        """Of its folder or database, for titles."""
        self.index = store.index
        """Nearest neighbors among the embeddings of images and reports."""
        self.score_scale = store.score_scale
        """What makes scores of images and reports comparable, measured on the embeddings."""
        self._allowed = KeptAnswers(self._database)
        self.full_text = store.full_text
        """Reports by their words."""
        self.imports = ImportLog(self._database)
        self.new_embeddings = NewEmbeddings(self._database)
        """Embeddings of another bundle, until the archive is re-indexed with it."""
        self.text_checks = TextChecks(self._database, self.require_bundle)
        """Images that were checked for burned-in text."""
        self._database.begin_chain(AuditChain(self.identity.audit, AUDITED))
        store.finish_opening()

    @classmethod
    def create(cls, where: Path | str | Address, bundle_id: str | None = None) -> Self:
        """Create an empty archive in a new or empty folder, or an empty database; one that is there is opened.

        Args:
            where: a folder, or the address of a PostgreSQL server (`Address`, or as text postgresql://...).
            bundle_id: the bundle that it is bound to.

        Raises:
            UserError: something else is there, it cannot be written or reached, or another bundle made the archive.
        """
        archive = cls(_created(place_of(where)))
        try:
            if bundle_id is not None:
                archive.bind(bundle_id)
        except BaseException:
            archive.close()
            raise
        return archive

    @classmethod
    def open(cls, where: Path | str | Address, progress: Progress = ignore) -> Self:
        """Open an existing archive and migrate it to the current schema.

        Args:
            where: its folder or address, as in `create`.
            progress: hears of a migration, which may take minutes; what it raises ends that without a change.

        Raises:
            UserError: there is no archive, or none that can be reached, a newer version of Kindred created it, its
                database is damaged, or its key is missing or of another archive.
        """
        return cls(_opened(place_of(where), progress))

    @staticmethod
    def exists(where: Path | str | Address) -> bool:
        """Whether an archive is there, also one whose creation was interrupted, since opening completes it.

        Raises:
            UserError: the folder or the server cannot be accessed, or the archive is being restored.
        """
        place = place_of(where)
        return _servers().exists(place) if isinstance(place, Address) else FolderStore.exists(place)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it. An error that nobody expected is explained by a damaged database, if that is what it is.

        Raises:
            UserError: `error` is none of errors.py and the rows differ from their checksums.
        """
        try:
            unexpected = isinstance(error, Exception) and not isinstance(error, UserError | Cancelled)
            if unexpected and self.problems(deep=isinstance(self.place, Path)):  # a server would send every picture
                raise self._database.damaged() from error
        finally:
            self.close()

    @property
    def where(self) -> str:
        """Its folder, or its address without a password, as messages name it."""
        return self._database.where

    @property
    def place(self) -> Path | Address:
        """What opens it again."""
        return self._store.place

    @property
    def folder(self) -> Path:
        """Its folder. Raises UserError for an archive on a server, which has none."""
        return self._store.folder

    @property
    def read_only(self) -> bool:
        """Whether it can be searched but not changed, as on a read-only disk, or as a reader on a server."""
        return self._database.read_only

    @property
    def work(self) -> "WorkQueue":
        """Work for several processes. Raises UserError for an archive in a folder, which hands out none."""
        return self._store.work

    @property
    def salvaged(self) -> Salvaged | None:
        """What this archive was salvaged of; None for one that is whole."""
        return self._store.salvaged

    def is_unused(self) -> bool:
        """Close it, and return whether it has no case and no other process has it open."""
        empty = not self.case_ids(limit=1)
        self.close()
        return empty and self._store.is_alone()

    def source(self, case_id: int) -> str | None:
        """The local path that a case came from; None where it was not kept, or cannot be read."""
        return self._store.source(case_id)

    def bind(self, bundle_id: str) -> None:
        """Bind the archive to one bundle, since embeddings of two models cannot be compared.

        Raises:
            UserError: it is bound to another one.
        """
        with self._database.write() as db:
            bound = "INSERT INTO settings (name, value) VALUES ('bundle_id', ?) ON CONFLICT DO NOTHING"
            db.execute(bound, [bundle_id])
            seal(db, "settings", WHOLE)
        self.require_bundle(bundle_id)

    def require_bundle(self, bundle_id: str) -> None:
        """Raise UserError when another bundle made the archive's embeddings."""
        bound = self.bundle_id
        if bound is not None and bound != bundle_id:
            raise UserError(
                f"The archive {self.where} was indexed with another model ({bound[:12]}, not {bundle_id[:12]}): "
                "open it with that model, or re-index the archive with the current one.",
                self.where,
            )

    def _bound_to(self, made_by: str | None) -> str:
        """The bundle that the archive is bound to; called inside the write, so that it cannot change before the end."""
        bundle_id = self.bundle_id
        if bundle_id is None:
            raise UserError(f"The archive {self.where} is not indexed yet; import cases, or re-index it.", self.where)
        if made_by is not None:
            self.require_bundle(made_by)
        return bundle_id

    def add_case(self, case: NewCase, made_by: str | None = None) -> int:
        """Store a case in one transaction and return its id; `made_by` is the bundle that made its embeddings.

        A case with a known key is completed: images with new keys are added, facts of which it has none, and the report
        if it has none yet; a report whose study comes now gets what was not known of its case. Facts in which the
        headers of earlier and new images differ are removed. What else is known of it stays as it is.

        Raises:
            UserError: the archive is bound to no bundle or to another one, or the case has neither image nor report.
        """
        if not case.images and case.report is None:
            raise UserError("A case needs at least an image or a report.")
        pngs = [to_png(image.gray) for image in case.images]
        patient, day = self.identity.patient(case.patient), self.identity.study_day(case.date, case.patient)
        with self._database.write(flushed=_signed(case.report)) as db:
            bundle_id = self._bound_to(made_by)
            case_id = self.find_case(case.key)
            if case_id is None:
                case_id = insert_case(db, case, self.identity.case(case.key), patient, day)
            elif case.images and self.has_image(case_id):
                confirm_facts(db, case_id, case.facts)
            else:
                fill_blanks(db, case_id, case, patient, day)
                add_facts(db, case_id, case.facts)
            known = self._image_keys(case_id)
            add_join_keys(db, case_id, map(self.identity.join, case.joins))
            if case.images:
                add_name_keys(db, case_id, map(self.identity.name, spellings(case.identifiers)))
            for image, png in zip(case.images, pngs, strict=True):
                key = self.identity.image(image.key)
                if key not in known:
                    insert_image(db, case_id, bundle_id, key, image, png)
            if case.report is not None and not self._has_report(case_id):
                insert_report(db, case_id, bundle_id, case.report)
            seal(db, "facts", case_id)
        return case_id

    def recognize(self, case_id: int, case: CaseFacts, *, names: bool = False) -> None:
        """Recognize a case by the key and the joins of what was found of it, and learn when its study was.

        Writes nothing that is known already.

        Args:
            case_id: the case.
            case: what was found.
            names: whether later reports are to be cleaned of its identifiers, as those of the header of a study.
        """
        hashed = [join for join in map(self.identity.join, case.joins) if join not in self.joins(case_id)]
        stated = map(self.identity.name, spellings(case.identifiers)) if names else ()
        new_names = {*stated} - name_keys_of(self._database.read, case_id)
        unknown = self.find_case(case.key) is None
        day = self.identity.study_day(case.date, case.patient)
        dated = day is not None and self.case(case_id).study_day is None
        if not (hashed or unknown or new_names or dated):
            return
        with self._database.write() as db:  # others may have written since we asked
            if not self._database.read("SELECT 1 FROM cases WHERE id = ?", [case_id]):
                return
            if self.find_case(case.key) is None:
                remember_key(db, self.identity.case(case.key), case_id)
            add_join_keys(db, case_id, hashed)
            add_name_keys(db, case_id, new_names)
            if dated:
                db.execute("UPDATE cases SET study_day = ? WHERE id = ?", [day, case_id])
                seal(db, "cases", case_id)

    def set_report(
        self, case_id: int, report: NewReport, why: str, made_by: str | None = None, instead_of: int | None = None
    ) -> None:
        """Give a case its report, replacing an earlier one; `why` goes into the audit and must not identify anyone.

        Raises:
            UserError: no such case, or the archive is bound to no bundle, or not to that of the embedding (`made_by`);
                or, on a server, someone else signed its report.
        """
        with self._database.write(flushed=_signed(report)) as db:
            bundle_id = self._bound_to(made_by)
            if not self._database.read("SELECT 1 FROM cases WHERE id = ?", [case_id]):
                raise UserError(f"The archive has no case {case_id}.")
            if instead_of is not None and not self._database.read("SELECT 1 FROM reports WHERE id = ?", [instead_of]):
                return  # another desk has replaced the report that was to be replaced
            delete_report(db, case_id, self.where)
            insert_report(db, case_id, bundle_id, report)
            seal(db, "facts", case_id)
            seal(db, "audit", insert(db, "audit", at=now(), action="report set", case_id=case_id, detail=why))

    def merge(self, case_ids: Sequence[int]) -> int:
        """Join cases into the one with the lowest id, in one transaction, and return its id.

        No picture and no text is lost, and the keys of all stay known, so that a study that is sent again is
        recognized. That they are the same case is for the caller to know (retrieval/duplicates.py).

        Raises:
            UserError: there is no such case, patients or reports differ (`obstacle` in engine/store/safety/merging.py),
                or one is damaged; nothing was changed. Or the archive is read-only.
        """
        kept, *others = merge_cases(self._database, case_ids)
        self._store.keep_one_source(kept, others)
        self.index.refresh(save=True)
        return kept

    def delete(self, case_ids: Sequence[int]) -> None:
        """Delete cases for good: rows, words, images, vectors, kept paths, and what SQLite remembers of them.

        Raises:
            UserError: there is no such case, and nothing was deleted; the archive is read-only; or the cases were
                deleted, but not all traces of them, since the disk is full or another process has the archive open.
                The next opening, or deletion, removes those.
        """
        if not case_ids:
            return
        self._store.delete(case_ids)

    def copy_to(
        self, where: Path | str | Address, progress: Progress = ignore, cancelled: IsCancelled = never
    ) -> Copied:
        """Copy everything as it is now into a new folder or an empty database, or complete a copy that was stopped.

        Raises:
            UserError: something else is there, or the copy is not equal in the end (engine/store/copying/copy.py).
            Cancelled: the next run goes on.
        """
        place = place_of(where)
        target = _opened(place) if self.exists(place) else _created(place, self.identity.key)
        try:
            begin(self._store, target)
            copied = copy_rows(self._store, target, progress, cancelled)
        finally:
            target.close()
        with Archive.open(place) as copy:
            copy.index.refresh(save=True)
        return copied

    def rebuild(self) -> int:
        """Make everything that is derived from the database anew, and return the number of vectors in the index.

        Raises:
            UserError: vectors in the database are damaged, or the files cannot be written.
        """
        self._store.rebuild()
        return len(self.index.rows().ids)

    def forget_words(self) -> None:
        """Remove from the full-text index the words of reports that were replaced, such as names found later.

        Raises:
            UserError: the disk is full.
        """
        self._store.forget_words()

    def forget_replaced(self) -> None:
        """Remove from the files of the archive what they hold of images that were replaced.

        Raises:
            UserError: the archive is read-only, the disk is full, or another program has it open.
        """
        self._store.forget_replaced()


def _opened(place: Path | Address, progress: Progress = ignore) -> Store:
    return _servers().open(place) if isinstance(place, Address) else FolderStore.open(place, progress)


def _created(place: Path | Address, key: bytes | None = None) -> Store:
    return _servers().create(place, key) if isinstance(place, Address) else FolderStore.create(place, key)


def _signed(report: NewReport | None) -> bool:
    """Whether a report exists nowhere else once it leaves the queue of the workspace; an import can be repeated."""
    return report is not None and report.state == "signed"


def _servers() -> "type[ServerStore]":
    """The stores on servers, whose libraries are loaded for an address only.

    Raises:
        UserError: they are not installed.
    """
    try:
        from engine.store.server.server_store import ServerStore
    except ImportError as error:
        raise UserError(f"An archive on a server needs {error.name}; install Kindred's extra `department`.") from error
    return ServerStore


def use_password(address: Address, password: str) -> None:
    """Use a password for an archive on a server, until the process ends. Raises UserError as `Archive.open`."""
    _servers()
    from engine.store.server import passwords

    passwords.use(address, password)


def keep_password(address: Address, password: str) -> None:
    """Keep a password in the keyring of the operating system. Raises UserError where there is none."""
    _servers()
    from engine.store.server import passwords

    passwords.keep(address, password)
