"""Batches: which texts represent a pair, which pairs are not negatives of each other, and cached views."""

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.errors import UserError
from engine.tokenizer import Tokenizer
from tests.paths import DATA
from training.data import vocabulary
from training.data.pairs import Pairs, read_pairs
from training.loop.config import TrainSettings
from training.loop.examples import PairExamples
from training.loop.features import ImageBatches, TextBatches, Views
from training.networks import sources
from training.networks.towers import DualEncoder

FIXTURES = DATA / "pairs"
TEXTS = ["a mass of the liver", "a fracture of the arm", "its case tells of a liver", "another line on that case"]
ALL = np.arange(4)


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    return read_pairs([FIXTURES / "pairs.csv"])


@pytest.fixture(scope="module")
def model() -> DualEncoder:
    words = vocabulary.trim(sources.tokenizer_json("minilm"), TEXTS, 1, 400)
    model = sources.pretrained(
        sources.TowerSettings(size=32, dim=16, max_length=24, text_layers=1, image_levels=[]), words.source_ids
    )
    model.tokenizer = Tokenizer.from_str(words.tokenizer_json)  # type: ignore[assignment]
    return model.eval()


@pytest.fixture
def parts(pairs: Pairs, model: DualEncoder, tmp_path: Path) -> tuple[ImageBatches, TextBatches, list[list[int]]]:
    images = ImageBatches(pairs.images[:4], model, Views(18, 2, 1), tmp_path)
    texts = TextBatches(TEXTS, model, model.tokenizer, 0)  # type: ignore[arg-type]
    return images, texts, [[0, 2, 3], [0, 2], [1], [1]]


Parts = tuple[ImageBatches, TextBatches, list[list[int]]]


def test_each_pair_knows_its_source(parts: Parts) -> None:
    kinds = [("IU", "CR"), ("ROCO", "CT"), ("IU", "CT"), ("ROCO", "CT")]
    assert PairExamples(*parts, TrainSettings(), kinds=kinds).sources(np.array([3, 2, 1, 0])).tolist() == [1, 0, 1, 0]
    assert PairExamples(*parts, TrainSettings()).sources(ALL).tolist() == [0, 0, 0, 0]


def test_the_case_is_a_third_modality_and_the_own_text_replaces_a_missing_one(parts: Parts, model: DualEncoder) -> None:
    examples = PairExamples(*parts, TrainSettings(case_modality=True))
    found, _ = examples.embed(model, ALL, np.random.default_rng(0))
    assert len(found) == 3
    assert all(z.shape == (4, 16) for z in found)
    own, case = found[1:]
    assert torch.allclose(own[2:], case[2:], atol=1e-5)
    assert not torch.allclose(own[0], case[0], atol=1e-2)
    assert torch.allclose(case[1], parts[1].embed(model, np.array([2]))[0], atol=1e-5)


def test_without_a_third_modality_there_are_image_and_text(parts: Parts, model: DualEncoder) -> None:
    found, same = PairExamples(*parts, TrainSettings(case_texts=0.5)).embed(model, ALL, np.random.default_rng(0))
    assert len(found) == 2
    assert same.tolist() == [[[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]]


def test_pairs_of_one_group_are_not_negatives_of_each_other(parts: Parts) -> None:
    examples = PairExamples(*parts, TrainSettings(), groups=["a", "b", "b", "c"])
    assert examples.same(ALL).tolist() == [[[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1]]]


def test_cases_with_the_same_line_are_not_negatives_of_each_other_as_cases(parts: Parts) -> None:
    images, texts, _ = parts
    numbers = [[0, 2, 3], [1, 3], [2], [1]]  # the first two share a line; the others have nothing but their own text
    text, case = PairExamples(images, texts, numbers, TrainSettings(case_modality=True)).same(ALL).int().tolist()
    assert text == [[1, 0, 0, 0], [0, 1, 0, 1], [0, 0, 1, 0], [0, 1, 0, 1]]
    assert case == [[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]]


def test_another_view_of_the_study_is_a_modality_and_the_own_image_replaces_a_missing_one(
    parts: Parts, model: DualEncoder
) -> None:
    views = [[1], [0], [], []]
    examples = PairExamples(*parts, TrainSettings(case_modality=True), views=views)
    assert examples.draw_views(ALL, np.random.default_rng(0)).tolist() == [1, 0, 2, 3]
    found, same = examples.embed(model, ALL, np.random.default_rng(0))
    assert [z.shape for z in found] == [(4, 16)] * 4
    assert same[2].tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


def test_where_there_is_no_other_view_of_the_study_another_cached_view_of_the_image_is_drawn(parts: Parts) -> None:
    images, rng = parts[0], np.random.default_rng(0)
    first = np.array([images.pick(4, rng) for _ in range(500)])
    again = np.array([images.pick(4, rng, unlike=numbers) for numbers in first])
    assert (first != again).all()
    assert set(again.ravel()) == {0, 1, 2}
    free = np.array([images.pick(4, rng, unlike=np.full(4, -1)) for _ in range(500)])
    assert np.mean(free == 0) == pytest.approx(0.25, abs=0.04)


def test_another_view_of_the_case_needs_more_than_one_view_of_an_image(
    pairs: Pairs, model: DualEncoder, parts: Parts, tmp_path: Path
) -> None:
    images = ImageBatches(pairs.images[:4], model, Views(18, 0, 1), tmp_path)
    with pytest.raises(UserError, match="set crops"):
        PairExamples(images, *parts[1:], TrainSettings(), views=[[1], [0], [], []])


def test_views_that_are_drawn_anew_are_sometimes_the_clean_image(
    pairs: Pairs, model: DualEncoder, tmp_path: Path
) -> None:
    images = ImageBatches(pairs.images[:4], model, Views(), tmp_path)
    clean = images.clean(ALL)
    drawn = [images.draw(ALL, np.random.default_rng(seed)) for seed in range(50)]
    share = np.mean([[torch.equal(view, whole) for view, whole in zip(views, clean)] for views in drawn])
    assert share == pytest.approx(0.25, abs=0.08)
    assert torch.equal(drawn[3], images.draw(ALL, np.random.default_rng(3)))


def test_views_at_other_windows_are_cached_separately(pairs: Pairs, model: DualEncoder, tmp_path: Path) -> None:
    for windows in (True, False):
        ImageBatches(pairs.images[:2], model, Views(18, 1, 1, windows=windows), tmp_path, ["CT", "CT"])
    assert len(list(tmp_path.iterdir())) == 2


def test_an_epoch_is_drawn_in_balance_if_the_settings_ask(parts: Parts) -> None:
    kinds = [("a", "CT"), ("a", "CT"), ("a", "CT"), ("b", "CT")]
    plain = PairExamples(*parts, TrainSettings(), kinds=kinds)
    balanced = PairExamples(*parts, TrainSettings(balance=1.0), kinds=kinds)
    assert sorted(plain.order(np.random.default_rng(0))) == [0, 1, 2, 3]
    assert sorted(balanced.order(np.random.default_rng(0))).count(3) == 2


def test_another_text_is_drawn_with_the_given_probability(parts: Parts) -> None:
    examples = PairExamples(*parts, TrainSettings(case_texts=0.3))
    drawn = examples.draw_texts(np.zeros(4000, np.intp), 0.3, np.random.default_rng(0))
    assert np.mean(drawn != 0) == pytest.approx(0.3, abs=0.03)
    assert np.mean(drawn == 2) == pytest.approx(0.15, abs=0.03)


def test_without_crops_every_view_is_the_clean_image(pairs: Pairs, model: DualEncoder, tmp_path: Path) -> None:
    images = ImageBatches(pairs.images[:4], model, Views(18, 0, 1), tmp_path)
    assert torch.equal(images.draw(ALL, np.random.default_rng(0)), images.clean(ALL))


def test_cached_views_of_a_longer_run_are_used_by_a_shorter_one(
    pairs: Pairs, model: DualEncoder, tmp_path: Path
) -> None:
    longer = ImageBatches(pairs.images[:4], model, Views(18, 2, 1), tmp_path)
    before = sorted(tmp_path.iterdir())
    shorter = ImageBatches(pairs.images[:4], model, Views(18, 1, 1), tmp_path)
    assert sorted(tmp_path.iterdir()) == before
    assert longer.maps is not None
    views = {tuple(row) for draw in range(20) for row in shorter.draw(ALL, np.random.default_rng(draw)).numpy()}
    assert views <= {tuple(row) for view in longer.maps[:2] for row in view}


def test_a_longer_run_extends_the_cached_views_of_a_shorter_one(
    pairs: Pairs, model: DualEncoder, tmp_path: Path
) -> None:
    at_once = ImageBatches(pairs.images[:4], model, Views(18, 2, 1), tmp_path / "at once")
    shorter = ImageBatches(pairs.images[:4], model, Views(18, 1, 1), tmp_path / "after each other")
    longer = ImageBatches(pairs.images[:4], model, Views(18, 2, 1), tmp_path / "after each other")
    assert shorter.maps is not None
    assert longer.maps is not None
    assert at_once.maps is not None
    assert np.array_equal(longer.maps[:2], shorter.maps)
    assert np.array_equal(longer.maps, at_once.maps)


def test_views_without_intensity_changes_are_cached_separately(
    pairs: Pairs, model: DualEncoder, tmp_path: Path
) -> None:
    for intensity in (True, False):
        ImageBatches(pairs.images[:2], model, Views(18, 1, 1, intensity), tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
