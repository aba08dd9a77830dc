"""Slabs of MPR in the real window: chosen, thickened, named on the image, and left again."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QInputDialog
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.viewer.annotations import annotate
from engine.measure.measurements import Measurement
from tests.desktop.conftest import settle
from tests.desktop.state.mpr.conftest import open_mpr, run


@pytest.fixture
def mpr(qtbot: QtBot, app: App, tmp_path: Path) -> App:
    return open_mpr(qtbot, app, tmp_path, [2.0 * index for index in range(7)], at=3)


def line(app: App, number: int = 0) -> str:
    """The line of the overlay text that names the plane."""
    return annotate(app.desk.layout.viewports[number]).bottom_left[-2]


def test_a_slab_is_named_on_each_plane_with_its_thickness(qtbot: QtBot, mpr: App) -> None:
    assert [line(mpr, number) for number in range(3)] == ["Axial", "Coronal", "Sagittal"]
    run(qtbot, mpr, "slab_max")
    assert line(mpr) == "Axial · MIP 10 mm"
    assert line(mpr, 1).startswith("Coronal · MIP 9.9")  # 15 planes of 0.66 mm
    mpr.desk.layout.viewports[0].go_to(0)
    settle(qtbot, mpr)
    assert line(mpr) == "Axial · MIP 6 mm"  # clipped at the end of the volume
    run(qtbot, mpr, "slab_none")
    assert line(mpr) == "Axial"


def test_planes_stay_where_they_are_while_the_slab_changes(qtbot: QtBot, mpr: App) -> None:
    views = mpr.desk.layout.viewports[:3]
    views[1].go_to(40)
    views[0].zoom_by(2.0)
    settle(qtbot, mpr)
    before = [(one.index, one.view, one.window) for one in views]
    thin = views[1].picture
    assert thin is not None
    run(qtbot, mpr, "next_slab")
    assert [(one.index, one.view, one.window) for one in views] == before
    thick = views[1].picture
    assert thick is not None
    assert (thick.pixels.values >= thin.pixels.values).all()
    assert np.any(thick.pixels.values > thin.pixels.values)


def test_keys_go_through_projections_and_thicknesses(qtbot: QtBot, mpr: App) -> None:
    view = mpr.window.viewport
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_M, Qt.KeyboardModifier.ShiftModifier)
    settle(qtbot, mpr)
    assert mpr.desk.slab.slab.kind == "max"
    qtbot.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    assert mpr.desk.slab.slab.thickness == 15
    for _ in range(3):
        qtbot.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert mpr.desk.slab.slab.thickness == 5
    run(qtbot, mpr, "next_slab", "next_slab")
    assert mpr.desk.slab.slab.kind == "mean"
    assert line(mpr).startswith("Axial · Mean 4 mm")
    run(qtbot, mpr, "next_slab")
    assert not mpr.desk.slab.shown


def test_a_thickness_is_typed(qtbot: QtBot, mpr: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QInputDialog, "getDouble", lambda *given, **named: (6.0, True))
    run(qtbot, mpr, "slab_min", "slab_thickness")
    assert line(mpr) == "Axial · MinIP 6 mm"


def test_a_measurement_belongs_to_the_slab_on_which_it_was_drawn(qtbot: QtBot, mpr: App) -> None:
    desk = mpr.desk
    run(qtbot, mpr, "slab_max")
    picture = desk.viewport.picture
    assert picture is not None
    image = picture.ref.image
    desk.measurements.add(Measurement("ellipse", ((20, 20), (40, 40)), image.sop_uid, picture.ref.frame))
    assert len(desk.measurements.on(desk.viewport)) == 1
    run(qtbot, mpr, "slab_none")
    assert desk.measurements.on(desk.viewport) == ()
    run(qtbot, mpr, "slab_max")
    assert len(desk.measurements.on(desk.viewport)) == 1


def test_mpr_opens_with_single_planes_again(qtbot: QtBot, mpr: App) -> None:
    run(qtbot, mpr, "slab_max", "mpr")
    assert not mpr.actions.actions["next_slab"].isEnabled()
    run(qtbot, mpr, "mpr")
    assert line(mpr) == "Axial"


def test_a_roi_on_a_slab_says_so_in_the_report(qtbot: QtBot, mpr: App) -> None:
    run(qtbot, mpr, "slab_max")
    picture, page = mpr.desk.viewport.picture, mpr.desk.report.page
    assert picture is not None
    assert page is not None
    roi = Measurement("ellipse", ((20, 20), (40, 40)), picture.ref.image.sop_uid, picture.ref.frame)
    mpr.desk.measurements.add(roi)
    run(qtbot, mpr, "insert_into_report")
    assert page.document.text.endswith("HU, Axial MIP 10 mm")
