"""Lines of overlay text never overlap, however small the viewport."""

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QFontMetricsF, QPainter
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.viewer.annotations import annotate
from desktop.views.painting import graphics_painters, overlay_text
from desktop.views.painting.overlay_text import TextLine
from desktop.views.viewer import viewport
from tests.desktop.conftest import dicom, open_paths, settle


@pytest.mark.parametrize("name", ["CT_small.dcm", "examples_overlay.dcm"])
def test_overlay_text_letters_and_scale_do_not_overlap_in_the_smallest_viewports(
    qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    written: list[tuple[str, QRectF]] = []
    draw_text = overlay_text.draw_text

    def note(painter: QPainter, line: TextLine) -> None:
        box = QRectF(line.rect)
        box.setWidth(QFontMetricsF(painter.font()).horizontalAdvance(line.text))
        written.append((line.text, box.adjusted(0, 1, 0, -1)))
        draw_text(painter, line)

    open_paths(qtbot, app, dicom(name))
    app.actions.actions["grid_3x3"].trigger()
    settle(qtbot, app)
    monkeypatch.setattr(viewport, "draw_text", note)
    monkeypatch.setattr(graphics_painters, "draw_text", note)
    app.window.viewport.grab()
    assert any(text.endswith(("cm", "mm")) for text, _ in written)
    clashes = [
        (one, other)
        for index, (one, rect) in enumerate(written)
        for other, beside in written[index + 1 :]
        if rect.intersects(beside)
    ]
    assert clashes == []


def test_a_screen_reader_gets_the_overlay_text(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("emri_small.dcm"))
    view = app.window.viewport
    app.desk.viewport.go_to(4)
    settle(qtbot, app)
    view.grab()
    assert "5 / 10" in view.accessibleDescription()
    assert any(line in view.accessibleDescription() for line in annotate(app.desk.viewport).bottom_right)
