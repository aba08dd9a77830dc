"""What every database of ours can do, SQLite file or PostgreSQL server. Knows no table."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.errors import DamagedError, UserError
from engine.store.safety.audit_chain import AuditChain, listed, remember_head
from engine.store.safety.audit_heads import remembered
from engine.store.shared_sql import Connection, Values


class Database(ABC):
    """A database of an archive or a workspace; threads may share it, and one transaction writes at a time."""

    read_only: bool
    """Whether it can be read but not changed."""
    chain: AuditChain | None = None
    """Chains the rows of the audit that a transaction writes, if the database has one."""

    @property
    @abstractmethod
    def where(self) -> str:
        """The folder, or the address without a password, as messages name it."""

    @property
    @abstractmethod
    def account_name(self) -> str:
        """What this account remembers of its audit by (audit_heads.py)."""

    @abstractmethod
    def read(self, sql: str, parameters: Values = ()) -> list[Any]:
        """The rows of one SELECT; readers never wait for the writer. A thread sees its own uncommitted write."""

    @abstractmethod
    def ids(self, sql: str, parameters: Values = ()) -> NDArray[np.int64]:
        """The one column of whole numbers of a SELECT, int64 [n], in no order; quicker than `read`.

        Raises:
            DamagedError: something else is there.
        """

    @abstractmethod
    def write(self, *, flushed: bool = False) -> AbstractContextManager[Connection]:
        """One transaction, committed as a whole or not at all; waits for other writers, wherever they are.

        Args:
            flushed: wait until the disk holds it, so that a power cut does not lose it.

        Raises:
            UserError: it is read-only, cannot be reached, is damaged, or busy for long, or its disk is full.
        """

    @abstractmethod
    def reading(self) -> AbstractContextManager[Connection]:
        """A connection without an open transaction, for what only reads."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[Connection]:
        """A connection that sees the database as it is now, whatever others commit meanwhile. It cannot write."""

    @abstractmethod
    def version(self) -> object:
        """Differs from an earlier one when anyone has committed a change since, so that what was read may differ.

        A transaction of this thread makes every version differ, since it sees what it has not committed yet.
        """

    @abstractmethod
    def damaged(self) -> DamagedError:
        """The error for content that is not what was written."""

    @abstractmethod
    def unchangeable(self) -> UserError:
        """The error for a change of what can only be read."""

    @abstractmethod
    def close(self) -> None:
        """Close all connections; no thread may be using one."""

    def begin_chain(self, chain: AuditChain) -> None:
        """Chain the audit from now on, and remember for this account how far it goes."""
        self.chain = chain
        if self.read_only:
            return
        if not self.read("SELECT 1 FROM audit_head"):
            with self.write() as db:
                chain.begin(db)
        with self.reading() as db:
            remember_head(db, self.account_name)

    def audit(self) -> list[dict[str, Any]]:
        """The rows of the audit, oldest first, without the texts of reports."""
        assert self.chain is not None
        with self.reading() as db:
            return listed(db, self.chain.columns)

    def audit_problems(self) -> list[str]:
        """What is not as it was written of the audit, one phrase each; the chain is begun."""
        assert self.chain is not None
        with self.reading() as db:
            return self.chain.problems(db, remembered(self.account_name))


class WithDatabase:
    """What has one database and is closed as a context manager; subclasses set `_database`."""

    _database: Database

    def audit_problems(self) -> list[str]:
        """Which rows of the audit were changed, deleted, inserted or moved, one phrase each; empty when none was."""
        return self._database.audit_problems()

    def audit(self) -> list[dict[str, Any]]:
        """The audit without texts, oldest first: when, what, by whom (the name of a signature, and the account)."""
        return self._database.audit()

    def require_writable(self) -> None:
        """Raise UserError when it is read-only, before work whose result could not be kept."""
        if self._database.read_only:
            raise self._database.unchangeable()

    def close(self) -> None:
        """Close the connections of all threads; none may be in use."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
