"""The one line that says why there is no draft."""

import pytest

from engine.facts.fact import Fact, Facts
from engine.reports.silence import known, line


@pytest.mark.parametrize(
    ("values", "body_part", "text"),
    [
        ({"modality": "CR", "region": "limb"}, "HIP", "Radiograph of the hip."),
        ({"modality": "CR", "region": "limb"}, "", "Radiograph of a limb."),
        ({"modality": "CT", "region": "chest"}, "", "CT of the chest."),
        ({"modality": "MG", "region": "breast"}, "BREAST", "Mammogram of the breast."),
        ({"modality": "US"}, "", "Ultrasound."),
        ({"region": "head"}, "", "Image of the head."),
        ({"modality": "OT"}, "SMITH JOHN", ""),
        ({}, "", ""),
    ],
)
def test_what_is_known_is_said_in_plain_words(values: dict[str, str], body_part: str, text: str) -> None:
    facts: Facts = {kind: Fact(value, "header") for kind, value in values.items()}  # type: ignore[misc]
    assert known(facts, body_part) == text


def test_what_only_the_models_say_is_said_as_that() -> None:
    facts: Facts = {"modality": Fact("CR", "header"), "region": Fact("chest", "models", 0.8)}
    assert line("disagree", facts) == (
        "Radiograph of the chest (according to the models). "
        "The nearest reports in this archive do not agree on a finding."
    )
