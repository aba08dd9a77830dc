"""The modality gap and other properties of the shared space. Pure numpy; knows no ranking and no files.

Definitions: docs/method.md, "Metrics". Images and texts are float [N, D] with unit rows; row i of both is pair i.
"""

import numpy as np

from training.arrays import Float64Array, FloatArray, IntArray

KMEANS_SEEDS = 20


def normalised(rows: FloatArray) -> Float64Array:
    """float64 rows of unit length; a row of zeros stays zero."""
    values = np.asarray(rows, np.float64)
    return np.asarray(values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12))


def centred(rows: FloatArray, mean: FloatArray) -> Float64Array:
    """Mean-centring (I0T, arXiv 2412.14384): subtract a modality's TRAIN mean [D], then normalise again."""
    return normalised(np.asarray(rows, np.float64) - np.asarray(mean, np.float64))


def gap(images: FloatArray, texts: FloatArray) -> float:
    """Modality gap || mean(Z_img) - mean(Z_txt) ||_2, 0 to 2."""
    return float(np.linalg.norm(images.mean(0, dtype=np.float64) - texts.mean(0, dtype=np.float64)))


def gap_floor(images: FloatArray, texts: FloatArray, groups: IntArray, draws: int = 1000, seed: int = 0) -> float:
    """Mean gap of a perfectly mixed space of this size: image and text vectors swapped at random within whole groups.

    Args:
        groups: int [N], the group of each pair, 0..G-1. All pairs of a group swap together or not at all, because
            near-duplicates are one observation.
    """
    difference = group_sums(np.asarray(images, np.float64) - np.asarray(texts, np.float64), groups)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (draws, len(difference)))
    return float(np.linalg.norm(signs @ difference, axis=1).mean() / len(images))


def group_sums(rows: Float64Array, groups: IntArray) -> Float64Array:
    """Sums of the rows of each group: [N, D] -> [G, D]."""
    sums = np.zeros((int(groups.max()) + 1, *rows.shape[1:]))
    np.add.at(sums, groups, rows)
    return sums


def true_pair_cosines(images: FloatArray, texts: FloatArray) -> Float64Array:
    """The diagonal cosines, float64 [N]."""
    return np.asarray(np.einsum("nd,nd->n", images, texts, dtype=np.float64))


def angle_degrees(cosine: float) -> float:
    """The angle of a cosine in degrees."""
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def margin(images: FloatArray, texts: FloatArray) -> float:
    """Mean cosine of true pairs minus the mean cosine of all other image-text pairs (row i with row j != i)."""
    cosines = np.asarray(images, np.float64) @ np.asarray(texts, np.float64).T
    count = len(cosines)
    true = np.trace(cosines)
    return float(true / count - (cosines.sum() - true) / (count * (count - 1)))


def effective_rank(rows: FloatArray) -> float:
    """The exp of the entropy of the singular values divided by their sum (Roy and Vetterli 2007), 1 to D."""
    values = np.linalg.svd(np.asarray(rows, np.float64), compute_uv=False)
    shares = values / values.sum()
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def mean_cosine(rows: FloatArray) -> float:
    """Mean cosine between different rows of one modality: the cone effect."""
    values = np.asarray(rows, np.float64)
    count = len(values)
    return float((np.square(values.sum(0)).sum() - np.square(values).sum()) / (count * (count - 1)))


def relative_gap(images: FloatArray, texts: FloatArray) -> float:
    """Relative modality gap (Schrodi et al. 2024, arXiv 2404.07983), 0 (true pairs agree) to 1.

    Mean cosine distance of true pairs, divided by itself plus the mean distance within the modalities.
    """
    across = 1.0 - float(true_pair_cosines(images, texts).mean())
    within = 1.0 - 0.5 * (mean_cosine(images) + mean_cosine(texts))
    return across / (within + across)


def uniformity(images: FloatArray, texts: FloatArray) -> float:
    """The log of the mean over pairs i < j of exp(-2 || mu_i - mu_j ||^2), mu_i the normalised centroid of pair i.

    The same as the loss L_CU (docs/method.md, "Losses"): 0 for a collapsed space, lower is more uniform.
    """
    centroids = normalised((np.asarray(images, np.float64) + np.asarray(texts, np.float64)) / 2)
    first, second = np.triu_indices(len(centroids), 1)
    squared = np.maximum(0.0, 2.0 - 2.0 * (centroids @ centroids.T)[first, second])
    return float(np.log(np.exp(-2.0 * squared).mean()))


def v_measure(rows: FloatArray, labels: list[str], seed: int = 0) -> float:
    """Agreement (0 to 1) of k-means clusters with labels, k being the number of labels; rows without a label left out.

    Rosenberg and Hirschberg 2007. The mean over KMEANS_SEEDS seeds from `seed` on, since single ones vary from .26 to
    .54 on the same rows. nan with fewer than two labels.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import v_measure_score
    from threadpoolctl import threadpool_limits

    known = [i for i, label in enumerate(labels) if label]
    kinds = sorted({labels[i] for i in known})
    if len(kinds) < 2:
        return float("nan")
    values, truth = np.asarray(rows, np.float64)[known], [labels[i] for i in known]
    with threadpool_limits(1):  # on so few rows several threads are ten times slower
        found = [
            KMeans(len(kinds), n_init=4, random_state=seed + more).fit_predict(values) for more in range(KMEANS_SEEDS)
        ]
    return float(np.mean([v_measure_score(truth, clusters) for clusters in found]))
