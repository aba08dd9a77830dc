"""Measures how long embedding takes: `python -m benchmarks.embed`.

Claim: on two CPU cores an image takes at most 30 ms and a text 10 ms.

The starter bundle's integer models against the same networks in torch eager (float32). Speed does not depend on the
weights, so torch runs the pretrained towers, cut to the bundle's own sizes.
"""

import torch

from benchmarks._timing import compare, pictures, table
from engine.bundle import Bundle
from engine.preprocess import batch
from training.networks import sources
from training.networks.efficientnet import LITE0
from training.networks.towers import MINILM

TEXT = (
    "Axial CT of the abdomen with contrast. A well defined hypodense mass in the right lobe of the liver with "
    "peripheral nodular enhancement. No free fluid, no enlarged lymph nodes."
)


def main() -> None:
    """Time one image and one text and print the table."""
    bundle = Bundle.open(provider="cpu")
    torch.set_num_threads(bundle.runtime.threads)
    tokenizer = bundle.tokenizer
    size, longest = bundle.manifest["preprocess"]["size"], bundle.manifest["tokenizer"]["max_length"]
    towers = sources.TowerSettings(LITE0, text=MINILM, size=size, dim=bundle.embedding_size, max_length=longest)
    model = sources.pretrained(towers, list(range(tokenizer.size))).eval()
    images = pictures()
    length = tokenizer.encode_batch([TEXT], longest)[0].shape[1]

    @torch.inference_mode()
    def torch_image() -> object:
        return model.image(torch.from_numpy(batch([next(images)], size)))

    @torch.inference_mode()
    def torch_text() -> object:
        ids, mask = tokenizer.encode_batch([TEXT], longest)
        return model.text(torch.from_numpy(ids), torch.from_numpy(mask))

    results = [
        compare(
            f"one image, {size} px, scaling included", 30, lambda: bundle.embed_images([next(images)]), torch_image
        ),
        compare(f"one text of {length} tokens", 10, lambda: bundle.embed_texts([TEXT]), torch_text),
    ]
    print(table(results, bundle.runtime.threads, f"Starter bundle, variant {bundle.variant}; medians of 30."))


if __name__ == "__main__":
    main()
