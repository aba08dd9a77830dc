"""What training pulls on: ranking, closing the gap, and spreading the cases. Pure functions; no data, no networks.

Source of the equations: Grassucci, Cicchetti, Comminiello, arXiv 2602.20046 and arXiv 2601.18525. All take M >= 2
modalities as a sequence of float [N, D] with unit rows, row i of each being the same case.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


def atp(embeddings: Sequence[Tensor], anchor: int = 0) -> Tensor:
    """L_ATP, align true pairs: mean over cases and other modalities of the squared distance to the anchor.

    1/(M-1) * sum over m != a of 1/N * sum over i of || z_i^m - z_i^a ||^2.
    """
    others = [z for index, z in enumerate(embeddings) if index != anchor]
    return torch.stack([(z - embeddings[anchor]).square().sum(1).mean() for z in others]).mean()


def centroid_uniformity(embeddings: Sequence[Tensor]) -> Tensor:
    """L_CU: log of the mean over pairs i < j of exp(-2 * || mu_i - mu_j ||^2), mu_i the normalised centroid of case i.

    The variant of the authors' released code: centroids are normalised and the pairs averaged. The paper sums over
    j != i and leaves the centroid as it is; sum and mean differ by a constant only. 0 for a single case.
    """
    centroids = functional.normalize(torch.stack(list(embeddings)).mean(0), dim=1)
    cases = len(centroids)
    if cases < 2:
        return centroids.sum() * 0.0
    first, second = torch.triu_indices(cases, cases, 1, device=centroids.device)
    squared = (2.0 - 2.0 * (centroids @ centroids.T))[first, second]  # unit rows: || a - b ||^2 = 2 - 2 a.b
    return torch.logsumexp(-2.0 * squared, 0) - torch.log(torch.tensor(float(len(squared)), device=squared.device))


def info_nce(embeddings: Sequence[Tensor], tau: Tensor | float, anchor: int = 0, same: Tensor | None = None) -> Tensor:
    """L_NCE, symmetric InfoNCE between the anchor and each other modality, averaged over those M - 1.

    1/2 * (CE(Z_a Z_m^T / tau) + CE(Z_m Z_a^T / tau)) with the true pairs on the diagonal.

    Args:
        tau: temperature > 0.
        same: bool [N, N], True where two cases are no negatives of each other, for they carry the same text or show the
            same patient. None, the plain loss, takes every other case as a negative.
    """
    target = torch.arange(len(embeddings[anchor]), device=embeddings[anchor].device)
    others = [z for index, z in enumerate(embeddings) if index != anchor]
    losses = []
    for z in others:
        logits = embeddings[anchor] @ z.T / tau
        if same is not None:
            off_diagonal = same & ~torch.eye(len(logits), dtype=torch.bool, device=logits.device)
            logits = logits.masked_fill(off_diagonal, float("-inf"))
        losses.append(0.5 * (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)))
    return torch.stack(losses).mean()


class Temperature(torch.nn.Module):
    """tau, fixed or learned: as log(tau), kept within 0.01 to 0.5 so that it can neither vanish nor explode."""

    LOWEST, HIGHEST = 0.01, 0.5

    def __init__(self, start: float, learnable: bool) -> None:
        super().__init__()
        log_tau = torch.tensor(start).log()
        self.log_tau = torch.nn.Parameter(log_tau, requires_grad=learnable)

    def forward(self) -> Tensor:
        return self.log_tau.exp().clamp(self.LOWEST, self.HIGHEST)


class Objective(torch.nn.Module):
    """L_NCE + w_atp * L_ATP + w_cu * L_CU; with zero weights the CLIP baseline.

    schedule: w_atp rises from 1 to 2 times its value and w_cu falls from 1 to 0 times its value over training, as in
    the authors' code.
    """

    def __init__(
        self,
        tau: float,
        learn_tau: bool,
        atp_weight: float,
        cu_weight: float,
        schedule: bool = False,
        mask_same: bool = False,
    ) -> None:
        super().__init__()
        self.temperature = Temperature(tau, learn_tau)
        self.atp_weight, self.cu_weight = atp_weight, cu_weight
        self.schedule, self.mask_same = schedule, mask_same

    def forward(
        self, embeddings: Sequence[Tensor], same: Tensor | None = None, progress: float = 0.0
    ) -> tuple[Tensor, dict[str, float]]:
        """The loss and its parts by name. progress: share of training done, 0 to 1."""
        nce = info_nce(embeddings, self.temperature(), same=same if self.mask_same else None)
        total, parts = nce, {"nce": nce.item(), "tau": self.temperature().item()}
        if self.atp_weight:
            aligned = atp(embeddings)
            total = total + self.atp_weight * (1.0 + progress if self.schedule else 1.0) * aligned
            parts["atp"] = aligned.item()
        if self.cu_weight:
            spread = centroid_uniformity(embeddings)
            total = total + self.cu_weight * (1.0 - progress if self.schedule else 1.0) * spread
            parts["cu"] = spread.item()
        return total, parts
