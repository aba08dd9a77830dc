"""From opening a study to a signed report in twelve keys: those that docs/writing.md lists, and no mouse."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pytestqt.qtbot import QtBot

from desktop.app import App
from engine.bundle import Bundle
from engine.image.archived import is_archived
from tests.desktop.reading import STUDY, Hands, archive_to_search, study_to_read
from tests.paths import ROOT

MOST = 12
HEADING = "## Eleven keys from opening a study to signing it"
NAME = "Ada Byron"


def documented() -> list[list[str]]:
    """The keys of each row of the table in docs/writing.md."""
    text = (ROOT / "docs" / "writing.md").read_text(encoding="utf-8").partition(HEADING)[2].partition("\n## ")[0]
    return [re.findall(r"`([^`]+)`", row) for row in re.findall(r"^\| ([^|]*`[^|]*)\|", text, re.MULTILINE)]


def test_a_study_is_opened_compared_drafted_and_signed_with_the_documented_keys(
    qtbot: QtBot, launch: Callable[..., App], starter_bundle: Bundle, tmp_path: Path
) -> None:
    app = launch()
    app.window.resize(1920, 1080)  # the proposals fit whatever the font
    desk = app.desk
    desk.archive.open(archive_to_search(tmp_path / "archive", starter_bundle))
    desk.settings.remember_opened([study_to_read(tmp_path / "studies")])
    desk.settings.remember_signer(NAME)  # of an earlier day
    hands = Hands(app, partial(qtbot.waitUntil, timeout=60_000))
    opening, finding, comparing, drafting, taking, asking, naming, signing = documented()

    hands.press(*opening)
    assert desk.studies.study is not None
    assert desk.studies.study.uid == STUDY
    hands.press(*finding)
    assert desk.search.strengths[0].word == "Strong"
    hands.press(*comparing)
    left, right = desk.layout.viewports
    assert not is_archived(left.series)
    assert is_archived(right.series)
    assert desk.comparison.case_id == desk.search.hits[0].case_id
    hands.press(*drafting)
    proposed = [row.proposal.sentence.text for row in desk.report.rows]
    hands.press(*taking)
    page = desk.report.page
    assert page is not None
    assert page.text == " ".join(proposed)
    hands.press(*asking, *naming, *signing)
    assert page.signed
    assert page.destination.startswith(f"Signed, {NAME}")
    assert hands.keys <= MOST
