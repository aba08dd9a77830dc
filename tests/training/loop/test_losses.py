"""The losses against plain numpy, for two and for three modalities."""

import numpy as np
import pytest
import torch

from training.arrays import Float64Array
from training.loop.config import LossSettings
from training.loop.losses import (
    Objective,
    Temperature,
    align_true_pairs,
    centroid_uniformity,
    info_nce,
    source_gap,
)


def unit_rows(modalities: int, cases: int = 7, dim: int = 5, seed: int = 0) -> list[Float64Array]:
    values = np.random.default_rng(seed).normal(size=(modalities, cases, dim))
    return list(values / np.linalg.norm(values, axis=2, keepdims=True))


def tensors(rows: list[Float64Array], gradient: bool = False) -> list[torch.Tensor]:
    return [torch.tensor(z, requires_grad=gradient) for z in rows]


def plain_align_true_pairs(rows: list[Float64Array], anchor: int) -> float:
    total = 0.0
    for m, z in enumerate(rows):
        if m != anchor:
            total += sum(float(((z[i] - rows[anchor][i]) ** 2).sum()) for i in range(len(z))) / len(z)
    return total / (len(rows) - 1)


def plain_centroid_uniformity(rows: list[Float64Array]) -> float:
    centroids = sum(rows) / len(rows)
    centroids = [c / np.sqrt((c**2).sum()) for c in centroids]
    terms = [
        np.exp(-2.0 * ((centroids[i] - centroids[j]) ** 2).sum())
        for i in range(len(centroids))
        for j in range(i + 1, len(centroids))
    ]
    return float(np.log(np.mean(terms)))


def plain_info_nce(rows: list[Float64Array], tau: float, anchor: int) -> float:
    def cross_entropy(a: Float64Array, b: Float64Array) -> float:
        losses = []
        for i in range(len(a)):
            scores = np.array([a[i] @ b[j] / tau for j in range(len(b))])
            losses.append(np.log(np.exp(scores).sum()) - scores[i])
        return float(np.mean(losses))

    others = [z for m, z in enumerate(rows) if m != anchor]
    return float(np.mean([(cross_entropy(rows[anchor], z) + cross_entropy(z, rows[anchor])) / 2 for z in others]))


SOURCES = [5, 5, 0, 5, 0, 9, 0]


def plain_source_gap(rows: list[Float64Array], anchor: int) -> float:
    total = 0.0
    for source in set(SOURCES):
        of = [i for i, one in enumerate(SOURCES) if one == source]
        means = [sum(z[i] for i in of) / len(of) for z in rows]
        apart = [float(((mean - means[anchor]) ** 2).sum()) for m, mean in enumerate(means) if m != anchor]
        total += len(of) / len(SOURCES) * float(np.mean(apart))
    return total


@pytest.mark.parametrize("modalities", [2, 3, 4])
@pytest.mark.parametrize("anchor", [0, 1])
def test_losses_agree_with_plain_numpy(modalities: int, anchor: int) -> None:
    rows = unit_rows(modalities)
    z = tensors(rows)
    assert align_true_pairs(z, anchor).item() == pytest.approx(plain_align_true_pairs(rows, anchor), rel=1e-9)
    assert centroid_uniformity(z).item() == pytest.approx(plain_centroid_uniformity(rows), rel=1e-6)
    assert info_nce(z, 0.1, anchor).item() == pytest.approx(plain_info_nce(rows, 0.1, anchor), rel=1e-9)
    apart = source_gap(z, torch.tensor(SOURCES), anchor).item()
    assert apart == pytest.approx(plain_source_gap(rows, anchor), rel=1e-9)


def test_means_can_agree_where_no_pair_does_and_only_inside_one_source() -> None:
    rows = torch.eye(4)
    z = [rows, rows[[1, 0, 3, 2]]]
    assert align_true_pairs(z).item() == 2.0
    assert source_gap(z, torch.tensor([0, 0, 1, 1])).item() == pytest.approx(0.0)
    assert source_gap(z, torch.tensor([0, 1, 1, 0])).item() > 0.4


def test_true_pairs_at_one_point_have_no_alignment_loss_and_the_lowest_ranking_loss() -> None:
    identity = torch.eye(4)
    assert align_true_pairs([identity, identity]).item() == 0.0
    assert info_nce([identity, identity], 0.1).item() < info_nce([identity, identity.roll(1, 0)], 0.1).item()


def test_collapsed_cases_have_the_highest_centroid_uniformity() -> None:
    collapsed = [torch.ones(6, 4) / 2.0] * 2
    assert centroid_uniformity(collapsed).item() == pytest.approx(0.0, abs=1e-6)
    assert centroid_uniformity(tensors(unit_rows(2))).item() < -0.5


def test_centroid_uniformity_of_a_single_case_is_zero() -> None:
    assert centroid_uniformity(tensors(unit_rows(2, cases=1))).item() == 0.0


@pytest.mark.parametrize("modalities", [2, 3])
def test_gradients_are_finite_also_where_vectors_coincide(modalities: int) -> None:
    rows = unit_rows(modalities)
    rows[1] = rows[0].copy()
    z = tensors(rows, gradient=True)
    objective = Objective(LossSettings(tau=0.07, learn_tau=True, atp=1.0, cu=1.0, source_gap=1.0))
    loss, parts = objective(z)
    loss.backward()
    assert set(parts) == {"nce", "tau", "atp", "cu", "source_gap"}
    for values in [*z, objective.temperature.log_tau]:
        assert values.grad is not None
        assert torch.isfinite(values.grad).all()
        assert values.grad.abs().sum() > 0


def test_the_whole_loss_is_the_weighted_sum_of_its_parts() -> None:
    z = tensors(unit_rows(2))
    loss, parts = Objective(LossSettings(atp=0.5, cu=2.0, source_gap=3.0))(z)
    gap = parts["source_gap"]
    assert gap == pytest.approx(source_gap(z, torch.zeros(7, dtype=torch.int64)).item())  # one source if none is given
    assert loss.item() == pytest.approx(parts["nce"] + 0.5 * parts["atp"] + 2.0 * parts["cu"] + 3.0 * gap)
    scheduled, _ = Objective(LossSettings(atp=0.5, cu=2.0, schedule=True))(z, progress=1.0)
    assert scheduled.item() == pytest.approx(parts["nce"] + 2.0 * 0.5 * parts["atp"])


def test_the_gap_is_that_inside_the_sources_that_are_given() -> None:
    z, sources = tensors(unit_rows(2)), torch.tensor(SOURCES)
    _, parts = Objective(LossSettings(source_gap=1.0))(z, sources=sources)
    assert parts["source_gap"] == pytest.approx(source_gap(z, sources).item())


def test_without_weights_the_loss_is_clip() -> None:
    z = tensors(unit_rows(2))
    loss, parts = Objective(LossSettings())(z)
    assert loss.item() == pytest.approx(info_nce(z, 0.1).item())
    assert set(parts) == {"nce", "tau"}


def test_equal_texts_are_not_negatives_when_masked() -> None:
    rows = unit_rows(2, cases=4)
    same = torch.eye(4, dtype=torch.bool)
    same[0, 1] = same[1, 0] = True
    masked = info_nce(tensors(rows), 0.1, same=same).item()
    losses = []
    for a, b in ((rows[0], rows[1]), (rows[1], rows[0])):
        for i in range(4):
            scores = np.array([a[i] @ b[j] / 0.1 for j in range(4) if j == i or not same[i, j]])
            losses.append(np.log(np.exp(scores).sum()) - a[i] @ b[i] / 0.1)
    assert masked == pytest.approx(float(np.mean(losses)))
    assert masked < info_nce(tensors(rows), 0.1).item()


def test_each_modality_can_have_negatives_of_its_own() -> None:
    z = tensors(unit_rows(3, cases=4))
    text, case = torch.eye(4, dtype=torch.bool), torch.eye(4, dtype=torch.bool)
    case[0, 1] = case[1, 0] = True
    found = info_nce(z, 0.1, same=torch.stack([text, case]))
    apart = info_nce([z[0], z[1]], 0.1, same=text), info_nce([z[0], z[2]], 0.1, same=case)
    assert found.item() == pytest.approx((apart[0].item() + apart[1].item()) / 2)


@pytest.mark.parametrize(("term", "from_"), [("cu", "cu_from"), ("atp", "atp_from")])
def test_a_term_counts_only_after_its_share_of_the_training(term: str, from_: str) -> None:
    objective = Objective(LossSettings(**{term: 2.0, from_: 0.4}))
    for progress, weight in ((0.0, 0.0), (0.39, 0.0), (0.4, 2.0), (1.0, 2.0)):
        loss, parts = objective(tensors(unit_rows(2)), progress=progress)
        assert loss.item() == pytest.approx(parts["nce"] + weight * parts[term])  # it is logged from the start


def test_a_learned_temperature_changes_within_its_limits() -> None:
    temperature = Temperature(0.07, learnable=True)
    assert temperature().item() == pytest.approx(0.07)
    with torch.no_grad():
        temperature.log_tau.fill_(-20.0)
    assert temperature().item() == pytest.approx(0.01)
    assert not Temperature(0.1, learnable=False).log_tau.requires_grad
