"""A benchmark replaces its own section of the document and leaves the others as they are."""

from pathlib import Path

from benchmarks._section import put

DOCUMENT = "# Speed\n\nIntroduction.\n\n## One\n\nold one\n\n## Two\n\nold two\n"


def test_a_section_is_replaced_in_its_place(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    document.write_text(DOCUMENT)
    put(document, "One", "new one\n")
    assert document.read_text() == DOCUMENT.replace("old one", "new one")
    put(document, "Two", "new two")
    assert document.read_text() == DOCUMENT.replace("old", "new")


def test_a_new_section_comes_last(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    document.write_text(DOCUMENT)
    put(document, "Three", "| a |\n|---|")
    assert document.read_text() == DOCUMENT + "\n## Three\n\n| a |\n|---|\n"
    put(document, "Three", "again")
    assert document.read_text() == DOCUMENT + "\n## Three\n\nagain\n"
