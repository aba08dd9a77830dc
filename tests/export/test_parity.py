from pathlib import Path

import numpy as np
import pytest
import torch

from engine import preprocess
from engine.bundle import Bundle
from engine.errors import UserError
from engine.models import captioner
from engine.tokenizer import Tokenizer
from export import parity
from export.build import BuildRequest
from training.networks import checkpoint
from training.networks.captioner import CaptionDecoder


def figures(image: float = 1.0, text: float = 1.0, equal: int = 8) -> dict:
    return {
        "image": {"lowest_cosine": image},
        "text": {"lowest_cosine": text},
        "captioner": {"equal_captions": equal, "captions": 8},
    }


def test_row_cosines_agree_with_a_plain_loop() -> None:
    a, b = np.random.default_rng(0).standard_normal((2, 5, 7)).astype(np.float32)
    plain = [float(x @ y / np.linalg.norm(x) / np.linalg.norm(y)) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(parity.row_cosines(a, b), plain, rtol=1e-5)


def test_a_far_model_is_refused_and_the_sentence_says_by_how_much() -> None:
    with pytest.raises(UserError, match=r"int8 image model .* is 0\.95000, and 0\.98 is needed \(0\.03000 short\)"):
        parity.demand("int8", figures(image=0.95))
    with pytest.raises(UserError, match="fp32 text model"):
        parity.demand("fp32", figures(text=0.9998))
    with pytest.raises(UserError, match="fp16 text model"):
        parity.demand("fp16", figures(text=float("nan")))


def test_fp32_must_write_the_same_words_and_int8_need_not() -> None:
    with pytest.raises(UserError, match="7 of 8 captions"):
        parity.demand("fp32", figures(equal=7))
    parity.demand("int8", figures(equal=7))


def test_the_features_of_a_bundle_are_what_the_projection_is_given(bundle_folder: Path, tiny: BuildRequest) -> None:
    model = checkpoint.build(checkpoint.load(tiny.checkpoint)).eval()
    images = [np.random.default_rng(seed).integers(0, 256, (40, 30), np.uint8) for seed in range(3)]
    shipped = Bundle.open(bundle_folder, "fp32", "cpu")
    seen: list[torch.Tensor] = []
    model.image_projection.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        model.image(torch.from_numpy(preprocess.batch(images, model.config.size)))
    roots = np.sqrt(np.maximum(seen[0].numpy(), 0) + 1e-4)
    plain = roots / np.linalg.norm(roots, axis=1, keepdims=True)
    np.testing.assert_allclose(shipped.image_features(images), plain, atol=1e-5)


def test_the_search_with_a_cache_writes_what_a_plain_loop_without_one_writes(tiny: BuildRequest) -> None:
    kept = checkpoint.load(tiny.captioner)
    decoder = checkpoint.build(kept)
    assert isinstance(decoder, CaptionDecoder)
    words = Tokenizer.from_str(kept.tokenizer_json)
    shape = parity.decoder_shape(decoder)
    condition = np.random.default_rng(0).standard_normal(32).astype(np.float32)
    condition /= np.linalg.norm(condition)
    prefix: list[int] = []
    log_probs: list[float] = []
    with torch.inference_mode():
        while len(prefix) < shape.max_tokens:
            ids = torch.tensor([[words.cls_id, *prefix]])
            logits = decoder(ids, torch.from_numpy(condition[None]), decoder.empty_past(1))[0][0, -1]
            scores = logits.log_softmax(0)
            banned = {words.pad_id, words.cls_id, words.unk_id, *captioner.repeating_tokens(prefix)}
            banned |= set() if prefix else {words.sep_id}
            best = max((i for i in range(len(scores)) if i not in banned), key=lambda i: float(scores[i]))
            if best == words.sep_id:
                break
            prefix.append(best)
            log_probs.append(float(scores[best]))
    found = captioner.generate(parity.torch_step(decoder), condition, words, shape, beams=1)
    assert found.tokens == words.tokens(prefix)
    np.testing.assert_allclose(found.log_probs, log_probs, atol=1e-4)
