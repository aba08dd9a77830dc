"""Re-indexing on a Ray cluster of this computer, where Ray is installed; it is no dependency of Kindred."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.archive import Archive
from engine.bundle import Bundle
from engine.errors import UserError
from engine.importing.work import queueing
from engine.importing.work.on_ray import reindex_on_ray
from tools.department_server import DepartmentServer


@pytest.fixture
def archive(server: DepartmentServer, template: str) -> Iterator[Archive]:
    made = server.empty_database(template)
    with Archive.open(made) as opened:
        yield opened
    server.drop(made)


def test_without_ray_it_is_named(archive: Archive, starter_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match="pip install ray"):
        reindex_on_ray(archive, starter_bundle, "local")
    assert archive.work.jobs() == []


@pytest.mark.filterwarnings("ignore")  # of Ray
def test_a_cluster_reindexes_an_archive(
    archive: Archive,
    starter_bundle: Bundle,
    make_case: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("ray", reason="Ray is not installed; it was tried in an environment that has it")
    monkeypatch.setattr(queueing, "ROWS", 2)
    for n in range(8):
        archive.add_case(make_case(f"k{n}", f"Report {n}.", seeds=(n,)))
    assert reindex_on_ray(archive, starter_bundle, "local") == 16
    assert archive.bundle_id == starter_bundle.id
    assert archive.problems(deep=True) == []
    assert [row["action"] for row in archive.audit()] == ["moved to another model"]
    workers = {row[0] for row in archive.work._execute("SELECT worker FROM work WHERE worker <> ''")}
    assert len(workers) == 2
