"""Draft settings read from a manifest."""

import math

import pytest

from engine.errors import UserError
from engine.models.confidence import DraftSettings


def test_without_settings_drafts_start_from_the_captioner_and_it_never_abstains() -> None:
    settings = DraftSettings.from_manifest({"name": "old bundle"})
    assert settings == DraftSettings("captioner", None, None, None)
    assert not settings.calibrated
    assert settings.confidence(0.4) == 0.4
    assert not settings.abstains([0.0])


def test_settings_are_read_from_the_manifest() -> None:
    draft = {"start": "nearest-report", "confidence": {"slope": 1.5, "intercept": -0.2}, "abstain_below": 0.3}
    settings = DraftSettings.from_manifest({"draft": {**draft, "measured": {"captions": 284}}})
    assert settings == DraftSettings("nearest-report", 1.5, -0.2, 0.3)
    assert settings.confidence(math.exp(-2.0)) == pytest.approx(1 / (1 + math.exp(3.2)))
    assert settings.abstains([0.1, 0.4])
    assert not settings.abstains([0.1, 0.6])
    assert not settings.abstains([])


def test_a_token_with_probability_zero_is_accepted() -> None:
    assert 0 <= DraftSettings(slope=3.0, intercept=0.0).confidence(0.0) < 0.01


@pytest.mark.parametrize(
    "draft",
    [
        {"start": "guess"},
        {"confidence": {"slope": 1.0}},
        {"abstain_below": "often"},
        {"confidence": [1, 2]},
        "captioner",
    ],
)
def test_invalid_settings_are_refused(draft: object) -> None:
    with pytest.raises(UserError, match="'draft' entry of the bundle's manifest is invalid"):
        DraftSettings.from_manifest({"draft": draft})
