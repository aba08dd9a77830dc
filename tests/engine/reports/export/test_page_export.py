"""Exported text and HTML, and files as such."""

import os
import stat
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from engine.errors import UserError
from engine.reports.export.exported_report import LABEL, NO_REPORT, ExportedReport, shown_name
from engine.reports.export.formats import FORMATS, export_report
from engine.reports.export.html import as_html
from engine.reports.export.plain_text import as_text
from engine.study import Study
from tests.engine.reports.export.conftest import TEXT


class _Words(HTMLParser):
    """The words of a page, and its images."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words, self.images = "", 0
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.words += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.images += tag == "img"
        self.words += "\n" if tag == "br" else ""


def test_text_has_label_identity_signature_addendum_and_marks(report: ExportedReport) -> None:
    text = as_text(report)
    assert text.startswith(LABEL)
    assert text.rstrip().endswith(f"({LABEL})")
    assert TEXT in text
    for line in ("Patient: Dr Ada Müller", "Patient ID: P-17", "Study date: 2026-03-04", "Accession number: ACC 7"):
        assert line in text
    assert "Status: Signed, Grace Hopper, 2026-03-04" in text
    assert "Addendum, Ada Byron, 2026-03-05" in text
    assert 'Accepted unchanged, from case 7 in chest: "No pleural effusion."' in text
    assert "Series 1, image 2" in text


def test_a_page_shows_the_same_words_and_the_key_images(report: ExportedReport) -> None:
    page = as_html(report)
    found = _Words(page)
    for paragraph in TEXT.split("\n\n"):
        assert paragraph in found.words
    assert found.images == 2
    assert found.words.count(LABEL) == 2
    assert "<unverändert>" not in page
    assert _Words(as_html(report, with_images=False)).images == 0


def test_no_page_can_load_or_run_anything(report: ExportedReport) -> None:
    page = as_html(replace(report, text='<script src="http://example.org/x.js"></script>'))
    assert "<script" not in page
    assert "http" not in page.replace("http://example.org/x.js", "")


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_can_be_read_by_its_owner_only(name: str, report: ExportedReport, tmp_path: Path) -> None:
    path = tmp_path / f"report{FORMATS[name].suffix}"
    export_report(report, name, path)
    assert path.stat().st_size > 0
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "ko"])
def test_there_is_nothing_to_export_without_a_text(name: str, study: Study, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=NO_REPORT):
        export_report(ExportedReport.of(study, None), name, tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_a_file_that_cannot_be_written_is_named(report: ExportedReport, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"report\.txt cannot be written"):
        export_report(report, "txt", tmp_path / "missing" / "report.txt")


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("Byron^Ada", "Ada Byron"),
        ("Byron^Ada^K^Dr^PhD", "Dr Ada K Byron, PhD"),
        ("ANON", "ANON"),
        ("=山田^太郎", "太郎 山田"),
    ],
)
def test_names_are_written_as_people_write_them(stored: str, shown: str) -> None:
    assert shown_name(stored) == shown
