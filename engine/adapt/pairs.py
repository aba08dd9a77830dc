"""The image-report pairs of an archive, some held out by patient. Does not know models.

Whether a patient is held out is decided by a hash of the patient alone: held-out patients stay held out when the
archive grows. If the patient is unknown, the report is hashed instead, since two images of one examination, imported
one by one, could otherwise be both learned from and measured on.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from engine.archive import Archive
from engine.errors import UserError
from engine.store.case import ImageFacts
from engine.text.words import counted

HELD_OUT = 0.2
"""Share of the patients."""
LIMIT = 10_000
"""Default limit of `read`."""
LEARNED = (60, 20, 30)
MEASURED = (15, 8, 10)
"""Pairs, different texts and patients to learn from and to measure on; with fewer, a measured gain may be chance. Texts
are counted, since all patients may share a stock text."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An archived image with the report of its case."""

    image_id: int
    text: str
    """With single spaces."""
    person: str
    """Whom the image belongs to, see `person_of`."""
    held_out: bool


def person_of(facts: ImageFacts) -> str:
    """The patient of an image; if unknown, its report."""
    if facts.patient:
        return facts.patient
    return f"text {hashlib.sha256(_plain(facts.report).encode()).hexdigest()}"


def is_held_out(person: str) -> bool:
    """Whether the pairs of a person are only measured on."""
    return _fraction(f"split {person}") < HELD_OUT


def read(archive: Archive, limit: int = LIMIT) -> list[Pair]:
    """All archived images whose case has a report, in the order of import; `limit` of them, sampled by a hash.

    Raises:
        UserError: too few pairs, texts or patients.
    """
    reported = [facts for facts in archive.all_images() if _plain(facts.report)]
    if len(reported) > limit:
        reported = sorted(reported, key=lambda facts: _fraction(f"pair {facts.image_id}"))[:limit]
        reported.sort(key=lambda facts: facts.image_id)
    pairs = []
    for facts in reported:
        person = person_of(facts)
        pairs.append(Pair(facts.image_id, _plain(facts.report), person, is_held_out(person)))
    require_enough(pairs)
    return pairs


def require_enough(pairs: Sequence[Pair]) -> None:
    """Raise UserError unless there is enough to learn from and enough to measure on."""
    learned, measured = (sizes([p for p in pairs if p.held_out is held_out]) for held_out in (False, True))
    if all(have >= need for have, need in zip(learned + measured, LEARNED + MEASURED, strict=True)):
        return
    # How many are held out is random, so the sentence asks for a third more than the expected need.
    needed = [round(1.3 * max(a / (1 - HELD_OUT), b / HELD_OUT)) for a, b in zip(LEARNED, MEASURED, strict=True)]
    images, texts, patients = sizes(pairs)
    raise UserError(
        f"The archive has {counted(images, 'image')} with {counted(texts, 'different report')} of "
        f"{counted(patients, 'patient')}; adapting needs about {needed[0]} images with {needed[1]} reports of "
        f"{needed[2]} patients, since some are held out. Import more studies with reports."
    )


def sizes(pairs: Sequence[Pair]) -> tuple[int, int, int]:
    """Numbers of pairs, different texts and patients."""
    return len(pairs), len({pair.text for pair in pairs}), len({pair.person for pair in pairs})


def _plain(text: str | None) -> str:
    return " ".join((text or "").split())


def _fraction(key: str) -> float:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64
