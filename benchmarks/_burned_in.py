"""Draws names into pictures, counts those that are blacked out, and what is blacked out of pictures without names.

Rules were set on the first pictures of each source with the tuned names; the table is about the next ones, with names
that are held out. Each name is drawn where its letters can be read, and counts as removed if more than half of every
letter is black.
"""

import csv
import json
import random
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks._planted import DATA, PEOPLE, TUNED
from engine.models.burned_in import covered, text_boxes
from engine.models.text_detector import text_detector
from engine.resources import resource_path

Gray = NDArray[np.uint8]
HEIGHTS = (8, 10, 12, 16, 24)
"""Of the capital letters, in pixels of the picture."""
FONTS = ("DejaVuSans", "DejaVuSansMono-Bold", "STIXGeneral", "cmss10", "cmtt10", "")
"""Of matplotlib; "" is that of Pillow."""
STYLES = {
    "on dark": (255, 235, 215, 190, 160),
    "over tissue": (255, 225),
    "outlined": (255,),
    "black": (0,),
}
"""Gray levels of the letters: white, yellow and grays where it is dark; white and yellow where it is light."""
LEGIBLE = 60
"""Gray levels by which every letter differs from the mean of what it covers."""
TRIES = 60
PICTURES = 200
LARGE = 1024
"""Pictures are enlarged to this longest side for the second table."""
ANATOMY = 24
"""Gray level above which a pixel counts as anatomy."""


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """A picture with a name."""

    gray: Gray
    letters: list[tuple[NDArray[np.intp], NDArray[np.intp]]]
    """Rows and columns of the ink of each letter."""

    def removed(self, black: NDArray[np.bool_]) -> bool:
        """Whether more than half of every letter is black."""
        return all(float(black[letter].mean()) > 0.5 for letter in self.letters)


def pictures(part: str, tables: list[Path]) -> list[Gray]:
    """Pictures of the val splits of some tables of pairs, an equal number each, and of the sample archive."""
    sample = sorted(resource_path("sample-archive", "images").iterdir())
    sources = [[path.parent / row["image"] for row in _val(path)] for path in tables]
    count = PICTURES // (len(sources) + 1)
    found: list[Path] = []
    for source in (*sources, sample):
        random.Random(1).shuffle(source)
        wanted = PICTURES - len(found) if source is sample else count
        found += source[:wanted] if part == TUNED else source[-wanted:]
    return [np.asarray(Image.open(path).convert("L")) for path in found]


def _val(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        yield from (row for row in csv.DictReader(file) if row["split"] == "val")


def font(name: str, capital: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font whose capitals have so many pixels."""
    for size in range(capital, 3 * capital):
        file = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf")
        made = ImageFont.truetype(file, size) if name else ImageFont.load_default(size)
        _, top, _, bottom = made.getbbox("H")
        if bottom - top >= capital:
            return made
    raise ValueError(name)


def names(part: str, draw: random.Random) -> Iterator[str]:
    """Names without end, in the forms in which reports and DICOM write them, in ASCII: two fonts have nothing else."""
    values = json.loads((DATA / "privacy_values.json").read_text(encoding="utf-8"))[part]
    while True:
        language = draw.choice(sorted(values))
        given, family = draw.choice(values[language]["given"]), draw.choice(values[language]["family"])
        form = draw.choice((*PEOPLE, "{FAMILY}^{given}"))
        name = form.format(given=given, family=family, FAMILY=family.upper(), initial=given[0])
        yield unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()


def plant(gray: Gray, name: str, style: str, draw: random.Random, height: int, face: str) -> Planted | None:
    """A picture with a name where it is darkest, lightest or anywhere; None if it can be read nowhere."""
    made, level = font(face, height), draw.choice(STYLES[style])
    left, top, right, bottom = (int(side) for side in made.getbbox(name))
    rows, columns = bottom - top + 2, right - left + 2
    if rows >= gray.shape[0] or columns >= gray.shape[1]:
        return None
    ink = Image.new("L", (columns, rows))
    ImageDraw.Draw(ink).text((1 - left, 1 - top), name, font=made, fill=255)
    ends = [round(1 - left + made.getlength(name[:count])) for count in range(len(name) + 1)]
    letters = list(_letters(np.asarray(ink) > 100, name, ends))
    best: tuple[float, int, int] | None = None
    for _ in range(TRIES):
        y, x = draw.randint(0, gray.shape[0] - rows), draw.randint(0, gray.shape[1] - columns)
        means = [float(gray[y + down, x + across].mean()) for down, across in letters]
        if style != "outlined" and min(abs(level - mean) for mean in means) < LEGIBLE:
            continue
        ground = sum(means) / len(means)
        wish = {"on dark": -ground, "over tissue": ground if ground <= 150 else -ground, "outlined": 0.0}
        if best is None or wish.get(style, ground) > best[0]:
            best = (wish.get(style, ground), y, x)
    if best is None:
        return None
    _, y, x = best
    image = Image.fromarray(gray)
    stroke = 1 if style == "outlined" else 0
    ImageDraw.Draw(image).text(
        (x + 1 - left, y + 1 - top), name, font=made, fill=level, stroke_width=stroke, stroke_fill=0
    )
    return Planted(np.asarray(image), [(down + y, across + x) for down, across in letters])


def _letters(ink: NDArray[np.bool_], name: str, ends: list[int]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    for count, letter in enumerate(name):
        first = max(0, ends[count])
        rows, columns = np.nonzero(ink[:, first : ends[count + 1]])
        if letter.isalnum() and len(rows):
            yield rows, columns + first


class Measured:
    """Counts of one run."""

    def __init__(self) -> None:
        self.planted = Counter[tuple[int, str]]()
        self.removed = Counter[tuple[int, str]]()
        self.milliseconds: list[float] = []
        """Of processor time, which is that of one core."""
        self._detector = text_detector()

    def black(self, gray: Gray) -> tuple[NDArray[np.bool_], int]:
        """What is blacked out of a picture, bool [H, W], and the number of boxes."""
        started = time.process_time()
        boxes = text_boxes(self._detector.boxes(gray))
        self.milliseconds.append(1000 * (time.process_time() - started))
        return covered(gray.shape, boxes), len(boxes)

    def plant(self, every: list[Gray], part: str) -> None:
        """Draw names of each height into each picture, in turns of style and font, and look for them."""
        draw = random.Random(f"{part} burned in")
        given = names(part, draw)
        for index, gray in enumerate(every):
            for turn, height in enumerate(HEIGHTS):
                style, face = [*STYLES][(index + turn) % len(STYLES)], FONTS[(5 * index + turn) % len(FONTS)]
                made = next(filter(None, (plant(gray, next(given), style, draw, height, face) for _ in range(5))), None)
                if made is not None:
                    self.planted[height, style] += 1
                    self.removed[height, style] += made.removed(self.black(made.gray)[0])

    def row(self, heights: tuple[int, ...]) -> str:
        """The cells of a row: recall by style, and of all but black letters."""
        styles = [(style,) for style in STYLES]
        return " | ".join(self._share(heights, chosen) for chosen in (*styles[:-1], tuple(STYLES)[:-1], styles[-1]))

    def _share(self, heights: tuple[int, ...], styles: tuple[str, ...]) -> str:
        keys = [(height, style) for height in heights for style in styles]
        every, removed = (sum(counted[key] for key in keys) for counted in (self.planted, self.removed))
        return f"{removed / every:.1%} of {every}" if every else "none"


def table(part: str, tables: list[Path]) -> str:
    """What was found of planted names, what was removed from the same pictures as they are, and the time."""
    every = pictures(part, tables)
    as_they_are, large, alone = Measured(), Measured(), Measured()
    as_they_are.plant(every, part)
    large.plant([_enlarged(gray) for gray in every[:: max(1, len(every) // 50)]], part)
    head = "| on dark | over tissue | outlined | **these three** | black letters |"
    rows = []
    for title, measured in (("capitals, px", as_they_are), (f"capitals, px, in pictures of {LARGE} px", large)):
        rows += ["", f"| {title} {head}", f"|---|{'---|' * (len(STYLES) + 1)}"]
        rows += [f"| {height} | {measured.row((height,))} |" for height in HEIGHTS]
        rows.append(f"| **12 and more** | {measured.row(HEIGHTS[2:])} |")
    boxes, area, anatomy = [], [], []
    for gray in every:
        black, count = alone.black(gray)
        boxes.append(count)
        area.append(float(black.mean()))
        anatomy.append(float(black[gray > ANATOMY].mean()) if (gray > ANATOMY).any() else 0.0)
    sides = [max(gray.shape) for gray in every]
    touched = sum(count > 0 for count in boxes)
    rows += [
        "",
        f"The same {len(every)} pictures ({min(sides)} to {max(sides)} px) without planted names: {sum(boxes)} boxes "
        f"in {touched} of them were blacked out, {np.mean(area):.2%} of all pixels and {np.mean(anatomy):.2%} of those "
        f"brighter than {ANATOMY}. Median time on one core: {median(alone.milliseconds):.0f} ms a picture, "
        f"{median(large.milliseconds):.0f} ms a picture of {LARGE} px.",
    ]
    return "\n".join(rows[1:])


def _enlarged(gray: Gray) -> Gray:
    scale = LARGE / max(gray.shape)
    rows, columns = (round(side * scale) for side in gray.shape)
    return np.asarray(Image.fromarray(gray).resize((columns, rows), Image.Resampling.BICUBIC))
