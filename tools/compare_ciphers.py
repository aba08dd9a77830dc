"""Compares SQLite libraries that encrypt, on rows like those of an archive: `python -m tools.compare_ciphers`.

Prints the table of docs/encryption.md: medians of runs in turn, and ratios to the first line. Those that are not
installed are left out: `pip install apsw-sqlite3mc` for the ones that Kindred does not use.
"""

import importlib
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

RUNS, ROWS, WORDS = 5, 2_000, 3_000
PNG, VECTOR, TEXT = 60_000, 1_024, 60
"""Bytes of an image and of a vector, and words of a report."""
PAGE = 8192
KEY = "ab" * 32
Connect = Callable[[str], Any]


def plain(module: str) -> Connect:
    """Without a key."""
    library: Any = importlib.import_module(module)
    options = {} if module == "apsw" else {"isolation_level": None}

    def connect(path: str) -> Any:
        connection = getattr(library, "Connection" if module == "apsw" else "connect")(path, **options)
        connection.execute(f"PRAGMA page_size = {PAGE}")
        return connection

    return connect


def keyed(module: str, *pragmas: str) -> Connect:
    """With a key, and its page size."""
    library: Any = importlib.import_module(module)

    def connect(path: str) -> Any:
        connection = library.Connection(path) if module == "apsw" else library.connect(path, isolation_level=None)
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    return connect


CANDIDATES: dict[str, Callable[[], Connect]] = {
    "sqlite3 of Python, plain": lambda: plain("sqlite3"),
    "sqlcipher3, plain": lambda: plain("sqlcipher3"),
    "**sqlcipher3, AES-256 + HMAC-SHA-512**": lambda: keyed(
        "sqlcipher3", f"key = \"x'{KEY}'\"", f"cipher_page_size = {PAGE}"
    ),
    "apsw-sqlite3mc, plain": lambda: plain(_with_ciphers()),
    "apsw-sqlite3mc, ChaCha20-Poly1305": lambda: keyed(
        _with_ciphers(), "cipher = 'chacha20'", f'key = "raw:{KEY}"', f"page_size = {PAGE}"
    ),
    "apsw-sqlite3mc, AEGIS-256": lambda: keyed("apsw", "cipher = 'aegis'", f'key = "raw:{KEY}"', f"page_size = {PAGE}"),
}


def _with_ciphers() -> str:
    """The name of the module that apsw-sqlite3mc shares with plain apsw. ImportError for that one."""
    if not hasattr(importlib.import_module("apsw"), "mc_version"):
        raise ImportError
    return "apsw"


def measured(connect: Connect, folder: Path) -> dict[str, float]:
    """Seconds of each kind of work on a fresh database."""
    path, found = str(folder / "x.db"), {}
    rng, words = np.random.default_rng(0), [f"word{n}" for n in range(WORDS)]
    chosen = random.Random(0)
    rows = [(rng.bytes(PNG), rng.bytes(VECTOR), " ".join(chosen.choices(words, k=TEXT))) for _ in range(ROWS)]
    db = connect(path)
    db.execute("PRAGMA journal_mode = WAL").fetchall()
    db.execute("PRAGMA synchronous = NORMAL").fetchall()
    db.execute("CREATE TABLE images (id INTEGER PRIMARY KEY, png BLOB)")
    db.execute("CREATE TABLE vectors (id INTEGER PRIMARY KEY, vector BLOB)")
    db.execute("CREATE TABLE reports (id INTEGER PRIMARY KEY, text TEXT)")
    db.execute("CREATE VIRTUAL TABLE words USING fts5 (text, content = reports, content_rowid = id, tokenize = porter)")
    start = time.perf_counter()
    for number, (png, vector, text) in enumerate(rows):
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO images VALUES (?, ?)", (number, png))
        db.execute("INSERT INTO vectors VALUES (?, ?)", (number, vector))
        db.execute("INSERT INTO reports VALUES (?, ?)", (number, text))
        db.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (number, text))
        db.execute("COMMIT")
    found["inserts"] = time.perf_counter() - start
    db.close()
    start = time.perf_counter()
    db = connect(path)
    db.execute("SELECT count(*) FROM sqlite_master").fetchall()
    found["open"] = time.perf_counter() - start
    for name, statement, values in (
        ("vectors", "SELECT id, vector FROM vectors", [()]),
        ("scan", "SELECT png FROM images", [()]),
        ("images", "SELECT png FROM images WHERE id = ?", [(n * 997 % ROWS,) for n in range(500)]),
        ("words", "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rank LIMIT 10", [(w,) for w in words[:300]]),
    ):
        start = time.perf_counter()
        for one in values:
            db.execute(statement, one).fetchall()
        found[name] = time.perf_counter() - start
    db.close()
    return found


def main() -> None:
    """Measure and print."""
    available: dict[str, Connect] = {}
    for name, get in CANDIDATES.items():
        try:
            available[name] = get()
        except ImportError:
            continue
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in available}
    for _ in range(RUNS):
        for name, connect in available.items():
            with tempfile.TemporaryDirectory() as folder:
                runs[name].append(measured(connect, Path(folder)))
    medians = {name: {kind: statistics.median(run[kind] for run in of) for kind in of[0]} for name, of in runs.items()}
    first = next(iter(medians.values()))
    print("| ms | " + " | ".join(first) + " |\n|---|" + "---:|" * len(first))
    for name, of in medians.items():
        print(f"| {name} | " + " | ".join(f"{1000 * of[k]:.1f} ({of[k] / first[k]:.1f})" for k in first) + " |")


if __name__ == "__main__":
    main()
