"""Pack what a training needs into two files: `python -m training pack --config FILE --out DIR`. Does not train.

For a machine with a GPU that is lent for minutes and reaches no network: pictures.tar has the pairs with small
pictures, start.pt both towers as published at half precision with the trimmed tokenizer. Neither the packages of the
pretrained models nor the text files are needed there.
"""

import argparse
import csv
import io
import logging
import tarfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from engine.errors import UserError
from training.commands.train_encoders import pretrained_model
from training.data.pairs import DAMAGED, Gray, corpus, read_gray, read_lines
from training.loop import config
from training.networks import checkpoint

log = logging.getLogger(__name__)
QUALITIES = range(90, 9, -5)
"""WebP qualities to choose from, the best first."""
SAMPLE = 200
"""Pictures that are encoded to estimate the size at a quality."""


def encoded(gray: Gray, quality: int) -> bytes:
    """A picture as WebP."""
    stream = io.BytesIO()
    Image.fromarray(gray).save(stream, "WEBP", quality=quality, method=4)
    return stream.getvalue()


def best_quality(sample: Sequence[Gray], most: float) -> int:
    """The best quality at which the pictures need at most `most` bytes on average; UserError if there is none."""
    for quality in QUALITIES:
        if np.mean([len(encoded(gray, quality)) for gray in sample]) <= most:
            return quality
    raise UserError("The pictures do not fit into the limit; raise --mib or lower --side.")


def pack_pictures(manifests: Sequence[Path], root: Path, out: Path, side: int, mib: float) -> int:
    """Write the train and val rows of manifests with their pictures, as a tar in the layout of `root`.

    Pictures that cannot be read are left out with their rows.

    Args:
        side: longest side of a packed picture in pixels; smaller ones keep their size.
        mib: most MiB of all pictures together.

    Returns:
        the quality of the pictures.

    Raises:
        UserError: a manifest cannot be read, or the pictures do not fit.
    """
    tables = {path: [line for _, line in read_lines(path) if line["split"] in ("train", "val")] for path in manifests}
    rows = [(path.parent / line["image"]) for path, lines in tables.items() for line in lines]
    chosen = np.random.default_rng(0).choice(len(rows), min(SAMPLE, len(rows)), replace=False)
    sample = [gray for index in chosen if (gray := small(rows[int(index)], side)) is not None]
    quality = best_quality(sample, 0.97 * mib * 2**20 / max(1, len(rows)))  # a margin, since it is a sample
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_suffix(".part")
    with tarfile.open(part, "w") as tar:
        for path, lines in tables.items():
            folder = path.parent.relative_to(root)
            kept = []
            for line in lines:
                gray = small(path.parent / line["image"], side)
                if gray is not None:
                    name = Path(line["image"]).with_suffix(".webp").as_posix()
                    add(tar, (folder / name).as_posix(), encoded(gray, quality))
                    kept.append({**line, "image": name})
            text = io.StringIO(newline="")
            writer = csv.DictWriter(text, list(lines[0]))
            writer.writeheader()
            writer.writerows(kept)
            add(tar, path.relative_to(root).as_posix(), text.getvalue().encode())
            log.info("%s: %d of %d rows", path, len(kept), len(lines))
    part.replace(out)
    return quality


def small(path: Path, side: int) -> Gray | None:
    """uint8 [H, W], longest side at most `side`, or None if the picture cannot be read."""
    try:
        image = Image.fromarray(read_gray(path))
    except DAMAGED:
        return None
    image.thumbnail((side, side), Image.Resampling.BICUBIC)
    return np.asarray(image)


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a file to a tar."""
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def pack_start(settings: config.EncoderSettings, root: Path, out: Path) -> None:
    """Write both towers as published, float16, with the tokenizer that covers the texts of the settings."""
    data = settings.data
    manifests = [root / name for name in (*data.manifests, *data.more)]
    texts = [line["text"] for path in manifests for _, line in read_lines(path) if line["split"] == "train"]
    texts += [text for name in data.texts for text in corpus(root / name)]
    small_heads = replace(settings, towers=replace(settings.towers, dim=8, head_hidden=0))  # a recipe makes its own
    model, tokenizer_json = pretrained_model(small_heads, texts)
    extra = {"settings": settings.as_dict()}
    checkpoint.save(out, checkpoint.ENCODERS, model.config.as_dict(), model.half(), tokenizer_json, extra)


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m training pack", description="Pack pairs and towers to carry.")
    parser.add_argument("--config", type=Path, required=True, help="the recipe, see training/configs/gpu_all.toml")
    parser.add_argument("--data", type=Path, default=Path("data"), help="data folder; manifests are relative to it")
    parser.add_argument("--out", type=Path, required=True, help="folder for pictures.tar and start.pt")
    parser.add_argument("--side", type=int, default=224, help="longest side of a picture in pixels")
    parser.add_argument("--mib", type=float, default=55.0, help="most MiB of all pictures")
    options = parser.parse_args(argv)
    settings = config.read(options.config)
    pack_start(settings, options.data, options.out / "start.pt")
    manifests = [options.data / name for name in (*settings.data.manifests, *settings.data.more)]
    quality = pack_pictures(manifests, options.data, options.out / "pictures.tar", options.side, options.mib)
    for path in (options.out / "pictures.tar", options.out / "start.pt"):
        log.info("%s: %.1f MiB", path, path.stat().st_size / 2**20)
    log.info("pictures at WebP quality %d", quality)
    return 0
