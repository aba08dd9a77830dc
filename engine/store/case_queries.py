"""Questions about archived cases, by name. Changes nothing, and knows neither models nor ranking."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import UserError
from engine.facts.fact import Facts
from engine.store.case import MOSTLY, Case, CaseContent, ImageFacts, ReportFacts, Statistics
from engine.store.case_facts import facts_of_cases
from engine.store.case_rows import load_case
from engine.store.database import WithDatabase
from engine.store.filters import Filters
from engine.store.identity import Identity
from engine.store.kept_answers import KeptAnswers, allowed_by
from engine.store.safety.checksums import is_sealed
from engine.store.safety.join_keys import Join, cases_joined_by, joins_of
from engine.store.safety.name_keys import name_keys_of
from engine.store.shared_sql import read_many
from engine.store.store import Store
from engine.store.thumbnail import from_png

# Each gives (value, cases).
COUNTED = {
    "modalities": "SELECT modality, count(*) FROM cases GROUP BY modality ORDER BY 2 DESC, 1",
    "reported": """SELECT modality, count(*) FROM cases JOIN reports ON reports.case_id = cases.id
        GROUP BY modality ORDER BY 2 DESC, 1""",
    "regions": """SELECT coalesce(value, ''), count(*) FROM cases
        LEFT JOIN facts ON facts.case_id = cases.id AND kind = 'region' GROUP BY 1 ORDER BY 2 DESC, 1""",
    "decades": "SELECT age / 10 * 10, count(*) FROM cases WHERE age IS NOT NULL GROUP BY 1 ORDER BY 1",
    "added": "SELECT substr(created, 1, 10), count(*) FROM cases GROUP BY 1 ORDER BY 1",
}


class CaseQueries(WithDatabase):
    """The part of an archive that answers questions; subclasses set what is declared here, and `_database`."""

    identity: Identity
    _store: Store
    _allowed: KeptAnswers[NDArray[np.int64]]

    @property
    def bundle_id(self) -> str | None:
        """The bundle that made the embeddings; None while the archive is not bound to one."""
        rows = self._database.read("SELECT value FROM settings WHERE name = 'bundle_id'")
        return str(rows[0][0]) if rows else None

    def find_case(self, key: str) -> int | None:
        """The case with this Study Instance UID or other key, or the one that it was merged into, if it is archived."""
        sql = "SELECT id FROM cases WHERE key = :key UNION ALL SELECT case_id FROM merged_keys WHERE key = :key"
        rows = self._database.read(sql, {"key": self.identity.case(key)})
        return int(rows[0][0]) if rows else None

    def is_of_another(self, key: str, patient: str | None, sex: str, image_keys: Iterable[str] = ()) -> bool:
        """Whether the case with this key is archived, of another patient, and has none of these images.

        Args:
            key: Study Instance UID, which wrong anonymization and some devices give to two patients.
            patient: Patient ID, if known.
            sex: "M", "F", "O" or "".
            image_keys: as in NewImage; the same images under a corrected ID are the same study.
        """
        case_id = self.find_case(key)
        if case_id is None:
            return False
        case, own = self.case(case_id), self.identity.patient(patient)
        differs = None not in (case.patient, own) and case.patient != own
        if not differs and {case.sex, sex} != {"M", "F"}:
            return False
        return self._image_keys(case_id).isdisjoint(map(self.identity.image, image_keys))

    def joins(self, case_id: int) -> frozenset[Join]:
        """The hashed joins of a case (safety/join_keys.py)."""
        return joins_of(self._database.read, case_id)

    def is_name(self, case_id: int) -> Callable[[str], bool]:
        """Tells whether the header of a case stated a name or number in this spelling (text/hashed_names.py)."""
        keys = name_keys_of(self._database.read, case_id)
        return lambda spelling: bool(keys) and self.identity.name(spelling) in keys

    def cases_joined_by(self, joins: Iterable[Join]) -> list[int]:
        """The cases with any of these joins, and those whose key is the Study Instance UID among them."""
        joins = list(joins)
        studies = {self.find_case(value) for role, value in joins if role == "study"} - {None}
        found = {*studies, *cases_joined_by(self._database.read, map(self.identity.join, joins))}
        return sorted(one for one in found if one is not None)

    def content_of(self, key: str) -> CaseContent | None:
        """What the case with this key contains; None when it is not archived."""
        case_id = self.find_case(key)
        return None if case_id is None else CaseContent(self._image_keys(case_id), self._has_report(case_id))

    def case(self, case_id: int) -> Case:
        """Everything known of a case but its pixels.

        Raises:
            UserError: no such case.
        """
        case = load_case(self._database.read, case_id)
        if case is None:
            raise UserError(f"The archive has no case {case_id}.")
        return case

    def facts_of(self, case_ids: Iterable[int] | None = None) -> dict[int, Facts]:
        """The facts of some or all cases by case id; a case without facts is absent."""
        return facts_of_cases(self._database.read, case_ids)

    def reports_of(self, case_ids: Iterable[int]) -> dict[int, str]:
        """The texts of the reports of some cases by case id; a case without a report is absent."""
        sql = "SELECT case_id, text FROM reports WHERE case_id IN ({})"
        return dict(read_many(self._database.read, sql, list(case_ids)))

    def image(self, image_id: int) -> NDArray[np.uint8]:
        """The stored image, uint8 [H, W], longest side at most 512.

        Raises:
            UserError: no such image, or it is not as it was archived.
        """
        rows = self._database.read("SELECT png FROM images WHERE id = ?", [image_id])
        if not rows:
            raise UserError(f"The archive has no image {image_id}.")
        with self._database.reading() as db:
            if not is_sealed(db, "images", image_id):
                raise UserError(f"Image {image_id} of the archive is damaged; restore the archive from its backup.")
        return from_png(rows[0][0])

    def case_ids(self, limit: int = 100, after: int = 0) -> list[int]:
        """One page of case ids in the order of import, those greater than `after`."""
        return [
            row[0]
            for row in self._database.read("SELECT id FROM cases WHERE id > ? ORDER BY id LIMIT ?", [after, limit])
        ]

    def cases_of_patient(self, patient_id: str | None) -> frozenset[int]:
        """The cases of the patient with this Patient ID; none without an id."""
        patient = self.identity.patient(patient_id)
        if patient is None:
            return frozenset()
        return frozenset(row[0] for row in self._database.read("SELECT id FROM cases WHERE patient = ?", [patient]))

    def newest_first(self, case_ids: Iterable[int]) -> list[int]:
        """Cases of one patient by the date of their study, the newest first, unknown dates last, then last archived."""
        sql = "SELECT id, study_day FROM cases WHERE id IN ({})"
        days = dict(read_many(self._database.read, sql, list(case_ids)))
        return sorted(days, key=lambda one: (days[one] is not None, days[one] or 0, one), reverse=True)

    def cases_before(self, study_uid: str, patient_id: str | None, date: str) -> list[int]:
        """The other cases of the patient of a study that are not known to be later, ordered as by `newest_first`.

        Args:
            study_uid: Study Instance UID.
            patient_id: Patient ID; none without one.
            date: Study Date.
        """
        day = self.identity.study_day(date, patient_id)
        cases = self.newest_first(self.cases_of_patient(patient_id) - {self.find_case(study_uid)})
        later = "SELECT id FROM cases WHERE study_day > ? AND id IN ({})"
        if day is None or not cases:
            return cases
        known = {row[0] for row in self._database.read(later.format(", ".join("?" * len(cases))), [day, *cases])}
        return [case_id for case_id in cases if case_id not in known]

    def cases_of_same_patient(self, case_id: int) -> list[int]:
        """The case and all others of its patient; the case alone when its patient is unknown.

        Raises:
            UserError: no such case.
        """
        patient = self.case(case_id).patient
        if patient is None:
            return [case_id]
        return [row[0] for row in self._database.read("SELECT id FROM cases WHERE patient = ? ORDER BY id", [patient])]

    def cases_allowed_by(self, filters: Filters) -> NDArray[np.int64] | None:
        """Ids of the cases that the filters allow, int64 [N]; None when they allow all."""
        return allowed_by(self._database, self._allowed, filters)

    def image_of_embedding(self, embedding_id: int) -> int | None:
        """The image that an embedding was made of; None when a report was, or the embedding has been replaced."""
        rows = self._database.read("SELECT image_id FROM embeddings WHERE id = ?", [embedding_id])
        return rows[0][0] if rows else None

    def all_images(self) -> list[ImageFacts]:
        """The facts of every archived image and the report of its case, in the order of import."""
        rows = self._database.read(
            """SELECT images.id, cases.id, cases.patient, cases.modality, reports.text FROM images
            JOIN cases ON cases.id = images.case_id
            LEFT JOIN reports ON reports.case_id = cases.id AND reports.machine_share < ?
            ORDER BY images.id""",
            [MOSTLY],
        )
        return [ImageFacts(*row) for row in rows]

    def all_reports(self) -> list[ReportFacts]:
        """Every report with what is known of its case, in the order of import."""
        rows = self._database.read(
            """SELECT cases.id, cases.patient, reports.text,
                EXISTS (SELECT 1 FROM images WHERE case_id = cases.id)
            FROM reports JOIN cases ON cases.id = reports.case_id ORDER BY cases.id"""
        )
        return [ReportFacts(case_id, patient, text, bool(has_image)) for case_id, patient, text, has_image in rows]

    def stats(self) -> dict[str, Any]:
        """Counts of cases, images, reports and embeddings, cases per modality, bundle id and schema version."""
        counts = {
            table: self._database.read(f"SELECT count(*) FROM {table}")[0][0]
            for table in ("cases", "images", "reports", "embeddings")
        }
        modalities = dict(
            self._database.read("SELECT modality, count(*) FROM cases GROUP BY modality ORDER BY 2 DESC, 1")
        )
        return {**counts, "modalities": modalities, "bundle_id": self.bundle_id, "schema": self._store.schema}

    def statistics(self) -> Statistics:
        """Counts of everything, by modality, region, age and day of archiving, and the room on the disk."""
        stats, read = self.stats(), self._database.read
        counts = {name: dict(read(sql)) for name, sql in COUNTED.items()}
        return Statistics(
            cases=stats["cases"],
            patients=read("SELECT count(DISTINCT patient) FROM cases")[0][0],
            images=stats["images"],
            reports=stats["reports"],
            embeddings=stats["embeddings"],
            bytes_on_disk=self._store.bytes_used(),
            modalities=counts["modalities"],
            reported=counts["reported"],
            regions=counts["regions"],
            decades=counts["decades"],
            added=counts["added"],
        )

    def problems(self, deep: bool = False) -> list[str]:
        """How the database contradicts itself or, with `deep`, its checksums, one phrase each; empty when intact."""
        return self._store.problems(deep)

    def _image_keys(self, case_id: int) -> frozenset[str]:
        sql = "SELECT key FROM images WHERE case_id = :id UNION ALL SELECT key FROM merged_keys WHERE case_id = :id"
        return frozenset(row[0] for row in self._database.read(sql, {"id": case_id}))

    def has_image(self, case_id: int) -> bool:
        """Whether a case has an image."""
        return bool(self._database.read("SELECT 1 FROM images WHERE case_id = ? LIMIT 1", [case_id]))

    def _has_report(self, case_id: int) -> bool:
        return bool(self._database.read("SELECT 1 FROM reports WHERE case_id = ?", [case_id]))
