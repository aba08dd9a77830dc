"""Opens a bundle, a folder of ONNX models, to embed and caption. Does not know archives or DICOM."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from engine.errors import UserError
from engine.facts.fact import Facts
from engine.facts.from_models import FactHeads
from engine.models import captioner, manifest, runtime
from engine.models.captioner import Caption, DecoderShape
from engine.models.confidence import DraftSettings
from engine.models.copy_guard import CopyGuard
from engine.models.encoder import Embeddings, OnnxEncoder
from engine.models.familiarity import FamiliarityModel
from engine.models.heads import Heads
from engine.models.ranking import RankingSettings
from engine.progress import IsCancelled, never
from engine.resources import resource_path
from engine.tokenizer import Tokenizer


class Bundle:
    """Models, tokenizer and constants of one bundle. Threads may share it."""

    def __init__(self, folder: Path, content: manifest.Manifest, variant: str, machine: runtime.Runtime) -> None:
        self.folder = folder
        self.manifest = content
        self.variant = variant
        self.runtime = machine
        files = content["variants"][variant]
        models = {
            graph: runtime.Model(manifest.checked_file(folder, files.get(graph), f"{variant} {graph} model"), machine)
            for graph in manifest.GRAPHS
        }
        entry = content["tokenizer"]
        self.tokenizer = Tokenizer.from_file(manifest.checked_file(folder, entry, "tokenizer"))
        heads = content.get("heads")
        self.heads: Heads | None = None
        """Projections of the trunks; None in a bundle whose graphs include them."""
        if heads is not None:
            self.heads = Heads.from_file(manifest.checked_file(folder, heads, "projections"))
        self._encoder = OnnxEncoder(
            models["image"],
            models["text"],
            self.tokenizer,
            int(content["preprocess"]["size"]),
            int(entry["max_length"]),
            int(content["embedding_size"]),
            self.heads,
        )
        sizes = content["captioner"]
        self.decoder_shape = DecoderShape(*(int(sizes[name]) for name in ("layers", "heads", "head_dim", "max_tokens")))
        self._decoder = models["captioner"]
        ngrams = content.get("training_ngrams")
        statistics = content.get("familiarity")
        self.familiarity: FamiliarityModel | None = None
        """Statistics of the training images; None in a bundle without them."""
        if statistics is not None and statistics.get("rows") == "features":  # older bundles hold those of embeddings
            path = manifest.checked_file(folder, statistics, "statistics of the training images")
            self.familiarity = FamiliarityModel.from_file(path, float(statistics["threshold"]))
        classifiers = content.get("fact_heads")
        self.fact_heads: FactHeads | None = None
        """Classifiers of modality, region and view; None in a bundle without them."""
        if classifiers is not None:
            self.fact_heads = FactHeads.from_file(manifest.checked_file(folder, classifiers, "classifiers of facts"))
        self.draft_settings = DraftSettings.from_manifest(content)
        self.ranking = RankingSettings.from_manifest(content)
        self._guard = CopyGuard.from_file(manifest.checked_file(folder, ngrams, "training word sequences"))

    @classmethod
    def open(cls, path: Path | str | None = None, variant: str | None = None, provider: str | None = None) -> Self:
        """Open a bundle and verify every file that it needs.

        Args:
            path: the folder; None for the starter bundle shipped with Kindred.
            variant: "int8", "fp16" or "fp32"; None for the fastest that the bundle has: int8 on a CPU, fp16 on a GPU.
            provider: "cpu" or "cuda"; None for CUDA where it starts, else the CPU.

        Raises:
            UserError: the folder is not a bundle, a file is missing or damaged, the schema is newer, or the variant or
                provider is not available.
        """
        folder = Path(path) if path is not None else resource_path("starter-bundle")
        content = manifest.read(folder)
        machine = runtime.detect(provider)
        chosen = manifest.choose_variant(content, variant, on_gpu=machine.provider == runtime.CUDA)
        try:
            return cls(folder, content, chosen, machine)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise UserError(f"The manifest of {folder} is incomplete ({error!r}); export the bundle again.") from error

    @property
    def id(self) -> str:
        """16 hex digits that change when, and only when, embeddings change; stored in archives."""
        files = self.manifest["variants"][self.variant]
        parts = [
            files["image"]["sha256"],
            files["text"]["sha256"],
            self.manifest["tokenizer"]["sha256"],
            str(self.manifest["tokenizer"]["max_length"]),
            json.dumps(self.manifest["preprocess"], sort_keys=True),
            *([self.manifest["heads"]["sha256"]] if self.heads else []),
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    @property
    def provider(self) -> str:
        """The execution provider in use, for example "CPUExecutionProvider"."""
        return self._encoder.image.provider

    @property
    def embedding_size(self) -> int:
        """Length D of an embedding."""
        return self._encoder.dim

    @property
    def score_scale(self) -> dict[str, dict[str, float]]:
        """{"image-image" | "image-report" | "report-report": {"mean", "std"}} of cosines between unrelated pairs."""
        return dict(self.manifest["calibration"])

    def embed_images(self, images: Sequence[NDArray[np.uint8]]) -> Embeddings:
        """Embed images uint8 [H, W] of any sizes -> float32 [N, D], rows of unit length; [0, D] for none.

        Raises:
            UserError: an image is not 8-bit grayscale.
        """
        return self._encoder.embed_images(images)

    def image_features(self, images: Sequence[NDArray[np.uint8]]) -> Embeddings:
        """Features before the projection: images uint8 [H, W] -> float32 [N, F], rows of unit length.

        They tell kinds of images apart that the projection merges; see `engine.models.familiarity`.

        Raises:
            UserError: an image is not 8-bit grayscale, `images` is empty, or the files of the bundle do not fit.
        """
        rows = self._encoder.image_features(images)
        widths = {len(self.familiarity.mean)} if self.familiarity else set()
        widths |= {head.weights.shape[1] for head in self.fact_heads.heads.values()} if self.fact_heads else set()
        if widths - {rows.shape[1]}:
            raise UserError(f"The graphs and statistics of the bundle {self.folder} do not fit; export it again.")
        return rows

    def image_trunk(self, images: Sequence[NDArray[np.uint8]]) -> Embeddings:
        """Features as the head gets them: images uint8 [H, W] -> float32 [N, F], not normalised.

        Raises:
            UserError: an image is not 8-bit grayscale, or `images` is empty.
        """
        return self._encoder.image_trunk(images)

    def text_trunk(self, texts: Sequence[str]) -> Embeddings:
        """Features as the head gets them: at least one text -> float32 [N, F], not normalised.

        Raises:
            UserError: the bundle keeps its projections inside its graphs.
        """
        if self.heads is None:
            raise UserError(f"The bundle {self.folder} has no projections of its own; export it again.")
        return self._encoder.text_trunk(texts)

    def facts_of_image(self, image: NDArray[np.uint8]) -> Facts:
        """What the models say of an image, uint8 [H, W]; nothing in a bundle without classifiers.

        Raises:
            UserError: the image is not 8-bit grayscale.
        """
        return {} if self.fact_heads is None else self.fact_heads.facts_of(self.image_features([image]))[0]

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embed the first `max_length` tokens of texts -> float32 [N, D], rows of unit length; [0, D] for none."""
        return self._encoder.embed_texts(texts)

    def caption(self, image: NDArray[np.uint8], beams: int = 3, cancelled: IsCancelled = never) -> Caption:
        """Caption an image.

        Args:
            image: uint8 [H, W], the displayed frame.
            beams: beam width; 1 is greedy decoding.
            cancelled: polled before every token.

        Raises:
            Cancelled: `cancelled` returned True.
            UserError: the image is not 8-bit grayscale, or `beams` is below 1.
        """
        return self.caption_embedding(self.embed_images([image])[0], beams, cancelled)

    def caption_embedding(
        self, embedding: NDArray[np.float32], beams: int = 3, cancelled: IsCancelled = never
    ) -> Caption:
        """`caption` for a unit vector float32 [D] of the shared space: that of an image or of a text."""
        if beams < 1:
            raise UserError("The number of beams must be at least 1.")
        return captioner.generate(self.decoder_step, embedding, self.tokenizer, self.decoder_shape, beams, cancelled)

    def copies_training_text(self, sentence: str) -> bool:
        """Whether the sentence repeats 8 or more consecutive words of a training text."""
        return self._guard.copies(sentence)

    def decoder_step(
        self, ids: NDArray[np.int64], condition: NDArray[np.float32], past: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """One step of the decoder; see `engine.models.captioner.Step` for shapes."""
        inputs: dict[str, NDArray[Any]] = {"ids": ids, "condition": condition, "past": past}
        logits, present = self._decoder.run(["logits", "present"], inputs)
        tokens = self.tokenizer
        if logits.ndim != 3 or logits.shape[2] <= max(tokens.pad_id, tokens.cls_id, tokens.sep_id, tokens.unk_id):
            raise UserError(f"The captioner of the bundle {self.folder} does not fit its tokenizer; export it again.")
        return logits, present
