"""No text is taken for a command, and none ends an import or a search, on either store."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.archive import Archive
from engine.importing.importer import import_path
from engine.retrieval.search import Query, SearchOptions, search
from engine.store.case import NewCase
from engine.store.filters import Filters

Make = Callable[..., NewCase]
HOSTILE = (
    "'; DROP TABLE kindred.cases; --",
    '" OR 1=1 --',
    "% %s %(name)s %%",
    "? ?? :name :kind ::text",
    "\\ \\\\ \\' \\x00 E'\\n'",
    "$$ $1 $tag$ {0} {}",
    "left\0effusion\0",
    "\ufeff\u202eright-to-left\u200b\u2028",
    "a" * 5000,
    "😀 effusion 胸水 \U0010ffff",
    "& | ! <-> :* ( ) NEAR AND OR NOT *",
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_is_typed_is_searched_for_and_whatever_a_report_says_is_kept(
    archive: Archive, encoder, make_case: Make, text: str
) -> None:
    archive.add_case(make_case("1", f"Effusion {text} end", modality="CT", description=text, patient=text), encoder.id)
    for mode in ("lexical", "hybrid"):
        search(archive, encoder, Query(text=text), SearchOptions(mode=mode))  # type: ignore[arg-type]
    hits = search(archive, None, Query(text="effusion"), SearchOptions(mode="lexical")).hits
    assert [hit.case_id for hit in hits] == [1]
    assert archive.full_text.find([text], 5, Filters(modalities=[text], sex=text)) == []
    archive.full_text.containing([text], 5)
    assert archive.reports_of([1])[1].replace("\0", "") == f"Effusion {text} end".replace("\0", "")
    assert archive.find_case("1") == 1
    assert archive.problems(deep=True) == []
    assert archive.cases_of_patient(text) <= {1}


def test_a_report_with_a_nul_is_imported_and_does_not_end_the_import(archive: Archive, encoder, tmp_path: Path) -> None:
    (tmp_path / "reports.csv").write_bytes(b"id,text\nR1,Left effusion.\nR2,Right\0 fracture.\nR3,Normal.\n")
    result = import_path(archive, encoder, tmp_path / "reports.csv")
    assert result.added + len(result.rejected) == 3
    texts = {text.replace("\0", "") for text in archive.reports_of(archive.case_ids()).values()}
    assert {"Left effusion.", "Normal."} <= texts
    assert archive.problems(deep=True) == []
