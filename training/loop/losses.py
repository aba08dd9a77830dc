"""Loss functions: InfoNCE, Align True Pairs, Centroid Uniformity, gap of each source. Knows no data and no networks.

Equations: docs/method.md, "Losses"; Grassucci, Cicchetti, Comminiello, arXiv 2602.20046 and arXiv 2601.18525. Each loss
takes M >= 2 modalities as a sequence of float [N, D] with unit rows, row i of each belonging to case i.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from training.loop.config import LossSettings


def align_true_pairs(embeddings: Sequence[Tensor], anchor: int = 0) -> Tensor:
    """L_ATP: mean over cases and other modalities of the squared distance to the anchor.

    1/(M-1) * sum over m != a of 1/N * sum over i of || z_i^m - z_i^a ||^2.
    """
    others = [z for index, z in enumerate(embeddings) if index != anchor]
    return torch.stack([(z - embeddings[anchor]).square().sum(1).mean() for z in others]).mean()


def centroid_uniformity(embeddings: Sequence[Tensor]) -> Tensor:
    """L_CU: log of the mean over pairs i < j of exp(-2 * || mu_i - mu_j ||^2), mu_i the normalised centroid of case i.

    As in the authors' released code, the centroids are normalised and the pairs averaged. The paper sums over j != i
    and does not normalise the centroids; sum and mean differ only by a constant. 0 for a single case.
    """
    centroids = functional.normalize(torch.stack(list(embeddings)).mean(0), dim=1)
    cases = len(centroids)
    if cases < 2:
        return centroids.sum() * 0.0
    first, second = torch.triu_indices(cases, cases, 1, device=centroids.device)
    squared = (2.0 - 2.0 * (centroids @ centroids.T))[first, second]  # unit rows: || a - b ||^2 = 2 - 2 a.b
    return torch.logsumexp(-2.0 * squared, 0) - torch.log(torch.tensor(float(len(squared)), device=squared.device))


def source_gap(embeddings: Sequence[Tensor], sources: Tensor, anchor: int = 0) -> Tensor:
    """L_gap: the squared modality gap inside each source; not in the paper.

    sum over sources s of N_s/N * 1/(M-1) * sum over m != a of || mean of z_i^m over i in s - the same of z_i^a ||^2.

    Align True Pairs reaches only the pairs that it sees, and a network can learn those by heart; the mean of a source
    is the same for cases that nobody has seen.

    Args:
        sources: int64 [N], the source of each case; every number is a source of its own.
    """
    member = functional.one_hot(sources).to(embeddings[anchor]).T  # [sources, N]
    counts = member.sum(1).clamp(min=1)
    means = [member @ z / counts[:, None] for z in embeddings]
    apart = [(mean - means[anchor]).square().sum(1) for index, mean in enumerate(means) if index != anchor]
    return (torch.stack(apart).mean(0) * member.sum(1)).sum() / len(sources)


def info_nce(embeddings: Sequence[Tensor], tau: Tensor | float, anchor: int = 0, same: Tensor | None = None) -> Tensor:
    """L_NCE, symmetric InfoNCE between the anchor and each other modality, averaged over those M - 1.

    1/2 * (CE(Z_a Z_m^T / tau) + CE(Z_m Z_a^T / tau)) with the true pairs on the diagonal.

    Args:
        tau: temperature > 0.
        same: bool [N, N], or [M - 1, N, N] by modality without the anchor; True where two cases must not be negatives
            of each other because they have the same text or show the same patient. None, the plain loss, uses every
            other case as a negative.
    """
    target = torch.arange(len(embeddings[anchor]), device=embeddings[anchor].device)
    others = [z for index, z in enumerate(embeddings) if index != anchor]
    losses = []
    masks = None if same is None else same.expand(len(others), *same.shape[-2:])
    for number, z in enumerate(others):
        logits = embeddings[anchor] @ z.T / tau
        if masks is not None:
            off_diagonal = masks[number] & ~torch.eye(len(logits), dtype=torch.bool, device=logits.device)
            logits = logits.masked_fill(off_diagonal, float("-inf"))
        losses.append(0.5 * (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)))
    return torch.stack(losses).mean()


class Temperature(torch.nn.Module):
    """tau, fixed or learned as log(tau), and clamped to 0.01 to 0.5."""

    LOWEST, HIGHEST = 0.01, 0.5

    def __init__(self, start: float, learnable: bool) -> None:
        super().__init__()
        log_tau = torch.tensor(start).log()
        self.log_tau = torch.nn.Parameter(log_tau, requires_grad=learnable)

    def forward(self) -> Tensor:
        """The temperature, a scalar."""
        return self.log_tau.exp().clamp(self.LOWEST, self.HIGHEST)


class Objective(torch.nn.Module):
    """L_NCE + w_atp * L_ATP + w_cu * L_CU + w_gap * L_gap; with all three weights 0 it is CLIP's loss.

    See `LossSettings` for how the weights may change during training, and for when each term starts to count.
    """

    def __init__(self, settings: LossSettings) -> None:
        super().__init__()
        self.temperature = Temperature(settings.tau, settings.learn_tau)
        self.settings = settings

    def forward(
        self,
        embeddings: Sequence[Tensor],
        same: Tensor | None = None,
        progress: float = 0.0,
        sources: Tensor | None = None,
    ) -> tuple[Tensor, dict[str, float]]:
        """The loss, and its terms by name.

        Args:
            same: see `info_nce`; used only if the settings mask anything.
            progress: share of training done, 0 to 1.
            sources: see `source_gap`; None is one source.
        """
        settings = self.settings
        masked = settings.mask_same or settings.mask_group
        nce = info_nce(embeddings, self.temperature(), same=same if masked else None)
        total, terms = nce, {"nce": nce.item(), "tau": self.temperature().item()}
        if settings.atp:
            alignment = align_true_pairs(embeddings)
            if progress >= settings.atp_from:
                total = total + settings.atp * (1.0 + progress if settings.schedule else 1.0) * alignment
            terms["atp"] = alignment.item()
        if settings.cu:
            uniformity = centroid_uniformity(embeddings)
            if progress >= settings.cu_from:
                total = total + settings.cu * (1.0 - progress if settings.schedule else 1.0) * uniformity
            terms["cu"] = uniformity.item()
        if settings.source_gap:
            if sources is None:
                sources = torch.zeros(len(embeddings[0]), dtype=torch.int64, device=embeddings[0].device)
            apart = source_gap(embeddings, sources)
            total = total + settings.source_gap * apart
            terms["source_gap"] = apart.item()
        return total, terms
