"""Fills an archive with any number of cases derived from the sample archive, for measuring time and room, not quality.

Each derived case lies between two real ones of one modality: vectors on the line between theirs, scattered; the facts
of the nearer one, its report with a number, and a small picture.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.archive import Archive
from engine.bundle import Bundle
from engine.importing.importer import import_path
from engine.resources import resource_path
from engine.store.case import NewCase, NewImage, NewReport
from engine.store.case_rows import insert_case, insert_image, insert_report
from engine.store.folder.folder_store import DATABASE
from engine.store.folder.local_database import LocalDatabase
from engine.store.safety.checksums import seal
from engine.store.score_scale import KINDS
from engine.store.thumbnail import to_png

SPREAD = 0.5
"""Length of what is added to a vector, before it gets unit length again."""
SMALL = 8
"""Derived pictures keep each so many rows and columns."""
REAL = 500
"""Cases whose vectors queries are made of; the sample archive has more."""
AT_ONCE = 1_000
"""Cases in one transaction."""


def fill(folder: Path, cases: int) -> None:
    """Import the sample archive, and add derived cases with an image and a report each until there are so many."""
    bundle, rng = Bundle.open(), np.random.default_rng(3)
    with Archive.create(folder, bundle.id) as archive:
        import_path(archive, bundle, resource_path("sample-archive"))
        real = [_source(archive, case_id) for case_id in archive.case_ids(limit=cases)]
        derived = _derived([one for one in real if one.images and one.report], rng, cases - len(real))
        _add(archive, bundle.id, derived)
        archive.index.refresh(save=True)


def scattered(archive: Archive, count: int) -> NDArray[np.float32]:
    """Queries around the lines between real vectors, as the derived cases are, float32 [count, D] of unit length."""
    rng = np.random.default_rng(5)
    real = [archive.index.of_cases(archive.case_ids(limit=REAL), kind)[1] for kind in KINDS]
    pairs = [(rng.choice(real[n % 2]), rng.choice(real[n % 2])) for n in range(count)]
    return np.stack([_between(one, other, rng.uniform(0, 0.5), rng) for one, other in pairs])


def _source(archive: Archive, case_id: int) -> NewCase:
    """A real case, with what `_derived` needs."""
    case = archive.case(case_id)
    images = archive.index.of_cases([case_id], "image")[1]
    reports = archive.index.of_cases([case_id], "report")[1]
    gray = archive.image(case.images[0].image_id)[::SMALL, ::SMALL] if case.images else None
    return NewCase(
        str(case_id),
        case.modality,
        case.sex,
        case.age,
        case.body_part,
        facts=case.facts,
        images=(NewImage(gray, images[0], "one"),) if gray is not None else (),
        report=NewReport(case.report.text, reports[0]) if case.report else None,
    )


def _derived(real: list[NewCase], rng: np.random.Generator, count: int) -> Iterator[NewCase]:
    alike = defaultdict(list)
    for one in real:
        alike[one.modality].append(one)
    for number in range(count):
        source = real[number % len(real)]
        other = alike[source.modality][rng.integers(len(alike[source.modality]))]
        share = rng.uniform(0, 0.5)
        pictures = zip(source.images, other.images, strict=False)
        images = tuple(
            NewImage(one.gray, _between(one.embedding, two.embedding, share, rng), "one") for one, two in pictures
        )
        assert source.report is not None
        assert other.report is not None
        vector = _between(source.report.embedding, other.report.embedding, share, rng)
        yield NewCase(
            f"derived {number}",
            source.modality,
            ("F", "M", "")[int(rng.integers(3))],
            int(rng.integers(20, 90)),
            source.body_part,
            source="derived for a benchmark",
            patient=f"derived {number // 2}",
            facts=source.facts,
            images=images,
            report=NewReport(f"{source.report.text} ({number})", vector),
        )


def _between(
    one: NDArray[np.floating], other: NDArray[np.floating], share: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """A unit vector float32 [D] near the line between two others; `share` is that of the other."""
    moved = (1 - share) * one + share * other + SPREAD * rng.normal(size=len(one)) / np.sqrt(len(one))
    return np.asarray(moved / np.linalg.norm(moved), np.float32)


def _add(archive: Archive, bundle_id: str, cases: Iterator[NewCase]) -> None:
    """As Archive.add_case does with new cases, but many in one transaction."""
    identity, database = archive.identity, LocalDatabase(archive.folder / DATABASE)
    database.trusted = True  # the schema is our own, made a moment ago
    while some := [case for _, case in zip(range(AT_ONCE), cases, strict=False)]:
        with database.write() as db:
            for case in some:
                key, patient = identity.case(case.key), identity.patient(case.patient)
                case_id = insert_case(db, case, key, patient, None)
                for image in case.images:
                    insert_image(db, case_id, bundle_id, identity.image(image.key), image, to_png(image.gray))
                assert case.report is not None
                insert_report(db, case_id, bundle_id, case.report)
                seal(db, "facts", case_id)
    database.close()
