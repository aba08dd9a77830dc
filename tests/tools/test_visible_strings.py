"""Which strings of the source a person can meet."""

import re

import pytest

from tools import visible_strings
from tools.visible_strings import strings_of

SOURCE = '''
"""A module docstring is for developers."""
KEY = values["case id"]
label.setText("Similar cases")
raise UserError(f"The file {path} cannot be read; choose another one.")
log.info("A log line is for developers")
db.execute("SELECT id FROM cases WHERE key = ?", [key])
PATTERN = re.compile(r"No (finding|lesion) of this kind")
Command("draft", "Draft report", "Ctrl+D")
name = "case_id"
'''


def test_prose_is_listed_and_code_is_not() -> None:
    assert [text for _, text in strings_of(SOURCE)] == [
        "Similar cases",
        "The file {} cannot be read; choose another one.",
        "Draft report",
    ]


def test_the_list_holds_menus_errors_and_shipped_labels(capsys: pytest.CaptureFixture[str]) -> None:
    assert visible_strings.main([]) == 0
    told = capsys.readouterr().out
    for text in ("Open files…", "Mediastinum", "The number of hits must be at least 1."):
        assert text in told
    assert int(told.split()[-2].replace(",", "")) > 1000


def test_one_folder_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert visible_strings.main(["engine/text"]) == 0
    assert "desktop/" not in capsys.readouterr().out


RETIRED = re.compile(
    r"\w\(s\)|\bis no \w+ (?!longer)file|near report|others alike|chosen case|as the image says|free region|"
    r"window of their own|mistake|attack on|you may not read|fits the query|picture archive|to these models$",
    re.IGNORECASE,
)
STORED = {"picture archive"}
"""Still written by every version, as a value in the archive."""


def test_no_string_uses_a_retired_expression() -> None:
    shown = [text for path in visible_strings.files() for _, text in strings_of(path.read_text(encoding="utf-8"))]
    assert [text for text in shown if RETIRED.search(text) and text not in STORED] == []
