"""The image-report pairs of an archive, parted by patient. Knows no networks.

A patient's split follows from a hash of the patient alone, so that who was held out once is held out again when the
archive has grown, and two programs that read the same archive part it alike. Where the patient is not known, a hash of
the report decides: two pictures of one examination, imported one by one, would else be trained on and held out.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.archive import Archive
from engine.errors import UserError
from training.data.pairs import Gray, Pair, Pairs

TRAIN, VAL, HELD_OUT = "train", "val", "held out"
SHARES = {TRAIN: 0.68, VAL: 0.12, HELD_OUT: 0.2}
FEWEST = {TRAIN: (120, 40, 40), VAL: (20, 10, 8), HELD_OUT: (40, 20, 15)}
"""Pairs, different texts and patients that each split needs: below, ten of the held-out texts are most of them, and a
gain is chance. Texts are counted on their own since all patients may share a stock text."""
MOST_PAIRS = 10_000


def person_of(patient: str | None, text: str | None, case_id: int) -> str:
    """Who a case counts as: its patient, else all cases without one that have the same report, else itself."""
    if patient:
        return patient
    words = " ".join((text or "").split())
    return f"text {hashlib.sha256(words.encode()).hexdigest()}" if words else f"case {case_id}"


def split_of(patient: str) -> str:
    """The split of a person, from nothing but its (hashed) name."""
    place = int.from_bytes(hashlib.sha256(f"split {patient}".encode()).digest()[:8], "big") / 2**64
    if place < SHARES[HELD_OUT]:
        return HELD_OUT
    return VAL if place < SHARES[HELD_OUT] + SHARES[VAL] else TRAIN


def read(archive: Archive, size: int, most: int = MOST_PAIRS) -> Pairs:
    """Every archived image whose case has a report.

    Args:
        archive: the local store; for cases without a known patient see `person_of`.
        size: side of the image tower's input; pictures to train on are kept half as large again, for crops. All others
            stay as they are stored, since the product embeds them so.
        most: larger archives give this many pairs, chosen by hash.

    Raises:
        UserError: a split has too few pairs, different texts or patients, saying how many there are and are needed.
    """
    found = archive.read(
        """SELECT images.id, cases.id, cases.patient, cases.modality, reports.text FROM images
        JOIN cases ON cases.id = images.case_id JOIN reports ON reports.case_id = cases.id
        WHERE trim(reports.text) != '' ORDER BY images.id"""
    )
    rows = []
    for image_id, case_id, patient, modality, text in chosen(found, most):
        person = person_of(patient, text, case_id)
        values = {"modality": modality, "source": "own archive"}
        rows.append(Pair(Path(str(image_id)), " ".join(text.split()), split_of(person), person, person, values))
    refuse_too_few(rows)

    def picture(row: Pair) -> Gray:
        stored = archive.image(int(row.path.name))
        return smaller(stored, size * 3 // 2) if row.split == TRAIN else stored

    return Pairs(rows, [picture(row) for row in rows], [])


def pictures(archive: Archive, most: int) -> dict[str, list[Gray]]:
    """Every archived picture as it is stored, by split, also those without a report; `most` as in `read`.

    The split is that of `read`: a picture of a held-out patient is held out here as well.
    """
    found = archive.read(
        """SELECT images.id, cases.id, cases.patient, reports.text FROM images JOIN cases ON cases.id = images.case_id
        LEFT JOIN reports ON reports.case_id = cases.id ORDER BY images.id"""
    )
    result: dict[str, list[Gray]] = {name: [] for name in SHARES}
    for image_id, case_id, patient, text in chosen(found, most):
        result[split_of(person_of(patient, text, case_id))].append(archive.image(image_id))
    return result


def chosen(rows: list[Any], most: int) -> list[Any]:
    """At most so many rows, by a hash of the image id that they begin with, in their order."""
    if len(rows) <= most:
        return rows
    return sorted(sorted(rows, key=lambda row: hashlib.sha256(f"pair {row[0]}".encode()).digest())[:most])


def refuse_too_few(rows: list[Pair]) -> None:
    """Raise UserError unless every split has the pairs, different texts and patients of FEWEST."""
    splits = {name: [row for row in rows if row.split == name] for name in FEWEST}
    found = {name: counts(of_split) for name, of_split in splits.items()}
    if all(have >= least for name in FEWEST for have, least in zip(found[name], FEWEST[name])):
        return
    # A split takes its share by chance, so a little more than the sum is asked for.
    needed = [round(1.2 * max(least[i] / SHARES[name] for name, least in FEWEST.items())) for i in range(3)]
    pairs, texts, patients = counts(rows)
    raise UserError(
        f"The archive has {pairs} images with {texts} different reports, of {patients} patients; adapting needs about "
        f"{needed[0]} with {needed[1]}, of {needed[2]} patients, so that some can be held out. Import more studies "
        "with their reports."
    )


def counts(rows: list[Pair]) -> tuple[int, int, int]:
    """How many pairs, different texts and patients."""
    return len(rows), len({row.text for row in rows}), len({row.patient for row in rows})


def smaller(gray: Gray, side: int) -> Gray:
    """uint8 [H, W], longest side at most `side`."""
    height, width = gray.shape
    scale = side / max(height, width)
    if scale >= 1:
        return gray
    shape = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(gray).resize(shape, Image.Resampling.BICUBIC))
