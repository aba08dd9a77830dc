"""Words and filters meet in one pass over the full-text index."""

from collections.abc import Callable

from engine.archive import Archive
from engine.store.case import NewCase
from engine.store.filters import Filters
from engine.store.full_text import FullText


def test_a_filter_does_not_ask_the_full_text_index_once_for_each_report(
    archive: Archive, make_case: Callable[..., NewCase]
) -> None:
    for number, modality in enumerate(("CT", "MR", "CT")):
        archive.add_case(make_case(str(number), "Small effusion.", modality=modality))
    plans: list[str] = []

    def read(sql: str, values: list[object]) -> list[object]:
        plans.extend(str(row[3]) for row in archive._database.read(f"EXPLAIN QUERY PLAN {sql}", values))
        return archive._database.read(sql, values)

    found = FullText(read).find('"effusion"', 10, Filters(modalities=("CT",)))
    assert [match.case_id for match in found] == [1, 3]
    ranking = next(plan for plan in plans if "reports_fts VIRTUAL TABLE" in plan)
    assert "=" not in ranking, "an equality: one look-up for each row"
