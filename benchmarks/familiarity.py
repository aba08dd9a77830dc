"""Measures how well a bundle detects images that are not radiology images: AUROC, detection rate, false alarms.

    python -m benchmarks.familiarity --data FOLDER [--outside FOLDER ...] [--bundle DIR] > docs/familiarity.md

Inside: the validation images of FOLDER/pairs. Outside: photographs and slides that come with scikit-image (if
installed), scikit-learn and matplotlib, any further folders, and pages of this repository's text rendered as images.
The bundle's statistics were fitted on train and its threshold set on val; neither used any outside image.
"""

import argparse
import csv
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from sklearn.metrics import roc_auc_score

from engine.bundle import Bundle
from engine.image.picture import load_picture, to_gray
from training.data.pairs import read_pairs
from training.metrics.familiarity import fit

SLIDES = {"cell.png", "ihc.png", "retina.jpg", "microaneurysms.png", "nuclear.png", "histo.jpg", "img2d.tif"}
PHOTOGRAPHS = {
    *("astronaut.png", "brick.png", "camera.png", "chelsea.png", "clock_motion.png", "coffee.png", "coins.png"),
    *("grass.png", "gravel.png", "hubble_deep_field.jpg", "moon.png", "motorcycle_left.png", "rocket.jpg"),
    *("china.jpg", "flower.jpg", "grace_hopper.jpg"),
}
TEXTS = {"page.png", "text.png", "logo2.png"}
PACKAGES = (("skimage", "data"), ("sklearn", "datasets/images"), ("matplotlib", "mpl-data/sample_data"))
PAGES = (
    "README.md",
    "LICENSE",
    "docs/benchmarks.md",
    "docs/results.md",
    "pyproject.toml",
    "engine/retrieval/search.py",
)
ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "resources" / "sample-archive"


def outside(folders: list[Path]) -> Iterator[tuple[str, str, np.ndarray]]:
    """(kind, name, uint8 [H, W]) of every image that is not a radiology image."""
    for package, inside in PACKAGES:
        spec = find_spec(package)
        if spec is not None and spec.origin is not None:
            for path in sorted((Path(spec.origin).parent / inside).glob("*")):
                kind = {**dict.fromkeys(SLIDES, "slide"), **dict.fromkeys(PHOTOGRAPHS, "photograph")}.get(path.name)
                kind = "text" if path.name in TEXTS else kind
                if kind:
                    yield kind, path.name, gray(path)
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png", ".tif"}):
            yield "slide" if path.name in SLIDES else "photograph", path.name, gray(path)
    for name in PAGES:
        for ink, ground in (("black", "white"), ("#dddddd", "#141619")):
            page = Image.new("RGB", (1000, 800), ground)
            text = (ROOT / name).read_text(encoding="utf-8")[:3000]
            ImageDraw.Draw(page).multiline_text((20, 20), text, ink, ImageFont.load_default(16), spacing=5)
            yield "text", f"{name} in {ink}", to_gray(np.asarray(page))


def gray(path: Path) -> np.ndarray:
    """uint8 [H, W]; images of more than 8 bits are scaled to their range."""
    with Image.open(path) as opened:
        if opened.mode[:1] not in "IF":
            return to_gray(np.asarray(opened.convert("RGB")))
        values = np.asarray(opened, np.float64)
    return np.asarray((values - values.min()) / max(float(np.ptp(values)), 1.0) * 255, np.uint8)


def main() -> None:
    """Print the whole document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--outside", type=Path, nargs="*", default=[])
    parser.add_argument("--bundle", type=Path)
    options = parser.parse_args()
    bundle = Bundle.open(options.bundle)
    model = bundle.familiarity
    if model is None:
        parser.error("the bundle has no statistics of its training images; export it again")
    pairs = read_pairs([options.data / "pairs" / "pairs.csv"])
    train, val = pairs.split("train"), pairs.split("val")
    train_rows, val_rows = (bundle.image_features(list(part.images)) for part in (train, val))
    images = list(outside(options.outside))
    rows, kinds = bundle.image_features([one[2] for one in images]), np.array([one[0] for one in images])
    inside, others = model.residuals(val_rows), model.residuals(rows)
    print("# Unfamiliar images\n")
    print(
        f"Bundle {bundle.id}; inside: {len(inside)} validation images; made by "
        "`python -m benchmarks.familiarity --data DATA`.\n"
    )
    print("| outside | images | AUROC against val | marked as unfamiliar |\n|---|---|---|---|")
    for kind in ("photograph", "slide", "text", "all"):
        chosen = others[kinds == kind] if kind != "all" else others
        if len(chosen):
            area = roc_auc_score(np.repeat([0, 1], [len(inside), len(chosen)]), np.r_[inside, chosen])
            print(f"| {kind} | {len(chosen)} | {area:.3f} | {(chosen > model.threshold).mean():.0%} |")
    missed = [name for (_, name, _), value in zip(images, others, strict=True) if value <= model.threshold]
    print(f"\nMissed: {', '.join(missed) or 'none'}.")
    groups = np.array([row.group for row in val.rows])
    names = np.random.default_rng(0).permutation(np.unique(groups))
    half = np.isin(groups, names[: len(names) // 2])
    alarms = [
        float(
            (fit(train_rows, val_rows[one]).residuals(val_rows[~one]) > fit(train_rows, val_rows[one]).threshold).mean()
        )
        for one in (half, ~half)
    ]
    print(
        f"\nFalse alarms on val: {(inside > model.threshold).mean():.1%} with the shipped threshold, which was set "
        f"on val; {alarms[0]:.1%} and {alarms[1]:.1%} with a threshold set on one half of the groups "
        "and applied to the other."
    )
    print("\n| directions kept | AUROC, all outside |\n|---|---|")
    for count in (32, 64, 128, 256):
        trial = fit(train_rows, val_rows, count)
        scores = np.r_[trial.residuals(val_rows), trial.residuals(rows)]
        print(f"| {count} | {roc_auc_score(np.repeat([0, 1], [len(inside), len(rows)]), scores):.3f} |")
    with (SAMPLE / "cases.csv").open(encoding="utf-8", newline="") as file:
        cases = [(row["modality"], load_picture(SAMPLE / row["image"]).gray) for row in csv.DictReader(file)]
    marked = model.residuals(bundle.image_features([image for _, image in cases])) > model.threshold
    kept = np.array([modality for modality, _ in cases])
    shares = (f"{marked[kept == one].mean():.0%} of {(kept == one).sum()} {one}" for one in np.unique(kept))
    print(f"\nOf the images of the sample archive, these are marked as unfamiliar: {', '.join(shares)}.")


if __name__ == "__main__":
    main()
