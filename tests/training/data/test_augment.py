"""Augmented views of images, and images at other windows."""

import numpy as np

from tests.paths import DATA
from training.data.augment import augment
from training.data.pairs import read_pairs

FIXTURES = DATA / "pairs"


def test_a_view_depends_only_on_its_seed() -> None:
    image = read_pairs([FIXTURES / "pairs.csv"]).images[0]
    first, again, other = (augment(image, 64, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.shape == (64, 64)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_view_without_intensity_changes_differs_in_its_crop_only() -> None:
    image = np.full((80, 60), 120, np.uint8)
    view = augment(image, 32, np.random.default_rng(3), intensity=False)
    assert set(np.unique(view)) <= {0, 120} | set(range(120))  # nothing brighter, and what is whole stays as it was
    assert view[16, 16] == 120
    assert augment(image, 32, np.random.default_rng(3))[16, 16] != 120


def test_a_view_never_mirrors_the_image() -> None:
    image = np.zeros((100, 100), np.uint8)
    image[20:80, 20:50] = 60
    image[20:80, 50:80] = 200  # the bright half is on the right
    for seed in range(30):
        view = augment(image, 64, np.random.default_rng(seed)).astype(float)
        columns = np.arange(64)
        bright = (view > 120).sum(0)
        dim = ((view > 5) & (view <= 120)).sum(0)
        assert (bright * columns).sum() / bright.sum() > (dim * columns).sum() / dim.sum()


def test_black_around_an_image_stays_black() -> None:
    image = np.zeros((80, 80), np.uint8)
    image[30:50, 30:50] = 128
    for seed in range(10):
        assert augment(image, 64, np.random.default_rng(seed)).min() == 0


def test_a_ct_is_also_shown_at_windows_that_cut_what_is_dark_and_what_is_bright() -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    views = [augment(ramp, 64, np.random.default_rng(seed), intensity=False, modality="CT") for seed in range(40)]
    black = [np.mean(view == 0) for view in views]
    white = [np.mean(view == 255) for view in views]
    assert max(black) > 0.12
    assert max(white) > 0.12
    assert all(np.mean((view > 30) & (view < 225)) > 0.3 for view in views)  # much of the image is left


def test_a_radiograph_changes_in_exposure_and_is_never_cut() -> None:
    image = np.tile(np.arange(20, 236, dtype=np.uint8), (216, 1))
    for seed in range(20):
        view = augment(image, 64, np.random.default_rng(seed), intensity=False, modality="CR")
        assert np.mean(view[16:48, 16:48] == 255) == 0.0
        assert np.mean(view[16:48, 16:48] == 0) == 0.0


def test_black_and_the_noise_of_compression_around_an_image_stay_dark_at_every_window() -> None:
    image = np.random.default_rng(0).integers(0, 4, (80, 80)).astype(np.uint8)
    image[30:50, 30:50] = 128
    for modality in ("CT", "CR", ""):
        for seed in range(20):
            view = augment(image, 64, np.random.default_rng(seed), modality=modality)
            assert np.percentile(view, 40) < 40


def test_without_a_modality_a_view_is_what_it_was_before_windows_were_added() -> None:
    image = read_pairs([FIXTURES / "pairs.csv"]).images[0]
    view = augment(image, 64, np.random.default_rng(1))
    assert np.array_equal(view, augment(image, 64, np.random.default_rng(1), modality=None))
