"""Sixty pairs of sentences that contradict each other are never evidence for each other."""

import csv
from collections import Counter

import pytest

from engine.reports.agreement import agreement
from engine.reports.nearest_report import NearReport
from tests.paths import ROOT

with (ROOT / "tests" / "data" / "contradictory_pairs.csv").open(encoding="utf-8") as file:
    PAIRS = [(row["kind"], row["one"], row["other"]) for row in csv.DictReader(file)]


def report(number: int, text: str) -> NearReport:
    return NearReport(number, (text,), "image", 2.0, 0.9, patient=f"P{number}", wording=f"{number} {text}")


def test_there_are_sixty_pairs_twelve_of_a_kind() -> None:
    kinds = ("side", "negation", "modality", "region", "normal")
    assert Counter(kind for kind, *_ in PAIRS) == dict.fromkeys(kinds, 12)


@pytest.mark.parametrize(("kind", "one", "other"), PAIRS)
def test_contradictory_sentences_are_never_evidence_for_each_other(kind: str, one: str, other: str) -> None:
    assert agreement(one, [report(1, other)]).evidence == ()
    assert agreement(other, [report(1, one)]).evidence == ()


@pytest.mark.parametrize(("kind", "one", "other"), PAIRS)
def test_each_of_them_is_evidence_for_its_own_words(kind: str, one: str, other: str) -> None:
    """So that silence about a wording that is not understood does not pass for a contradiction seen."""
    found = [bool(agreement(text, [report(1, text)]).evidence) for text in (one, other)]
    assert any(found)
