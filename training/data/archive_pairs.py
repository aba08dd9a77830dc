"""The image-report pairs of an archive, split by patient. Knows no networks.

A patient's split is a hash of the patient alone: who is held out once stays held out when the archive grows, and two
programs that read the same archive split it alike. Where the patient is unknown, a hash of the report decides, since
two images of one examination, imported one by one, could otherwise be in training and held-out data.
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
"""Pairs, distinct texts and patients that each split needs; with fewer, a measured gain is chance. Texts are counted
separately since all patients may share a stock text."""
MOST_PAIRS = 10_000


def person_of(facts: ImageFacts) -> str:
    """Who an image counts as: its patient, else all cases without one that have the same report, else its case."""
    if facts.patient:
        return facts.patient
    words = " ".join((facts.report or "").split())
    return f"text {hashlib.sha256(words.encode()).hexdigest()}" if words else f"case {facts.case_id}"


def split_of(person: str) -> str:
    """The split of a person, from nothing but its (hashed) name."""
    fraction = int.from_bytes(hashlib.sha256(f"split {person}".encode()).digest()[:8], "big") / 2**64
    if fraction < SHARES[HELD_OUT]:
        return HELD_OUT
    return VAL if fraction < SHARES[HELD_OUT] + SHARES[VAL] else TRAIN


def read(archive: Archive, size: int, limit: int = MOST_PAIRS) -> Pairs:
    """Every archived image whose case has a report.

    Args:
        archive: the local store; for cases without a known patient see `person_of`.
        size: side of the image tower's input; training images are kept half as large again, for crops. All others stay
            as they are stored, since they are embedded at that size in use.
        limit: larger archives give this many pairs, sampled by hash.

    Raises:
        UserError: a split has too few pairs, distinct texts or patients; says how many there are and are needed.
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
        return shrink(stored, size * 3 // 2) if row.split == TRAIN else stored

    return Pairs(rows, [image(row) for row in rows], [])


def pictures(archive: Archive, limit: int) -> dict[str, list[Gray]]:
    """Every archived image as it is stored, by split, also those without a report; `limit` as in `read`.

    The split is that of `read`: an image of a held-out patient is held out here as well.
    """
    result: dict[str, list[Gray]] = {name: [] for name in SHARES}
    for facts in sample(archive.all_images(), limit):
        result[split_of(person_of(facts))].append(archive.image(facts.image_id))
    return result


def sample(images: list[ImageFacts], limit: int) -> list[ImageFacts]:
    """At most `limit` images, sampled by a hash of the image id, in their order."""
    if len(images) <= limit:
        return images
    by_hash = sorted(images, key=lambda facts: hashlib.sha256(f"pair {facts.image_id}".encode()).digest())
    return sorted(by_hash[:limit], key=lambda facts: facts.image_id)


def require_enough(rows: list[Pair]) -> None:
    """Raise UserError unless every split has the pairs, distinct texts and patients of MINIMUM."""
    splits = {name: [row for row in rows if row.split == name] for name in MINIMUM}
    found = {name: counts(of_split) for name, of_split in splits.items()}
    if all(have >= least for name in MINIMUM for have, least in zip(found[name], MINIMUM[name])):
        return
    # The size of a split is random, so somewhat more than the sum is asked for.
    needed = [round(1.2 * max(least[i] / SHARES[name] for name, least in MINIMUM.items())) for i in range(3)]
    pairs, texts, patients = counts(rows)
    raise UserError(
        f"The archive has {pairs} images with {texts} different reports of {patients} patients. Adapting needs about "
        f"{needed[0]} images with {needed[1]} reports of {needed[2]} patients, since some are held out; import more "
        "studies with reports."
    )


def counts(rows: list[Pair]) -> tuple[int, int, int]:
    """How many pairs, distinct texts and patients."""
    return len(rows), len({row.text for row in rows}), len({row.patient for row in rows})


def shrink(gray: Gray, side: int) -> Gray:
    """uint8 [H, W], longest side at most `side`."""
    height, width = gray.shape
    scale = side / max(height, width)
    if scale >= 1:
        return gray
    shape = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(gray).resize(shape, Image.Resampling.BICUBIC))
