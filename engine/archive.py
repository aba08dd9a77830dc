"""The local store of cases, one folder with one SQLite file as the only truth. Knows no models, no ranking, no DICOM.

The folder is the owner's alone (0700): archive.db (cases, images, reports, embeddings, imports, audit), identity.key
(part of every backup), and derived files such as the vector index, which are rebuilt when missing, stale or damaged.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sqlite_utils import Database

from engine.errors import UserError, exists
from engine.store import identity, schema
from engine.store.case import Case, NewCase, NewImage, NewReport, Report, StoredImage
from engine.store.database import LocalDatabase, LocalStore, insert, now
from engine.store.thumbnail import from_png, to_png
from engine.store.vector_index import VectorIndex

__all__ = ["Archive", "Case", "NewCase", "NewImage", "NewReport", "Report", "StoredImage"]

DATABASE = "archive.db"
COLUMNS = (
    *("modality", "sex", "age", "body_part", "description", "source", "licence", "attribution"),
    *("patient", "created"),
)
MAX_AGE = 90  # older patients are stored as 90: rarer ages point at a person (HIPAA Safe Harbor, 45 CFR 164.514)


class Archive(LocalStore):
    """An open archive. Usable from several threads: each has its own connection, one writer at a time."""

    def __init__(self, folder: Path) -> None:
        """Use `create` or `open`."""
        self.folder = folder
        self.identity = identity.load_key(folder)
        self._database = LocalDatabase(folder / DATABASE)
        self.read, self.write = self._database.read, self._database.write
        self.index = VectorIndex(folder, self.read)
        with self._database.exclusive() as db:
            schema.upgrade(db, str(folder))

    @classmethod
    def create(cls, path: Path | str, bundle_id: str | None = None) -> Self:
        """Make an empty archive in a new or empty folder.

        Raises:
            UserError: the folder has content already or cannot be written.
        """
        folder = Path(path)
        try:
            if folder.exists() and (not folder.is_dir() or any(_leftovers(folder))):
                raise UserError(f"{folder} is not an empty folder; choose a new one for the archive.", folder)
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
            identity.create_key(folder)
        except OSError as error:
            raise UserError(f"The archive {folder} cannot be created: {error.strerror}.", folder) from None
        archive = cls(folder)
        if bundle_id is not None:
            archive.bind(bundle_id)
        return archive

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Open an existing archive, bringing an older one up to date.

        Raises:
            UserError: no archive there, a newer version made it, or its database is damaged.
        """
        folder = Path(path)
        if not cls.exists(folder):
            raise UserError(
                f"{folder} is not a Kindred archive; make one with: kindred import PATH --archive {folder}", folder
            )
        return cls(folder)

    @staticmethod
    def exists(path: Path | str) -> bool:
        """Whether an archive stands here; a creation that was cut short counts, since opening completes it.

        Raises:
            UserError: the folder cannot be reached.
        """
        return exists(Path(path) / identity.KEY_FILE) or exists(Path(path) / DATABASE)

    # -- the bundle whose embeddings these are

    @property
    def bundle_id(self) -> str | None:
        """Which bundle's embeddings the archive holds; None while it is empty and unbound."""
        rows = self.read("SELECT value FROM settings WHERE name = 'bundle_id'")
        return str(rows[0][0]) if rows else None

    def bind(self, bundle_id: str) -> None:
        """Tie the archive to one bundle: vectors of two models cannot be compared.

        Raises:
            UserError: it is bound to another one.
        """
        with self.write() as db:
            db.execute("INSERT OR IGNORE INTO settings (name, value) VALUES ('bundle_id', ?)", [bundle_id])
        self.require_bundle(bundle_id)

    def require_bundle(self, bundle_id: str) -> None:
        """Raise UserError when the archive's embeddings come from another bundle."""
        bound = self.bundle_id
        if bound is not None and bound != bundle_id:
            raise UserError(
                f"The archive {self.folder} was indexed with another model ({bound[:12]}, not {bundle_id[:12]}): "
                f"open it with that model, or re-index it with: kindred reindex --archive {self.folder}",
                self.folder,
            )

    # -- cases

    def add_case(self, case: NewCase, made_by: str | None = None) -> int:
        """Store a case in one transaction and return its id; `made_by` is the bundle that made its vectors.

        A case whose key is known is completed and never doubled: images with new keys are added, and the report if it
        has none yet. Its other facts stay as they are.

        Raises:
            UserError: the archive is bound to no bundle or to another one, or the case has neither image nor report.
        """
        if not case.images and case.report is None:
            raise UserError("A case needs at least an image or a report.")
        pictures = [to_png(image.gray) for image in case.images]
        with self.write() as db:
            bundle_id = self._bound_to(made_by)
            key = self.identity.case(case.key)
            row = db.execute("SELECT id FROM cases WHERE key = ?", [key]).fetchone()
            case_id = int(row[0]) if row else self._insert_case(db, key, case)
            has = {row[0] for row in db.execute("SELECT key FROM images WHERE case_id = ?", [case_id])}
            for image, picture in zip(case.images, pictures, strict=True):
                image_key = self.identity.image(image.key)
                if image_key in has:
                    continue
                center, width = image.window or (None, None)
                image_id = insert(
                    db,
                    "images",
                    case_id=case_id,
                    key=image_key,
                    frame=image.frame,
                    window_center=center,
                    window_width=width,
                    height=picture.height,
                    width=picture.width,
                    png=picture.data,
                )
                _insert_vector(db, case_id, bundle_id, image.embedding, image_id=image_id)
            reported = db.execute("SELECT 1 FROM reports WHERE case_id = ?", [case_id]).fetchone()
            if case.report is not None and not reported:
                _insert_report(db, case_id, bundle_id, case.report)
        return case_id

    def _bound_to(self, made_by: str | None) -> str:
        """The bundle that the vectors of a write are of; asked inside its transaction, so that none come too late."""
        bundle_id = self.bundle_id
        if bundle_id is None:
            raise UserError(
                f"The archive {self.folder} is bound to no model yet; bind it to a bundle first.", self.folder
            )
        if made_by is not None:
            self.require_bundle(made_by)
        return bundle_id

    def _insert_case(self, db: Database, key: str, case: NewCase) -> int:
        return insert(
            db,
            "cases",
            key=key,
            patient=self.identity.patient(case.patient),
            modality=case.modality,
            sex=case.sex,
            age=None if case.age is None else min(case.age, MAX_AGE),
            body_part=case.body_part,
            description=case.description,
            source=case.source,
            licence=case.licence,
            attribution=case.attribution,
            created=now(),
        )

    def holds(self, key: str) -> tuple[frozenset[str], bool] | None:
        """What a case holds: hashed keys of its images, and whether it has a report; None when it is not archived."""
        case_id = self.find_case(key)
        if case_id is None:
            return None
        images = self.read("SELECT key FROM images WHERE case_id = ?", [case_id])
        report = self.read("SELECT 1 FROM reports WHERE case_id = ?", [case_id])
        return frozenset(row[0] for row in images), bool(report)

    def set_report(self, case_id: int, report: NewReport, why: str, made_by: str | None = None) -> None:
        """Give a case its report, replacing an earlier one; `why` goes into the audit, so no identifiers in it.

        Raises:
            UserError: no such case, or the archive is bound to no bundle, or not to that of its vector (`made_by`).
        """
        with self.write() as db:
            bundle_id = self._bound_to(made_by)
            if not db.execute("SELECT 1 FROM cases WHERE id = ?", [case_id]).fetchone():
                raise UserError(f"The archive has no case {case_id}.")
            db.execute("DELETE FROM reports WHERE case_id = ?", [case_id])
            _insert_report(db, case_id, bundle_id, report)
            insert(db, "audit", at=now(), action="report set", case_id=case_id, detail=why)

    def find_case(self, key: str) -> int | None:
        """The case of this StudyInstanceUID (or other case name), if it is archived."""
        rows = self.read("SELECT id FROM cases WHERE key = ?", [self.identity.case(key)])
        return int(rows[0][0]) if rows else None

    def case(self, case_id: int) -> Case:
        """Everything known of a case but its pixels.

        Raises:
            UserError: no such case.
        """
        rows = self.read(f"SELECT id, {', '.join(COLUMNS)} FROM cases WHERE id = ?", [case_id])
        if not rows:
            raise UserError(f"The archive has no case {case_id}.")
        images = tuple(
            StoredImage(image_id, frame, None if center is None else (center, window_width), height, width)
            for image_id, frame, center, window_width, height, width in self.read(
                "SELECT id, frame, window_center, window_width, height, width FROM images WHERE case_id = ? "
                "ORDER BY id",
                [case_id],
            )
        )
        reports = self.read("SELECT id, text, state, created FROM reports WHERE case_id = ?", [case_id])
        values = dict(zip(("case_id", *COLUMNS), rows[0], strict=True))
        return Case(**values, images=images, report=Report(*reports[0]) if reports else None)

    def image(self, image_id: int) -> NDArray[np.uint8]:
        """The stored picture, uint8 [H, W], longest side at most 512.

        Raises:
            UserError: no such image.
        """
        rows = self.read("SELECT png FROM images WHERE id = ?", [image_id])
        if not rows:
            raise UserError(f"The archive has no image {image_id}.")
        return from_png(rows[0][0])

    def case_ids(self, limit: int = 100, after: int = 0) -> list[int]:
        """One page of case ids in the order of import, those greater than `after`."""
        return [row[0] for row in self.read("SELECT id FROM cases WHERE id > ? ORDER BY id LIMIT ?", [after, limit])]

    def stats(self) -> dict[str, Any]:
        """Counts for a status line: cases, images, reports, embeddings, modalities, bundle id, schema version."""
        counts = {
            table: self.read(f"SELECT count(*) FROM {table}")[0][0]
            for table in ("cases", "images", "reports", "embeddings")
        }
        modalities = dict(self.read("SELECT modality, count(*) FROM cases GROUP BY modality ORDER BY 2 DESC"))
        return {**counts, "modalities": modalities, "bundle_id": self.bundle_id, "schema": len(schema.names())}


def _insert_report(db: Database, case_id: int, bundle_id: str, report: NewReport) -> None:
    report_id = insert(db, "reports", case_id=case_id, text=report.text, state=report.state, created=now())
    _insert_vector(db, case_id, bundle_id, report.embedding, report_id=report_id)


def _insert_vector(
    db: Database,
    case_id: int,
    bundle_id: str,
    vector: NDArray[np.floating],
    image_id: int | None = None,
    report_id: int | None = None,
) -> None:
    insert(
        db,
        "embeddings",
        case_id=case_id,
        kind="report" if image_id is None else "image",
        image_id=image_id,
        report_id=report_id,
        bundle_id=bundle_id,
        vector=np.ascontiguousarray(vector, dtype="<f2").tobytes(),
    )


def _leftovers(folder: Path) -> Iterator[Path]:
    """What stands in a folder besides the half-written key of a creation that was cut short."""
    return (path for path in folder.iterdir() if path.name != identity.KEY_FILE + ".new")
