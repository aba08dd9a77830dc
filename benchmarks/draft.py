"""Measures how long a draft takes: `python -m benchmarks.draft`.

Claim: on two CPU cores 40 tokens take at most 1 s, by beam search.

The starter bundle's integer decoder against the same decoder in torch eager, both through the engine's own search. The
end token is forbidden, so that every draft has exactly 40 tokens. Only Kindred's time includes embedding the image.
"""

from dataclasses import replace
from functools import partial

import torch

from benchmarks._timing import compare, pictures, table
from engine.bundle import Bundle
from engine.models import captioner
from training.networks.captioner import CaptionDecoder, CaptionerConfig, torch_step

TOKENS = 40


def endless(step: captioner.Step, end: int) -> captioner.Step:
    """The same decoder with the end token forbidden."""

    def wrapped(ids, condition, past):  # type: ignore[no-untyped-def]
        logits, present = step(ids, condition, past)
        logits = logits.copy()
        logits[..., end] = -1e9
        return logits, present

    return wrapped


def main() -> None:
    """Time greedy and beam search and print the table."""
    bundle = Bundle.open(provider="cpu")
    torch.set_num_threads(bundle.runtime.threads)
    shape = replace(bundle.decoder_shape, max_tokens=TOKENS)
    tokenizer = bundle.tokenizer
    decoder = CaptionDecoder(
        CaptionerConfig(
            tokenizer.size,
            bundle.embedding_size,
            shape.heads * shape.head_dim,
            shape.layers,
            shape.heads,
            max_tokens=bundle.decoder_shape.max_tokens,
        )
    ).eval()
    images = pictures()
    row = bundle.embed_images([next(images)])[0]
    integer_step, eager_step = (
        endless(bundle.decoder_step, tokenizer.sep_id),
        endless(torch_step(decoder), tokenizer.sep_id),
    )

    def ours(beams: int) -> object:
        condition = bundle.embed_images([next(images)])[0]
        return captioner.generate(integer_step, condition, tokenizer, shape, beams)

    def eager(beams: int) -> object:
        return captioner.generate(eager_step, row, tokenizer, shape, beams)

    results = [
        compare(f"draft of {TOKENS} tokens, {name}", 1000, partial(ours, beams), partial(eager, beams), 10)
        for name, beams in (("greedy", 1), ("3 beams", 3))
    ]
    print(table(results, bundle.runtime.threads, f"Starter bundle, variant {bundle.variant}; medians of 10."))


if __name__ == "__main__":
    main()
