"""Measures the overhead of the trainer over a plain PyTorch loop: `python -m benchmarks.train`. Claim: at most 5 %.

Both alternate step by step, on the same images and captions (the sample archive; which text is paired with which image
does not matter for speed), with the same random views. The trainer keeps the moving average of the weights, sorts texts
by length and reads every part of the loss; the plain loop does none of that. On a GPU the share of the peak bf16 rate
is added, relative to a matrix product measured in the same run.
"""

import argparse
import copy
import csv
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks._timing import compare, processor
from engine.tokenizer import Tokenizer
from training.data import pairs, vocabulary
from training.loop import losses
from training.loop.config import LossSettings, TrainSettings
from training.loop.examples import PairExamples
from training.loop.features import ImageBatches, TextBatches, Views
from training.loop.losses import Objective
from training.loop.precision import autocast
from training.loop.trainer import Trainer
from training.networks.sources import TowerSettings, pretrained, tokenizer_json
from training.networks.towers import DualEncoder, EncoderConfig

ARCHIVE = Path(__file__).parents[1] / "resources" / "sample-archive"
ALLOWED = 0.95
FROZEN = TowerSettings(size=224, frozen_image_stages=13, frozen_text_layers=3)
WHOLE = TowerSettings(size=160)
LARGE_IMAGE = {"model_type": "vit", "image_size": 224}  # ViT-B/16 and BERT-base, as the configurations' defaults are
LARGE_TEXT = {"model_type": "bert"}


def captions(count: int) -> list[str]:
    """Texts of the sample archive, repeated up to `count`."""
    texts = []
    for name in ("cases.csv", "captions.csv"):
        with (ARCHIVE / name).open(encoding="utf-8", newline="") as stream:
            texts += [" ".join(line["text"].split()) for line in csv.DictReader(stream) if line["text"]]
    return [texts[index % len(texts)] for index in range(count)]


def images(count: int) -> list[pairs.Gray]:
    """Images of the sample archive, repeated up to `count`."""
    files = sorted((ARCHIVE / "images").iterdir())
    return [pairs.read_gray(files[index % len(files)]) for index in range(count)]


def small_model(towers: TowerSettings) -> tuple[DualEncoder, Tokenizer]:
    """The towers of the shipped recipes, with the weights of their packages."""
    trimmed = vocabulary.trim(tokenizer_json(towers.text), captions(2000), 2, 6000)
    model = pretrained(towers, trimmed.source_ids)
    model.freeze(towers.frozen_image_stages, towers.frozen_text_layers)
    return model, Tokenizer.from_str(trimmed.tokenizer_json)


def large_model() -> tuple[DualEncoder, Tokenizer]:
    """ViT-B/16 and BERT-base with random weights, for a GPU."""
    image = {"kind": "transformers", "config": LARGE_IMAGE}
    text = {"kind": "transformers", "config": {**LARGE_TEXT, "vocab_size": 30522}}
    tokenizer = Tokenizer.from_str(tokenizer_json("minilm"))  # BERT's own vocabulary
    return DualEncoder(EncoderConfig(image, text, size=224, dim=512, max_length=128)).to("cuda"), tokenizer


def steps(
    model: DualEncoder, tokenizer: Tokenizer, towers: TowerSettings, batch: int, folder: Path
) -> tuple[Callable[[], object], Callable[[], object]]:
    """One step of the trainer, and one of a plain loop over a copy of the model."""
    settings = TrainSettings(batch=batch, crops=1, average=0.95, half=torch.cuda.is_available())
    views = ImageBatches(images(2 * batch), model, Views(towers.frozen_image_stages, settings.crops, seed=1), folder)
    texts = TextBatches(captions(2 * batch), model, tokenizer, towers.frozen_text_layers)
    plain = copy.deepcopy(model)
    examples = PairExamples(views, texts, [[index] for index in range(2 * batch)], settings)
    device = next(model.parameters()).device
    objective = Objective(LossSettings(tau=0.1, learn_tau=False, atp=1.0, cu=1.0)).to(device)
    trainer = Trainer(model, objective, examples, settings, validate=dict, save_best=print, folder=folder)
    learned = [p for p in plain.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=settings.lr, weight_decay=settings.weight_decay)
    rng, other_rng = np.random.default_rng(0), np.random.default_rng(0)

    def embeddings(chosen: np.ndarray) -> list[Tensor]:
        pixels = views.draw(chosen, other_rng).to(device)
        inputs, mask = (part.to(device) for part in texts.batch(chosen))
        if towers.frozen_text_layers:
            inputs = inputs.float()
        return [views.embed(plain, pixels), plain.text_upper(inputs, mask, towers.frozen_text_layers)]

    def plain_step() -> None:
        with autocast(device, settings.half):
            both = embeddings(other_rng.permutation(2 * batch)[:batch])
        both = [rows.float() for rows in both]
        loss = losses.info_nce(both, 0.1) + losses.align_true_pairs(both) + losses.centroid_uniformity(both)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(learned, settings.clip)
        optimizer.step()
        loss.item()

    model.train()
    plain.train()
    return lambda: trainer.run_step(rng.permutation(2 * batch)[:batch], rng), plain_step


def peak_rate() -> float:
    """bf16 operations per second of one large matrix product on this GPU."""
    side, rounds = 8192, 20
    a, b = (torch.randn(side, side, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
    for number in range(rounds + 3):
        if number == 3:
            begin.record()
        a @ b
    end.record()
    torch.cuda.synchronize()
    return float(2 * side**3 * rounds / (begin.elapsed_time(end) / 1000))


def main() -> None:
    """Time both and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2, help="threads of torch; the claim is about 2")
    threads: int = parser.parse_args().threads
    torch.set_num_threads(threads)
    cases = [("recipe with frozen lower layers", FROZEN, 64), ("all layers, 160 px", WHOLE, 16)]
    print(f"{processor()}, {threads} threads. Alternating steps, medians of 15.\n")
    print("| model | batch | trainer, ms per step | plain loop, ms per step | throughput | at least 0.95 x |")
    print("|---|---|---|---|---|---|")
    for name, towers, batch in cases:
        with tempfile.TemporaryDirectory() as folder:
            show(name, batch, *steps(*small_model(towers), towers, batch, Path(folder)))
    if torch.cuda.is_available():
        towers = TowerSettings(size=224)
        with tempfile.TemporaryDirectory() as folder:
            ours, plain = steps(*large_model(), towers, 256, Path(folder))
            median = show("ViT-B/16 and BERT-base, bf16", 256, ours, plain)
            with FlopCounterMode(display=False) as counted:
                ours()
        print(f"\nShare of peak bf16: {counted.get_total_flops() / (median / 1000) / peak_rate():.0%}")


def show(name: str, batch: int, ours: Callable[[], object], plain: Callable[[], object]) -> float:
    """Print one row; return the median milliseconds of a trainer step."""
    result = compare(name, 0.0, ours, plain, 15)
    ratio = result.torch / result.ours
    within = "yes" if ratio >= ALLOWED else "NO"
    print(f"| {name} | {batch} | {result.ours:.0f} | {result.torch:.0f} | {ratio:.2f} x | {within} |", flush=True)
    return result.ours


if __name__ == "__main__":
    main()
