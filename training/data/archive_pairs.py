"""The image-report pairs of an archive, split by patient. Does not know networks.

The split of a patient is a hash of the patient id alone: held-out patients stay held out when the archive grows, and
two programs that read the same archive split it in the same way. If the patient is unknown, the report is hashed
instead, since two images of one examination, imported one by one, could otherwise be in training and held-out data.
"""

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from engine.archive import Archive
from engine.errors import UserError
from engine.store.case import ImageFacts
from training.data.pairs import Gray, Pair, Pairs

TRAIN, VAL, HELD_OUT = "train", "val", "held out"
SHARES = {TRAIN: 0.68, VAL: 0.12, HELD_OUT: 0.2}
MINIMUM = {TRAIN: (120, 40, 40), VAL: (20, 10, 8), HELD_OUT: (40, 20, 15)}
"""Pairs, distinct texts and patients that each split needs; with fewer, a measured gain may be chance. Texts are
counted separately, since all patients may share a stock text."""
MAX_PAIRS = 10_000
"""Default limit of `read`."""


def person_of(facts: ImageFacts) -> str:
    """Whom an image is assigned to: its patient; if unknown, its report; without a report, its case."""
    if facts.patient:
        return facts.patient
    words = " ".join((facts.report or "").split())
    return f"text {hashlib.sha256(words.encode()).hexdigest()}" if words else f"case {facts.case_id}"


def split_of(person: str) -> str:
    """The split of a person, computed from a hash of its key alone."""
    fraction = int.from_bytes(hashlib.sha256(f"split {person}".encode()).digest()[:8], "big") / 2**64
    if fraction < SHARES[HELD_OUT]:
        return HELD_OUT
    return VAL if fraction < SHARES[HELD_OUT] + SHARES[VAL] else TRAIN


def read(archive: Archive, size: int, limit: int = MAX_PAIRS) -> Pairs:
    """All archived images whose case has a report, each with it.

    Args:
        archive: for cases without a known patient see `person_of`.
        size: side of the input of the image tower, in pixels. Training images are reduced to 1.5 times that, which
            leaves room for crops; all others keep their stored size, at which the application embeds them.
        limit: maximum number of pairs; more are sampled by hash.

    Raises:
        UserError: a split has too few pairs, distinct texts or patients; the message says how many are needed.
    """
    reported = [facts for facts in archive.all_images() if (facts.report or "").strip()]
    rows = []
    for facts in sample(reported, limit):
        person = person_of(facts)
        text = " ".join((facts.report or "").split())
        values = {"modality": facts.modality, "source": "own archive"}
        rows.append(Pair(Path(str(facts.image_id)), text, split_of(person), person, person, values))
    require_enough(rows)

    def image(row: Pair) -> Gray:
        stored = archive.image(int(row.path.name))
        return downscale(stored, size * 3 // 2) if row.split == TRAIN else stored

    return Pairs(rows, [image(row) for row in rows], [])


def images(archive: Archive, limit: int) -> dict[str, list[Gray]]:
    """All archived images by split, as stored, including those without a report; `limit` as in `read`.

    The splits are those of `read`: an image of a held-out patient is held out here as well.
    """
    result: dict[str, list[Gray]] = {name: [] for name in SHARES}
    for facts in sample(archive.all_images(), limit):
        result[split_of(person_of(facts))].append(archive.image(facts.image_id))
    return result


def sample(archived: list[ImageFacts], limit: int) -> list[ImageFacts]:
    """At most `limit` images, sampled by a hash of the image id, in the order of import."""
    if len(archived) <= limit:
        return archived
    by_hash = sorted(archived, key=lambda facts: hashlib.sha256(f"pair {facts.image_id}".encode()).digest())
    return sorted(by_hash[:limit], key=lambda facts: facts.image_id)


def require_enough(rows: list[Pair]) -> None:
    """Raise UserError unless every split has the pairs, distinct texts and patients of MINIMUM."""
    splits = {name: [row for row in rows if row.split == name] for name in MINIMUM}
    found = {name: counts(of_split) for name, of_split in splits.items()}
    if all(have >= minimum for name in MINIMUM for have, minimum in zip(found[name], MINIMUM[name])):
        return
    # The sizes of the splits are random, so the message asks for a fifth more than their expected need.
    needed = [round(1.2 * max(minimum[i] / SHARES[name] for name, minimum in MINIMUM.items())) for i in range(3)]
    pairs, texts, patients = counts(rows)
    raise UserError(
        f"The archive has {pairs} images with {texts} different reports of {patients} patients. Adapting needs about "
        f"{needed[0]} images with {needed[1]} reports of {needed[2]} patients, since some are held out; import more "
        "studies with reports."
    )


def counts(rows: list[Pair]) -> tuple[int, int, int]:
    """Numbers of pairs, distinct texts and patients."""
    return len(rows), len({row.text for row in rows}), len({row.patient for row in rows})


def downscale(gray: Gray, side: int) -> Gray:
    """uint8 [H, W], longest side at most `side`."""
    height, width = gray.shape
    scale = side / max(height, width)
    if scale >= 1:
        return gray
    shape = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(gray).resize(shape, Image.Resampling.BICUBIC))
