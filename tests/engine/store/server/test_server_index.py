"""The index of a server finds what a plain comparison finds, and is made, replaced and left alone as it should be."""

from collections.abc import Iterator

import numpy as np
import pytest

from engine.archive import Archive
from engine.errors import UserError
from engine.facts.fact import KINDS, VALUES, Fact, FactKind
from engine.models.ranking import FACT_WEIGHTS
from engine.store.address import Address
from engine.store.case import Kind, NewCase, NewImage, NewReport
from engine.store.fact_bonus import NO_BONUS, FactBonus
from engine.store.filters import ANY, Filters
from engine.store.server import nearest_scan, vector_lists
from tests.engine.conftest import WordEncoder
from tools.department_server import DepartmentServer

CASES = 120
SIZE = 24


@pytest.fixture
def address(server: DepartmentServer) -> Address:
    return server.empty_database()


@pytest.fixture
def archive(address: Address, encoder: WordEncoder) -> Iterator[Archive]:
    with Archive.create(address, encoder.id) as created:
        yield created


@pytest.fixture
def vectors() -> np.ndarray:
    """Two of each case: of an image and of a report."""
    rows = np.random.default_rng(3).normal(size=(2 * CASES, SIZE))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


def facts_of(number: int) -> dict[FactKind, Fact]:
    """Some facts that go by the number of a case, a few of them unsure, and some cases have none of a kind."""
    rng = np.random.default_rng(number)
    kinds = [kind for kind in KINDS if rng.random() < 0.7]
    return {kind: Fact(str(rng.choice(VALUES[kind])), "models", float(rng.choice([0.5, 0.9]))) for kind in kinds}


@pytest.fixture
def filled(archive: Archive, vectors: np.ndarray) -> Archive:
    """Cases with the ids 1, 2, ..., of ages from 0 on, alternately F and M."""
    for n in range(CASES):
        image = NewImage(np.zeros((2, 2), np.uint8), vectors[2 * n])
        report = NewReport(f"r{n}", vectors[2 * n + 1])
        archive.add_case(NewCase(str(n), "CT", "FM"[n % 2], n, images=(image,), report=report, facts=facts_of(n)))
    return archive


@pytest.fixture
def listed(filled: Archive, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """With an index of few vectors, of which a search reads all lists."""
    monkeypatch.setattr(vector_lists, "FROM", 10)
    monkeypatch.setattr(nearest_scan, "FEW", 0)
    filled.index.refresh(save=True)
    assert filled.index.state() == "intact"
    return filled


def query(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=SIZE).astype(np.float32)


def bonus_for(seed: int) -> FactBonus:
    """As for a query that has the facts of some case."""
    facts = facts_of(seed)
    return FactBonus(
        {kind: {fact.value: 3 * FACT_WEIGHTS[kind].agree} for kind, fact in facts.items()},
        {kind: 3 * FACT_WEIGHTS[kind].disagree for kind in facts},
    )


def plain(
    archive: Archive, vectors: np.ndarray, weights: np.ndarray, kind: Kind, bonus: FactBonus = NO_BONUS
) -> list[tuple[float, int]]:
    """Score and id of every case, best first, by hand."""
    rows = vectors[0 if kind == "image" else 1 :: 2].astype(np.float64)
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    facts = archive.facts_of(range(1, CASES + 1))
    added = [
        sum(bonus.of(one, fact.value) * fact.probability for one, fact in facts.get(case_id, {}).items())
        for case_id in range(1, CASES + 1)
    ]
    scores = rows @ weights + np.array(added)
    return sorted(((float(score), n + 1) for n, score in enumerate(scores)), key=lambda one: -one[0])


@pytest.mark.parametrize("kind", ["image", "report"])
@pytest.mark.parametrize("by", ["filled", "listed"])
def test_the_nearest_are_those_that_a_plain_comparison_finds(
    by: str, kind: Kind, vectors: np.ndarray, request: pytest.FixtureRequest
) -> None:
    archive: Archive = request.getfixturevalue(by)
    found = archive.index.nearest(query(4), kind, 20)
    expected = plain(archive, vectors, query(4), kind)[:20]
    assert found.cases.tolist() == [case_id for _, case_id in expected]
    assert found.vectors @ query(4) == pytest.approx([score for score, _ in expected], abs=0.01)
    assert np.linalg.norm(found.vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert not found.all
    everything = archive.index.nearest(query(4), kind, 999)
    assert everything.all
    assert len(everything.ids) == CASES


@pytest.mark.parametrize("by", ["filled", "listed"])
def test_only_allowed_cases_are_found_even_when_others_are_nearer(by: str, request: pytest.FixtureRequest) -> None:
    archive: Archive = request.getfixturevalue(by)
    found = archive.index.nearest(query(5), "image", 50, Filters(age=(10, 29), sex="F", excluded=(11, 13)))
    assert sorted(found.cases.tolist()) == [15, 17, 19, 21, 23, 25, 27, 29]
    assert found.all
    assert len(archive.index.nearest(query(5), "report", 3, Filters(cases=(7, 9)), bonus=bonus_for(1)).ids) == 2
    assert archive.index.nearest(query(5), "report", 3, Filters(age=(500, None))).all


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("way", ["compared", "one step", "many steps", "many steps, without the lists of facts"])
def test_facts_lift_cases_as_a_plain_sum_does(
    filled: Archive, vectors: np.ndarray, way: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way != "compared":
        monkeypatch.setattr(vector_lists, "FROM", 10)
        monkeypatch.setattr(nearest_scan, "FEW", 0)
        filled.index.refresh()
    if way.startswith("many steps"):
        monkeypatch.setattr(nearest_scan, "DEEP", 8)
    if way.endswith("facts"):
        monkeypatch.setattr(nearest_scan, "FEW_OF_MANY", 0)
    found = filled.index.nearest(query(seed), "report", 6, bonus=bonus_for(seed), nearest=3)
    expected = plain(filled, vectors, query(seed), "report", bonus_for(seed))[:6]
    assert found.cases[:6].tolist() == [case_id for _, case_id in expected]
    scores = found.vectors @ query(seed) + found.bonus
    assert scores[:6] == pytest.approx([score for score, _ in expected], abs=0.02)
    nearest = {case_id for _, case_id in plain(filled, vectors, query(seed), "report")[:3]}
    assert nearest <= {*found.cases.tolist()}
    assert len(found.cases) == len({*found.cases.tolist()})


def test_what_is_known_of_a_case_counts_from_the_moment_it_changes(filled: Archive) -> None:
    bonus = FactBonus({"region": {"neck": 50.0}}, {"region": 0.0})

    def lifted() -> set[int]:
        found = filled.index.nearest(query(1), "image", CASES, bonus=bonus)
        return {*found.cases[found.bonus > 1].tolist()}

    known = filled.facts_of(range(1, CASES + 1))
    before = {case_id for case_id, facts in known.items() if "region" in facts and facts["region"].value == "neck"}
    assert lifted() == before
    lowest = min(before)
    filled.delete([lowest])
    assert lifted() == before - {lowest}
    with filled._database.write() as db:
        db.execute("UPDATE facts SET value = 'neck', probability = 1 WHERE case_id = 40 AND kind = 'region'")
        db.execute("DELETE FROM facts WHERE case_id = ?", [max(before)])
    assert lifted() == (before | {40} if "region" in known[40] else before) - {lowest, max(before)}


def test_a_value_that_no_version_writes_counts_as_other_and_such_a_probability_as_nothing(filled: Archive) -> None:
    with filled._database.write() as db:
        db.execute("DELETE FROM facts")
        db.execute(
            "INSERT INTO facts VALUES (3, 'view', 'from above', 'words', 0.5), (4, 'weather', 'rain', 'user', 1)"
        )
    found = filled.index.nearest(query(1), "image", CASES, bonus=FactBonus({"view": {"axial": 1.0}}, {"view": -2.0}))
    assert {case: bonus for case, bonus in zip(found.cases.tolist(), found.bonus.tolist(), strict=True) if bonus} == {
        3: pytest.approx(-1.0)
    }


def test_vectors_that_come_later_are_found_without_a_new_index(listed: Archive, vectors: np.ndarray) -> None:
    before = names(listed)
    later = -vectors[0]
    case_id = listed.add_case(NewCase("later", images=(NewImage(np.zeros((2, 2), np.uint8), later),)))
    assert listed.index.nearest(later.astype(np.float32), "image", 1).cases.tolist() == [case_id]
    listed.index.refresh(save=True)
    assert names(listed) == before


def test_an_index_that_has_outgrown_its_lists_is_made_anew(listed: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    before = oids(listed)
    monkeypatch.setattr(vector_lists.Ready, "is_outgrown", lambda self, count: True)
    assert listed.index.state() == "behind"
    listed.index.refresh()
    assert not before & oids(listed)
    assert len(oids(listed)) == 2


def test_so_many_vectors_outgrow_so_many_lists() -> None:
    assert not vector_lists.Ready("b", 100).is_outgrown(10_000)
    assert vector_lists.Ready("b", 100).is_outgrown(10_001)
    assert not vector_lists.Ready("b", None).is_outgrown(10_001)


def test_few_vectors_need_no_index(filled: Archive) -> None:
    filled.index.refresh(save=True, anew=True)
    assert filled.index.state() == "intact"
    assert names(filled) == set()


def test_what_a_killed_process_has_left_of_an_index_is_replaced(
    filled: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_lists, "FROM", 10)
    assert filled.index.state() == "missing"
    with filled._database.reading() as db:
        db.execute("CREATE INDEX new_nearest_image_0 ON embeddings (id)")
        db.execute("CREATE INDEX old_nearest_report_0 ON embeddings (id)")
    filled.index.refresh()
    assert filled.index.state() == "intact"
    assert len(names(filled)) == 2
    assert not any(name.startswith(("new_", "old_")) for name in names(filled))


def test_only_one_process_makes_an_index(filled: Archive, address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_lists, "FROM", 10)
    with Archive.open(address) as other, other._database.reading() as db:
        db.execute("SELECT pg_advisory_lock(hashtext('kindred lists'))")
        filled.index.refresh()
        assert filled.index.state() == "missing"
        db.execute("SELECT pg_advisory_unlock_all()")
    filled.index.refresh()
    assert filled.index.state() == "intact"


def test_a_reader_searches_and_makes_no_index(
    filled: Archive, address: Address, server: DepartmentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_lists, "FROM", 10)
    user = f"reader_of_{address.database}"
    server.execute(f"CREATE ROLE {user} LOGIN")
    server.execute(f"GRANT kindred_reader TO {user}")
    with Archive.open(server.address(address.database, user)) as archive:
        archive.index.refresh(save=True)
        assert archive.index.state() == "missing"
        filled.index.refresh()
        for filters in (ANY, Filters(sex="F")):
            found = archive.index.nearest(query(2), "image", 5, filters, bonus=bonus_for(2))
            assert (
                found.ids.tolist()
                == filled.index.nearest(query(2), "image", 5, filters, bonus=bonus_for(2)).ids.tolist()
            )
            assert len(found.ids) == 5


def test_vectors_of_another_bundle_and_length_come_into_no_index(listed: Archive, encoder: WordEncoder) -> None:
    rng = np.random.default_rng(1)
    for kind, table in (("image", "images"), ("report", "reports")):
        ids = [row[0] for row in listed._database.read(f"SELECT id FROM {table} ORDER BY id")]
        listed.new_embeddings.add(kind, "another", ids, rng.normal(size=(len(ids), SIZE + 8)))
    assert listed.new_embeddings.adopt("another")
    assert listed.index.state() == "missing"
    wide = rng.normal(size=SIZE + 8).astype(np.float32)
    before = listed.index.nearest(wide, "image", 5, bundle_id="another").ids.tolist()
    listed.index.refresh(save=True)
    assert listed.index.state() == "intact"
    assert listed.index.nearest(wide, "image", 5, bundle_id="another").ids.tolist() == before
    assert len(names(listed)) == 2
    with pytest.raises(UserError, match="indexed with another model"):
        listed.index.nearest(wide, "image", 5, bundle_id=encoder.id)


def test_an_empty_archive_has_no_neighbors(archive: Archive) -> None:
    assert archive.index.nearest(np.ones(SIZE, np.float32), "image", 5).all
    assert len(archive.index.nearest(np.ones(SIZE, np.float32), "report", 5, bonus=bonus_for(1)).ids) == 0


def names(archive: Archive) -> set[str]:
    """Of the indexes of vectors."""
    sql = "SELECT relname FROM pg_class WHERE relkind = 'i' AND relname LIKE '%nearest%'"
    return {row[0] for row in archive._database.read(sql)}


def oids(archive: Archive) -> set[int]:
    sql = "SELECT oid FROM pg_class WHERE relkind = 'i' AND relname LIKE '%nearest%'"
    return {row[0] for row in archive._database.read(sql)}
