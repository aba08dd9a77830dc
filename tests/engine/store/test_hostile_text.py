"""No text is taken for a command, and none ends an import or a search, on either store."""

from collections.abc import Callable
from pathlib import Path

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


def test_whatever_is_typed_is_searched_for_and_whatever_a_report_says_is_kept(
    archive: Archive, encoder, make_case: Make
) -> None:
    for case_id, text in enumerate(HOSTILE, 1):
        said = f"Effusion {text} end"
        archive.add_case(make_case(text, said, modality="CT", description=text, patient=text), encoder.id)
        for mode in ("lexical", "hybrid"):
            search(archive, encoder, Query(text=text), SearchOptions(mode=mode))  # type: ignore[arg-type]
        assert archive.full_text.find([text], 5, Filters(modalities=[text], sex=text)) == []
        archive.full_text.containing([text], 5)
        assert archive.reports_of([case_id])[case_id].replace("\0", "") == said.replace("\0", "")
        assert archive.find_case(text) == case_id
        assert archive.cases_of_patient(text) <= {case_id}
    hits = search(archive, None, Query(text="effusion"), SearchOptions(k=50, mode="lexical")).hits
    assert len(hits) == len(HOSTILE)
    assert archive.problems(deep=True) == []


def test_a_report_with_a_nul_is_imported_and_does_not_end_the_import(archive: Archive, encoder, tmp_path: Path) -> None:
    (tmp_path / "reports.csv").write_bytes(b"id,text\nR1,Left effusion.\nR2,Right\0 fracture.\nR3,Normal.\n")
    result = import_path(archive, encoder, tmp_path / "reports.csv")
    assert result.added + len(result.rejected) == 3
    texts = {text.replace("\0", "") for text in archive.reports_of(archive.case_ids()).values()}
    assert {"Left effusion.", "Normal."} <= texts
    assert archive.problems(deep=True) == []
