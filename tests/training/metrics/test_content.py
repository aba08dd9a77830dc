"""findings@5, modality@5 and AUROC by words against plain loops, and their values by chance."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from training.data import known_facts
from training.data.pairs import Pair
from training.metrics import bootstrap, content, first_five, measure, pool, shares, zero_shot

IU = {"source": "IU X-ray", "modality": "CR"}


def pair(text: str, group: str, **values: str) -> Pair:
    return Pair(Path("x.png"), text, "val", group, group, {**IU, **values})


def test_the_share_of_the_first_hits_agrees_with_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    scores, agrees = rng.normal(size=(20, 12)), rng.random((20, 12)) < 0.3
    scores[0, :9] = -np.inf
    scores[1] = -np.inf
    found = shares.share_at(scores, agrees, 5)
    for row in range(20):
        ranked = sorted((p for p in range(12) if np.isfinite(scores[row, p])), key=lambda p: -scores[row, p])[:5]
        expected = np.mean([agrees[row, p] for p in ranked]) if ranked else np.nan
        np.testing.assert_allclose(found[row], expected)


def test_the_share_by_chance_is_that_of_many_random_orders() -> None:
    rng = np.random.default_rng(1)
    agrees = rng.random((6, 15)) < 0.4
    scores = np.where(rng.random((6, 15)) < 0.8, 0.0, -np.inf)
    drawn = [shares.share_at(scores + rng.normal(size=scores.shape), agrees, 5) for _ in range(3000)]
    np.testing.assert_allclose(shares.chance_share(agrees, np.isfinite(scores)), np.mean(drawn, 0), atol=0.02)


def test_the_macro_average_counts_every_finding_once_in_every_resample() -> None:
    rng = np.random.default_rng(2)
    values, labels = rng.random(30), rng.random((30, 4)) < 0.3
    values[3] = np.nan
    labels[:, 3] = False
    weights = bootstrap.group_weights(30, draws=20)
    found = shares.macro_resamples(values, labels, weights)
    for draw, weight in enumerate(weights):
        means = []
        for label in range(4):
            rows = [i for i in range(30) if labels[i, label] and not np.isnan(values[i]) and weight[i]]
            if rows:
                means.append(sum(weight[i] * values[i] for i in rows) / sum(weight[i] for i in rows))
        assert found[draw] == pytest.approx(np.mean(means))
    assert shares.macro(values, labels) == pytest.approx(
        np.mean([np.nanmean(values[labels[:, label]]) for label in range(3)])
    )


@pytest.mark.parametrize(
    ("cell", "headings"),
    [
        ("normal", {"normal"}),
        ("Opacity/lung/base/left; Cardiomegaly/mild;Opacity", {"Opacity", "Cardiomegaly"}),
        ("Technical Quality of Image Unsatisfactory ; Fractures, Bone/ribs", {"Fractures, Bone"}),
        ("No Indexing", set()),
    ],
)
def test_findings_are_the_main_headings_of_the_mesh_terms(cell: str, headings: set[str]) -> None:
    assert known_facts.findings(pair("t", "g", finding=cell)) == headings
    assert known_facts.findings(pair("t", "g", finding=cell, source="MedPix-2.0")) == set()


@pytest.mark.parametrize(
    ("values", "facts"),
    [
        ({"source": "IU X-ray", "modality": "CR"}, ("CR", "chest")),
        ({"source": "MedPix-2.0", "modality": "MR", "location": "Brain and Neuro"}, ("MR", "head")),
        ({"source": "VQA-Med-2019", "modality": "RF", "location": "gastrointestinal"}, ("XA", "abdomen")),
        ({"source": "BrEaST-Lesions-USG", "modality": "US"}, ("US", "breast")),
        ({"source": "ROCO", "modality": "", "text": "Axial CT of the abdomen."}, ("CT", "abdomen")),
        ({"source": "ROCO", "modality": "CR", "text": "Untitled."}, ("CR", "")),
    ],
)
def test_facts_come_from_columns_and_sources_and_words(values: dict[str, str], facts: tuple[str, str]) -> None:
    columns = {"text": "Untitled.", "group": "g", **values}
    assert tuple(known_facts.of(pair(**columns)).values()) == facts


def test_findings_at_five_agree_with_a_plain_loop_and_never_count_the_query_itself() -> None:
    rng = np.random.default_rng(3)
    cells = ["normal", "Opacity", "Cardiomegaly; Opacity", "Nodule"]
    rows = [pair(f"text {i // 2}", f"g{i // 2}", finding=cells[(i // 2) % 4]) for i in range(48)]
    items = pool.build(rows)
    images, texts = rng.normal(size=(48, 8)), rng.normal(size=(24, 8))
    both = np.concatenate([images, texts])
    scores = both @ both.T
    found = content.measure(scores, items, bootstrap.group_weights(24, draws=10))
    for name, first, last, keep_own in (
        ("findings@5_image_abnormal", 0, 48, True),
        ("findings@5_report_abnormal", 48, 72, True),
        ("findings@5_index_abnormal_others", 0, 72, False),
    ):
        by_finding = {}
        for finding in ("Opacity", "Cardiomegaly", "Nodule"):
            found_shares = []
            for query in (i for i in range(48) if finding in items.findings[i]):
                candidates = [
                    i
                    for i in range(first, last)
                    if i != query and (keep_own or not (items.item_groups[i] & items.item_groups[query]).any())
                ]
                ranked = sorted(candidates, key=lambda i: -scores[query, i])[:5]
                found_shares.append(np.mean([bool(items.findings[i] & items.findings[query]) for i in ranked]))
            by_finding[finding] = np.mean(found_shares)
        assert found.values[name] == pytest.approx(np.mean(list(by_finding.values()))), name
    assert set(found.samples) == set(found.values) == set(found.expected)


def test_a_random_order_finds_what_chance_says() -> None:
    rng = np.random.default_rng(4)
    cells = ["normal", "normal", "Opacity", "Cardiomegaly; Opacity", "Nodule"]
    rows = [pair(f"text {i}", f"g{i}", finding=cells[i % 5]) for i in range(60)]
    items = pool.build(rows)
    weights = np.zeros((0, 60))
    drawn = [content.measure(rng.normal(size=(120, 120)), items, weights).values for _ in range(200)]
    for name, expected in content.chance(items).items():
        assert np.mean([values[name] for values in drawn]) == pytest.approx(expected, abs=0.02), name


def test_the_first_five_are_of_other_patients_and_of_known_facts() -> None:
    values = ["CT", "CT", "MR", "CT", "", "MR", "CT"]
    groups = np.eye(7, dtype=bool)
    groups[1] = groups[0]  # the second image is of the first patient
    scores = np.tile(np.array([9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0]), (7, 1))
    np.fill_diagonal(scores, -np.inf)
    found, expected = first_five.measure(scores, np.zeros(7, bool), groups, {"modality": values}, k=2)
    np.testing.assert_allclose(found["modality@2"], [0.5, 0.5, 0.0, 1.0, np.nan, 0.0, 1.0])
    assert 0 < expected["modality@2"] < 1
    assert first_five.measure(scores, np.zeros(7, bool), groups, {"region": ["chest"] * 7})[0] == {}


def test_the_area_under_the_curve_agrees_with_scikit_learn_also_in_resamples() -> None:
    rng = np.random.default_rng(5)
    values, positive = rng.integers(0, 6, 40) / 5, rng.random(40) < 0.4
    assert zero_shot.auroc(values, positive) == pytest.approx(roc_auc_score(positive, values))
    weights = bootstrap.group_weights(40, draws=10)
    for weight, found in zip(weights, zero_shot.auroc_resamples(values, positive, weights)):
        assert found == pytest.approx(roc_auc_score(positive, values, sample_weight=weight))
    assert np.isnan(zero_shot.auroc(values, np.ones(40, bool)))


def test_an_image_near_the_words_for_its_finding_scores_high() -> None:
    phrases = zero_shot.phrases()
    words = np.eye(len(phrases))
    asked = zero_shot.QUESTIONS["cardiomegaly"]
    image = words[[phrases.index(asked.yes[0]), phrases.index(asked.no[0])]]
    found = zero_shot.scores(image, words)["cardiomegaly"]
    assert found[0] > 0 > found[1]


def test_every_metric_of_the_content_is_measured_with_chance_beside_it() -> None:
    rng = np.random.default_rng(6)
    cells = ["normal", "Cardiomegaly", "Pleural Effusion", "normal", "Opacity"]
    rows = [pair(f"text {i}", f"g{i}", finding=cells[i % 5]) for i in range(50)]
    items = pool.build(rows)
    words = rng.normal(size=(len(zero_shot.phrases()), 16))
    found = measure.measure(
        rng.normal(size=(50, 16)), rng.normal(size=(50, 16)), items, words=words, clusters=False, draws=20
    )
    chance = measure.chance(items)
    wanted = ["findings@5_index", "findings@5_report_abnormal_others", "auroc_normal", "auroc_cardiomegaly"]
    for name in wanted:
        low, high = found.interval(name) or (1.0, 0.0)
        assert low <= found.values[name] <= high
        assert name in chance
    assert "modality@5" not in found.values  # all are chest radiographs
    assert not any(name.startswith("v_measure") for name in found.values)


def test_a_finding_is_counted_in_images_and_in_studies() -> None:
    cells = ["Pneumothorax", "Pneumothorax", "Nodule", "normal"]
    items = pool.build([pair(f"text {i}", f"g{i // 2}", finding=cell) for i, cell in enumerate(cells)])
    found = zero_shot.positives(items.findings[:4], items.groups)
    assert found["pneumothorax"] == {"images": 2, "studies": 1}
    assert found["fracture"] == {"images": 0, "studies": 0}
