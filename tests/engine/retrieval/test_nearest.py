"""Ranking with weights is exact, also where few candidates are looked at, and the same image comes first."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from engine.archive import Archive
from engine.bundle import Bundle
from engine.facts.fact import Fact
from engine.image.picture import load_picture
from engine.retrieval.fusion import QueryVectors, calibrated
from engine.retrieval.nearest import Match, Weight, nearest_cases
from engine.retrieval.search import Query, search
from engine.store.case import NewCase, NewImage, NewReport
from engine.store.case_facts import add_facts
from engine.store.fact_bonus import FactBonus
from engine.store.filters import Filters
from engine.store.folder.vectors import vector_scan
from engine.store.safety.checksums import seal
from tests.engine.dicom_samples import sample

DIM = 48


@dataclass
class Weights:
    """Weighs each case by a number of its own, of which its facts say a part beforehand."""

    archive: Archive
    values: Mapping[int, float]
    more: float = 0.0

    def __post_init__(self) -> None:
        known = {case: value - self.more * (case % 2) for case, value in self.values.items()}
        self.most = max(max(abs(value) for value in known.values()), 1e-9)
        with self.archive._database.write() as db:
            db.execute("DELETE FROM facts WHERE kind = 'region'")
            for case, value in known.items():
                fact = Fact("chest" if value > 0 else "head", "models", abs(value) / self.most)
                add_facts(db, case, {"region": fact})
                seal(db, "facts", case)

    def bonus(self) -> FactBonus:
        return FactBonus({"region": {"chest": self.most, "head": -self.most}})

    def of(self, case_ids: Iterable[int]) -> Mapping[int, Weight]:
        return {case: Weight(self.values[case], ("weighed",)) for case in case_ids}


def unit(seed: int, rows: int) -> NDArray[np.float16]:
    drawn = np.random.default_rng(seed).normal(size=(rows, DIM))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float16)


@pytest.fixture
def many(archive: Archive) -> Archive:
    """300 cases with an image and a report each, so that a search for few cases looks at a part of them."""
    rows = unit(1, 600)
    for n in range(300):
        image = NewImage(np.zeros((2, 2), np.uint8), rows[2 * n])
        modality = ("CT", "MR")[n % 2]
        archive.add_case(NewCase(str(n), modality, images=(image,), report=NewReport(f"r{n}", rows[2 * n + 1])))
    return archive


def plain(archive: Archive, encoder: object, query: QueryVectors, values: Mapping[int, float]) -> list[int]:
    """The cases by best z plus weight, by looking at all of them."""
    scale = archive.score_scale.current(encoder.score_scale, encoder.id)  # type: ignore[attr-defined]
    rows = unit(1, 600).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    images, reports = calibrated(query, "image", scale)(rows[::2]), calibrated(query, "report", scale)(rows[1::2])
    totals = np.maximum(images, reports) + np.array([values[n + 1] for n in range(300)])
    return (np.argsort(-totals) + 1).tolist()


@pytest.mark.folder  # 300 cases each take seconds there; of a server: store/server/test_server_index.py
@pytest.mark.parametrize("spread", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("more", [0.0, 1.0])
@pytest.mark.parametrize("deep", [1, 2_000])
def test_the_best_by_score_and_weight_are_found_exactly(
    many: Archive, encoder, spread: float, more: float, deep: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_scan, "DEEP", deep)
    query = QueryVectors(image=unit(2, 1)[0].astype(np.float32))
    drawn = spread * np.random.default_rng(3).normal(size=300)
    values = {n + 1: float(drawn[n]) for n in range(300)}
    found = nearest_cases(many, encoder, query, 5, weighing=Weights(many, values, more))
    assert [match.case_id for match in found] == plain(many, encoder, query, values)[:5]
    assert all(match.reasons == ("weighed",) for match in found)


@pytest.mark.folder  # 300 cases each take seconds there; of a server: store/server/test_server_index.py
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_no_number_ends_the_search_too(many: Archive, encoder, value: float) -> None:
    """As of an archive that others have made, with a probability that no version of ours writes."""
    weights, asked = Weights(many, dict.fromkeys(range(1, 301), 1.0)), []
    weights.values, weights.most = dict.fromkeys(range(1, 301), value), value
    plain_weights = weights.of

    def of(case_ids: Iterable[int]) -> Mapping[int, Weight]:
        asked.append(1)
        assert len(asked) < 20, "it goes on for ever"
        return plain_weights(case_ids)

    weights.of = of  # type: ignore[method-assign]
    found = nearest_cases(many, encoder, QueryVectors(image=unit(2, 1)[0].astype(np.float32)), 5, weighing=weights)
    assert len({match.case_id for match in found}) == 5


def test_weights_lift_no_case_that_the_filters_do_not_allow(many: Archive, encoder) -> None:
    query = QueryVectors(text=unit(2, 1)[0].astype(np.float32))
    values = {n + 1: 20.0 if n < 10 else 0.0 for n in range(300)}
    found = nearest_cases(
        many, encoder, query, 8, Filters(modalities=("CT",), excluded=(7,)), weighing=Weights(many, values)
    )
    assert {match.case_id for match in found} >= {1, 3, 5, 9}
    assert all(match.case_id % 2 == 1 and match.case_id != 7 for match in found)
    assert len(found) == 8


def test_the_same_image_comes_first_whatever_else_speaks_against_it(many: Archive, encoder) -> None:
    same = unit(1, 600)[2 * 41].astype(np.float32)
    values = {n + 1: -50.0 if n == 41 else 0.0 for n in range(300)}
    query, asked = QueryVectors(image=same), []

    def is_same(match: Match) -> bool:
        asked.append(match.case_id)
        return match.case_id == 42

    found = nearest_cases(many, encoder, query, 5, weighing=Weights(many, values), is_same=is_same)
    assert asked == [42]  # the only one that is near enough to be compared
    assert (found[0].case_id, found[0].same, found[0].kind) == (42, True, "image")
    assert found[0].score < found[1].score
    assert len(found) == 5
    assert not any(match.same for match in found[1:])


def test_a_case_with_the_same_image_and_the_same_words_is_the_same_by_its_image(many: Archive, encoder) -> None:
    image, text = unit(1, 600)[2 * 41 : 2 * 41 + 2].astype(np.float32)
    found = nearest_cases(many, encoder, QueryVectors(image=image, text=text), 5, is_same=lambda match: True)
    assert [(match.case_id, match.kind) for match in found if match.same] == [(42, "image")]


def test_copies_of_a_real_image_rank_before_every_report(tmp_path: Path, starter_bundle: Bundle) -> None:
    original = load_picture(sample("MR2_UNCI.dcm")).gray
    file = io.BytesIO()
    Image.fromarray(original).save(file, "JPEG", quality=50)
    copies = {
        "JPEG": np.asarray(Image.open(file)),
        "window": np.clip(1.2 * (original.astype(float) - 128) + 128, 0, 255).astype(np.uint8),
    }
    with Archive.create(tmp_path / "archive", starter_bundle.id) as archive:
        vector = starter_bundle.embed_images([original])[0]
        archive.add_case(NewCase("image", images=(NewImage(original, vector),)))
        for n in range(20):  # reports whose vectors are as near as a report can be
            near = vector + 0.02 * np.random.default_rng(n).normal(size=len(vector)).astype(np.float32)
            report = NewReport(f"Report {n}.", near / np.linalg.norm(near))
            archive.add_case(NewCase(f"report {n}", report=report))
        for copy in copies.values():
            hits = search(archive, starter_bundle, Query(image=copy, text="Report")).hits
            assert hits[0].why.startswith("Same image")
