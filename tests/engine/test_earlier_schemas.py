"""Archives and workspaces of every released schema open in the current version, and keep what they hold."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sqlite_utils import Database

from engine.archive import Archive
from engine.reports.workspace import Workspace
from engine.store.backup.backup import backups_of
from engine.store.backup.source import archive_source, workspace_source
from engine.store.identity import create_key
from engine.store.safety.checksums import KEYS, seal_all
from engine.store.thumbnail import to_png
from tests.engine.earlier_schemas import MIGRATIONS, Schema, apply, made, schemas

ARCHIVES = [one for one in schemas() if one.of == "archive"]
WORKSPACES = [one for one in schemas() if one.of == "workspace"]
TEXT = "Calcified granuloma of the spleen. No effusion."


def last(schema: Schema) -> str:
    return schema.migrations[-1]


@pytest.mark.parametrize("schema", [*ARCHIVES, *WORKSPACES], ids=last)
def test_a_released_migration_still_makes_what_it_made(schema: Schema) -> None:
    db = Database(memory=True)
    apply(db, schema.of, len(schema.migrations))
    assert made(db, schema.of) == schema
    db.close()


@pytest.mark.parametrize("of", list(MIGRATIONS))
def test_the_current_schema_is_among_them(of: str) -> None:
    db = Database(memory=True)
    MIGRATIONS[of].apply(db)
    assert made(db, of) in schemas(), "run: python -m tests.engine.earlier_schemas"
    db.close()


@pytest.mark.parametrize("schema", ARCHIVES, ids=last)
def test_an_archive_of_this_schema_opens_and_is_complete(schema: Schema, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    create_key(folder)
    with closing(Database(folder / "archive.db")) as db:
        apply(db, "archive", len(schema.migrations))
        fill(db)
    current = last(schema) == last(ARCHIVES[-1])
    with Archive.open(folder) as archive:
        assert archive.problems(deep=True) == []
        assert archive.audit_problems() == []
        case = archive.case(1)
        assert (case.modality, case.report.text if case.report else "") == ("CT", TEXT)
        assert len(archive.index.rows().ids) == 2
        assert [row["action"] for row in archive.audit()] == ["report set"]
        assert ("region" in case.facts) == ("create_facts" not in schema.migrations)  # made by that upgrade
    assert len(backups_of(archive_source(folder))) == (0 if current else 1)


@pytest.mark.parametrize("schema", WORKSPACES, ids=last)
def test_a_workspace_of_this_schema_opens_and_keeps_its_reports(schema: Schema, tmp_path: Path) -> None:
    with closing(Database(tmp_path / "workspace.db")) as db:
        apply(db, "workspace", len(schema.migrations))
        times = {"created": "then", "changed": "then"}
        db["reports"].insert(
            {"study_uid": "1.2", "text": TEXT, "model": "", "state": "signed", "signed_by": "Ada Byron", **times}
        )
        db["audit"].insert({"at": "then", "study_uid": "1.2", "state": "signed", "who": "Ada Byron", "text": TEXT})
    with Workspace.open(tmp_path) as workspace:
        report = workspace.load("1.2")
        assert report is not None
        assert (report.text, report.state) == (TEXT, "signed")
        assert [row.who for row in workspace.history("1.2")] == ["Ada Byron"]
        assert workspace.audit_problems() == []
    current = last(schema) == last(WORKSPACES[-1])
    assert len(backups_of(workspace_source(tmp_path))) == (0 if current else 1)


def fill(db: Database) -> None:
    """One case with image, report and embeddings, as every version has stored them, sealed where that version did."""
    gray = np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)
    vector = np.eye(48)[0].astype("<f2").tobytes()
    empty = {"sex": "", "age": None, "body_part": "ABDOMEN", "source": "DICOM", "licence": "", "attribution": ""}
    db["cases"].insert(
        {"id": 1, "key": "k", "patient": "p", "modality": "CT", "description": "", "created": "then", **empty}
    )
    size = {"height": 64, "width": 64, "frame": 0}
    db["images"].insert({"id": 1, "case_id": 1, "key": "i", "png": to_png(gray).data, **size})
    db["reports"].insert({"id": 1, "case_id": 1, "text": TEXT, "state": "imported", "created": "then"})
    for kind, of in (("image", {"image_id": 1}), ("report", {"report_id": 1})):
        db["embeddings"].insert({"case_id": 1, "kind": kind, "bundle_id": "b", "vector": vector, **of})
    db["audit"].insert({"at": "then", "action": "report set", "case_id": 1, "detail": "signed in Kindred"})
    db["settings"].insert({"name": "bundle_id", "value": "b"})
    if "checksums" in db.table_names():
        for table in set(KEYS) & set(db.table_names()):
            seal_all(db, table)
    db.conn.commit()
