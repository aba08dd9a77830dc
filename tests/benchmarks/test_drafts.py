"""Thresholds of drafts are chosen by what pictures alone show, chance allowed for, and reach the bundle."""

import json
import shutil
from dataclasses import replace
from math import sqrt
from pathlib import Path

import numpy as np
import pytest

from benchmarks import drafts
from benchmarks._draft_traces import Material, Trace, header_facts, said_by
from benchmarks.drafts import Count, Scores, Thresholds, choose, held_out, reached
from engine.bundle import Bundle
from engine.models.confidence import NEVER, DraftSettings
from engine.reports.agreement import Agreement, Evidence
from engine.resources import resource_path
from training.data.pairs import Pair

EFFUSION = "There is a pleural effusion."
AGREED = Agreement((Evidence(1, EFFUSION, 0.9), Evidence(2, EFFUSION, 0.9)), asked=2)
RIGHT = Trace(
    *("iu", "iu/a.png", "picture", EFFUSION, {"modality": "CR", "region": "chest"}, said_by(EFFUSION)),
    undivided=True,
    score=2.0,
    start_facts={"modality": "CR", "region": "chest"},
    sentences=((EFFUSION, AGREED),),
)
WRONG = replace(RIGHT, start_facts={"modality": "CT", "region": "head"})
LOOSE = Thresholds(0.0, 0.0, 0.6)


def test_the_interval_is_that_of_wilson() -> None:
    z, share, n = 1.96, 7 / 9, 9
    reach = z * sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = ((share + z**2 / (2 * n) + sign * reach) / (1 + z**2 / n) for sign in (-1, 1))
    assert Count(7, 9).interval == pytest.approx((low, high))
    assert str(Count(7, 9)) == f"7 of 9 ({100 * low:.0f} to {100 * high:.0f} %)"
    assert str(Count(0, 10)) == "0 of 10 (0 to 28 %)"
    assert str(Count()) == ""


def test_what_the_header_chose_is_not_judged() -> None:
    scores = Scores()
    for mode in ("picture", "header"):
        scores.add(replace(RIGHT, mode=mode), EFFUSION, RIGHT.start_facts)
    assert {name: (scores[name].right, scores[name].of) for name in ("drafted", "modality", "region", "affirmed")} == {
        "drafted": (2, 2),
        "modality": (1, 1),
        "region": (1, 1),
        "affirmed": (2, 2),
    }


def test_sixteen_right_drafts_are_too_few_for_a_claim_and_forty_are_enough() -> None:
    assert not reached(drafts.measure(LOOSE, [RIGHT] * 16))
    assert reached(drafts.measure(LOOSE, [RIGHT] * 40))
    assert not reached(drafts.measure(LOOSE, [RIGHT] * 40 + [WRONG] * 8))
    assert reached(drafts.measure(LOOSE, [replace(RIGHT, score=-1.0)] * 3))  # says nothing, so nothing wrong


def test_the_thresholds_let_through_the_most_drafts_that_are_right_often_enough() -> None:
    alone = [RIGHT] * 60 + [replace(WRONG, score=1.0)] * 60
    chosen, tried = choose([*alone, *(replace(one, mode="header", score=9.0) for one in alone)])
    assert chosen.near > 1.0
    assert all(scores["drafted"].of == len(alone) for _, scores in tried)
    best = max(scores["drafted"].right for _, scores in tried if reached(scores))
    assert drafts.measure(chosen, alone)["drafted"].right == best == 60


def test_without_evidence_the_strictest_are_chosen() -> None:
    assert choose([WRONG] * 40)[0] == Thresholds(2.0, NEVER, NEVER)
    assert choose([])[0] == Thresholds(0.0, NEVER, NEVER)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([RIGHT] * 40, "With them 40 are drafted, and they reach 90 % right modality"),
        ([WRONG] * 40, "With them nothing is drafted; no others reach"),
        ([replace(RIGHT, familiar=False)] * 40, "With them nothing is drafted; no others reach"),
    ],
)
def test_the_section_says_whether_the_thresholds_reach_what_they_must(found: list[Trace], said: str) -> None:
    assert said in drafts.section(found, choose(found), {}, (Count(), Count()), 9, "0")


def test_each_half_is_measured_at_the_thresholds_of_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "SHARES", (0.0, 0.8, 1.0))
    monkeypatch.setattr(drafts, "NORMALS", (0.9,))
    found = [RIGHT, replace(RIGHT, score=1.0)] * 40
    halves = (found[::2], found[1::2])
    expected = sum(bool(choose(half)[0].kept(trace)) for half, other in (halves, halves[::-1]) for trace in other)
    assert held_out(found)["drafted"].right == expected == 40


def row(name: str, split: str, group: str, text: str = EFFUSION, **values: str) -> Pair:
    return Pair(Path(name), text, split, group, group, values)


def test_a_caption_belongs_to_a_picture_and_not_to_all_with_its_report() -> None:
    captions = {"iu/a.png": "No effusion."}
    rule = drafts.rules(LOOSE, captions)["decoder"][1]
    assert rule(RIGHT) is not None
    assert rule(replace(RIGHT, picture="iu/lateral.png")) is None


def test_the_header_says_nothing_that_only_the_report_says() -> None:
    assert header_facts(row("a.png", "val", "g", "CT of the chest.")) == {}
    assert header_facts(row("a.png", "val", "g", "CT.", modality="DX"))["modality"].value == "CR"


def test_fewer_pictures_are_the_first_of_more_and_one_of_each_group() -> None:
    rows = [row(f"{n}.png", "train" if n % 2 else "val", f"g{n // 6}") for n in range(60)]
    material = Material("iu", rows, [np.full((1, 1), n, np.uint8) for n in range(60)])
    many, few = [one for one, _ in material.queries(None)], [one for one, _ in material.queries(4)]
    assert few == many[:4]
    assert sorted(one.group for one in many) == sorted({one.group for one in rows})
    assert len(list(material.archived(99))) == 30
    assert all(rows[int(gray[0, 0])] == one for one, gray in material.archived(5))


def test_the_thresholds_are_written_into_the_bundle_beside_what_its_entry_has(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(resource_path("starter-bundle"), tmp_path / "bundle"))
    path = folder / "manifest.json"
    content = json.loads(path.read_text("utf-8"))
    content["draft"] = {"confidence": {"slope": 1.0, "intercept": 0.0}, "near": 9.0}
    path.write_text(json.dumps(content), "utf-8")
    before = Bundle.open(folder).id
    drafts.write(folder, Thresholds(1.5, 0.7, 0.9))
    bundle = Bundle.open(folder)
    assert bundle.draft_settings == DraftSettings(1.0, 0.0, 1.5, 0.7, 0.9)
    assert bundle.id == before
