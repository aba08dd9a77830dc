"""Whether the database of an archive contradicts itself. Repairs nothing."""

from engine.errors import UserError
from engine.store.database import LocalDatabase
from engine.text.words import counted


def problems(database: LocalDatabase) -> list[str]:
    """What is wrong, one phrase each; empty when the database is intact."""
    found = [row[0] for row in database.read("PRAGMA integrity_check") if row[0] != "ok"]
    found += [f"a row of {row[0]} refers to a missing row" for row in database.read("PRAGMA foreign_key_check")]
    missing = database.read(
        "SELECT (SELECT count(*) FROM images) + (SELECT count(*) FROM reports) - (SELECT count(*) FROM embeddings)"
    )[0][0]
    if missing:
        found.append(f"{counted(missing, 'embedding')} {'is' if missing == 1 else 'are'} missing")
    if database.read_only:  # the full-text index checks itself by a command that counts as a change
        return found
    try:
        with database.write() as db:
            db.execute("INSERT INTO reports_fts (reports_fts, rank) VALUES ('integrity-check', 1)")
    except UserError:
        found.append("the full-text index does not match the reports")
    return found
