"""A report that is mostly unchanged machine wording says so, is found, and supports nothing."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from engine.archive import Archive
from engine.reports.nearest_report import near_reports
from engine.retrieval.case_text import copied_text
from engine.retrieval.search import Query, search
from engine.store.case import NewCase


@pytest.mark.parametrize(("share", "supports"), [(0.0, True), (0.49, True), (0.5, False), (1.0, False)])
def test_only_a_report_in_own_words_is_evidence(
    archive: Archive, encoder, make_case: Callable[..., NewCase], share: float, supports: bool
) -> None:
    case = make_case("1", "There is a large left effusion.", seeds=(1,))
    assert case.report is not None
    case_id = archive.add_case(replace(case, report=replace(case.report, state="signed", machine_share=share)))
    stored = archive.case(case_id)
    assert stored.report is not None
    assert (stored.report.machine_share, stored.report.mostly_machine) == (share, not supports)
    assert bool(near_reports(archive, encoder, case.images[0].embedding).reports) == supports
    assert (archive.all_images()[0].report is not None) == supports  # what models are adapted to
    assert ("mostly unchanged machine wording" in copied_text(stored)) != supports
    assert search(archive, encoder, Query(text="large left effusion")).hits[0].case_id == case_id
