"""Draft settings read from a manifest."""

import math

import pytest

from engine.errors import UserError
from engine.models.confidence import NEAR, NORMAL, SHARE, DraftSettings


def test_without_settings_the_defaults_hold_and_nothing_is_calibrated() -> None:
    settings = DraftSettings.from_manifest({"name": "old bundle"})
    assert settings == DraftSettings(None, None, NEAR, SHARE, NORMAL)
    assert not settings.calibrated
    assert settings.confidence(0.4) == 0.4


def test_settings_are_read_from_the_manifest() -> None:
    draft = {"confidence": {"slope": 1.5, "intercept": -0.2}, "near": 1.25, "share": 0.5, "normal": 0.75}
    settings = DraftSettings.from_manifest({"draft": {**draft, "measured": {"captions": 284}}})
    assert settings == DraftSettings(1.5, -0.2, 1.25, 0.5, 0.75)
    assert settings.confidence(math.exp(-2.0)) == pytest.approx(1 / (1 + math.exp(3.2)))


def test_a_token_with_probability_zero_is_accepted() -> None:
    assert 0 <= DraftSettings(slope=3.0, intercept=0.0).confidence(0.0) < 0.01


@pytest.mark.parametrize(
    "draft",
    [
        {"confidence": {"slope": 1.0}},
        {"near": "often"},
        {"share": float("nan")},
        {"confidence": [1, 2]},
        "captioner",
    ],
)
def test_invalid_settings_are_refused(draft: object) -> None:
    with pytest.raises(UserError, match="'draft' entry of the bundle's manifest is invalid"):
        DraftSettings.from_manifest({"draft": draft})
