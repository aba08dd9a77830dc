"""The pairs of a split as the training loop draws and embeds them. Does not know the losses or the training loop."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from engine.errors import UserError
from training.arrays import BoolArray, IndexArray
from training.loop.balance import Kind, balanced_order
from training.loop.config import TrainSettings
from training.loop.features import ImageBatches, TextBatches
from training.networks.towers import DualEncoder


class PairExamples:
    """Images and texts of pairs: a random view of each image, its text, and further modalities of its case.

    Args:
        text_numbers: for each pair the numbers of the texts that may represent it; the first is its own.
        settings: word dropout, how the findings of the case are used, and the balance of an epoch.
        groups: the split_group of each pair, if pairs of one group must not be negatives of each other.
        views: for each pair the rows that show another view of its study, if that is to be a modality. A pair without
            one gets a second random view of its own image, another one if views are cached: a modality must have a row
            for every case, and that an image at another crop and window is the same case is worth learning too.
        kinds: source and modality of each pair, for a balanced epoch and the means of sources; None is one source.

    Raises:
        UserError: `views` with cached images that have only one view each.
    """

    def __init__(
        self,
        images: ImageBatches,
        texts: TextBatches,
        text_numbers: Sequence[list[int]],
        settings: TrainSettings,
        *,
        groups: Sequence[str] | None = None,
        views: Sequence[Sequence[int]] | None = None,
        kinds: Sequence[Kind] | None = None,
    ) -> None:
        if views is not None and images.maps is not None and not images.views.augmented:
            raise UserError("views_of_case needs a second view of each image; set crops in [train] to 1 or more.")
        self.images, self.texts, self.text_numbers, self.settings = images, texts, text_numbers, settings
        self.own = np.array([numbers[0] for numbers in text_numbers])
        self.groups = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
        self.views, self.kinds = views, kinds
        names = [source for source, _ in kinds] if kinds else [""] * len(text_numbers)
        self.of_source = torch.from_numpy(np.unique(names, return_inverse=True)[1])

    def __len__(self) -> int:
        return len(self.text_numbers)

    def order(self, rng: np.random.Generator) -> IndexArray:
        """Row numbers of one epoch: every row once, or balanced by source and modality."""
        if self.settings.balance and self.kinds is not None:
            return balanced_order(self.kinds, self.settings.balance, rng)
        return rng.permutation(len(self))

    def embed(self, model: DualEncoder, chosen: IndexArray, rng: np.random.Generator) -> tuple[list[Tensor], Tensor]:
        """Embeddings by modality, float [N, D] each, of one random view of each chosen pair; and its `same`.

        The modalities are the image, which is the anchor, the text and, depending on the settings, the case and
        another view.
        """
        settings = self.settings
        drawn = self.draw_texts(chosen, settings.case_texts, rng)
        device = next(model.parameters()).device
        numbers = self.images.pick(len(chosen), rng)
        views = self.images.draw(chosen, rng, numbers).to(device)
        modalities = [self.images.embed(model, views).float()]
        modalities.append(self.texts.embed(model, drawn, settings.word_dropout, rng).float())
        if settings.case_modality:
            drawn = self.draw_texts(chosen, 1.0, rng)
            modalities.append(self.texts.embed(model, drawn, settings.word_dropout, rng).float())
        if self.views is not None:
            rows = self.draw_views(chosen, rng)
            numbers = self.images.pick(len(rows), rng, unlike=np.where(rows == chosen, numbers, -1))
            views = self.images.draw(rows, rng, numbers).to(device)
            modalities.append(self.images.embed(model, views).float())
        return modalities, self.same(chosen).to(device)

    def sources(self, chosen: IndexArray) -> Tensor:
        """The source of each chosen pair, int64 [N]."""
        return self.of_source[torch.from_numpy(chosen)]

    def draw_texts(self, chosen: IndexArray, others: float, rng: np.random.Generator) -> IndexArray:
        """A text number for each chosen pair: with probability `others` not its own text, if it has another."""
        drawn = self.own[chosen]
        for position, row in enumerate(chosen):
            alternatives = self.text_numbers[int(row)][1:]
            if alternatives and rng.random() < others:
                drawn[position] = alternatives[rng.integers(len(alternatives))]
        return drawn

    def draw_views(self, chosen: IndexArray, rng: np.random.Generator) -> IndexArray:
        """For each chosen pair the row of another view of its study, or its own."""
        assert self.views is not None
        others = [self.views[int(row)] or [int(row)] for row in chosen]
        return np.array([rows[int(rng.integers(len(rows)))] for rows in others])

    def same(self, chosen: IndexArray) -> Tensor:
        """Returns bool [M - 1, N, N], True where two chosen pairs must not be negatives of each other.

        By modality besides the image: pairs that may be represented by the same text there (what is really drawn is
        not known to the other processes), and in all of them pairs of one group, if groups are given.
        """
        numbers = [self.text_numbers[int(row)] for row in chosen]
        masks = [shared(numbers if self.settings.case_texts else [texts[:1] for texts in numbers])]
        if self.settings.case_modality:
            masks.append(shared([texts[1:] or texts for texts in numbers]))
        if self.views is not None:
            masks.append(shared([[int(row), *self.views[int(row)]] for row in chosen]))
        if self.groups is not None:
            groups = self.groups[chosen]
            masks = [mask | (groups[:, None] == groups[None, :]) for mask in masks]
        return torch.from_numpy(np.stack(masks))


def shared(numbers: Sequence[Sequence[int]]) -> BoolArray:
    """Returns bool [N, N], True where two rows have a number in common."""
    known = {number: column for column, number in enumerate({number for row in numbers for number in row})}
    has = np.zeros((len(numbers), len(known)), np.float32)
    for position, row in enumerate(numbers):
        has[position, [known[number] for number in row]] = 1.0
    agree: BoolArray = has @ has.T > 0.0
    return agree
