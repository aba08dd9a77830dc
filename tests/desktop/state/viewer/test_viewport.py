"""One viewport: scrolling, window, inversion, series changes, unreadable frames. No widgets."""

import threading

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from desktop.background import Background
from desktop.state.formatting import format_date, format_window, readable_name
from desktop.state.pictures.frame_cache import FrameCache
from desktop.state.viewer import geometry
from desktop.state.viewer.annotations import annotate
from desktop.state.viewer.viewport import ViewportState
from engine.dicom.listing import open_path
from engine.errors import UserError
from engine.image.pixels import Pixels, read_frame
from engine.image.voi import Window
from engine.image.window import presets
from engine.study import FrameRef, Series, Study
from tests.desktop.conftest import dicom


def study_of(name: str) -> tuple[Study, Series]:
    study = open_path(dicom(name)).studies[0]
    return study, study.series[0]


def show(qtbot: QtBot, background: Background, name: str) -> ViewportState:
    state = ViewportState(background)
    state.resize(800, 600, 1.0)
    state.show(*study_of(name))
    qtbot.waitUntil(background.idle)
    return state


def test_scrolling_ends_on_the_last_frame_asked_for(qtbot: QtBot, background: Background) -> None:
    state = show(qtbot, background, "emri_small.dcm")
    for _ in range(4):
        state.scroll(2)
    qtbot.waitUntil(background.idle)
    assert state.index == 8
    assert state.picture is not None
    assert state.picture.index == 8
    expected = read_frame(state.picture.ref)
    np.testing.assert_array_equal(state.picture.pixels.values, expected.values)


def test_scrolling_stops_at_both_ends(qtbot: QtBot, background: Background) -> None:
    state = show(qtbot, background, "emri_small.dcm")
    state.scroll(100)
    assert state.index == 9
    state.scroll(-100)
    assert state.index == 0
    qtbot.waitUntil(background.idle)


def test_neighbours_are_prefetched(qtbot: QtBot, background: Background) -> None:
    cache = FrameCache()
    state = ViewportState(background, cache)
    study, series = study_of("emri_small.dcm")
    state.show(study, series)
    qtbot.waitUntil(lambda: all(ref in cache for ref in series.frames))


def test_dragging_right_widens_and_dragging_up_brightens(qtbot: QtBot, background: Background) -> None:
    state = show(qtbot, background, "CT_small.dcm")
    before, picture = state.shown_window, state.picture
    assert before is not None
    assert picture is not None
    state.drag_window(30, 0)
    assert state.shown_window is not None
    assert state.shown_window.width > before.width
    assert state.shown_window.center == before.center
    state.set_window(before)
    state.drag_window(0, -30)
    qtbot.waitUntil(background.idle)
    assert state.picture is not None
    assert state.picture.image().mean() > picture.image().mean()


def test_a_dose_map_is_windowed_as_finely_as_its_values_are(qtbot: QtBot, background: Background) -> None:
    """This one has steps of a millionth of a gray; nothing narrower is of use."""
    state = show(qtbot, background, "rtdose.dcm")
    before = state.shown_window
    assert before is not None
    assert before.width < 0.9
    state.drag_window(-150, 30)
    after = state.shown_window
    assert after is not None
    assert after.width == pytest.approx(before.width / 2)
    assert after.center == pytest.approx(before.center + before.width / 10)
    for _ in range(40):
        state.drag_window(-1000, 0)
    assert state.shown_window.width == 1e-6
    qtbot.waitUntil(background.idle)


def test_a_window_of_whole_numbers_is_not_dragged_below_one(qtbot: QtBot, background: Background) -> None:
    state = show(qtbot, background, "CT_small.dcm")
    for _ in range(20):
        state.drag_window(-1000, 0)
    assert state.shown_window is not None
    assert state.shown_window.width == 1
    qtbot.waitUntil(background.idle)


@pytest.mark.parametrize(
    ("center", "width", "words"),
    [
        (40, 400, "W 400  L 40"),
        (32, 8, "W 8  L 32"),
        (5, 9.5, "W 9.50  L 5.00"),
        (0.25, 0.8, "W 0.800  L 0.250"),
        (0.00105, 0.0021, "W 0.00210  L 0.00105"),
        (1.1e-9, 2e-9, "W 2e-09  L 1.1e-09"),
    ],
)
def test_a_window_is_written_with_the_digits_that_its_width_needs(center: float, width: float, words: str) -> None:
    assert format_window(Window(center, width)) == words


def test_the_window_stays_while_scrolling_and_goes_with_the_series(qtbot: QtBot, background: Background) -> None:
    state = show(qtbot, background, "emri_small.dcm")
    state.drag_window(40, 10)
    chosen = state.window
    state.scroll(1)
    qtbot.waitUntil(background.idle)
    assert state.picture is not None
    assert state.picture.window == chosen
    state.show(*study_of("CT_small.dcm"))
    assert state.window is None
    qtbot.waitUntil(background.idle)


def test_presets_are_those_of_the_modality(qtbot: QtBot, background: Background) -> None:
    state = show(qtbot, background, "CT_small.dcm")
    state.apply_preset(2)
    qtbot.waitUntil(background.idle)
    assert state.picture is not None
    assert state.picture.window == presets("CT")[1]
    state.apply_preset(0)
    assert state.window is None
    qtbot.waitUntil(background.idle)


def test_a_picture_panned_aside_stays_in_sight_of_a_smaller_viewport(qtbot: QtBot, background: Background) -> None:
    state = show(qtbot, background, "CT_small.dcm")
    state.actual_pixels()
    state.pan_by(330, 250)
    state.resize(200, 150, 1.0)
    qtbot.waitUntil(background.idle)
    assert state.shape is not None
    left, top, _, _ = geometry.rectangle(state.view, state.shape)
    assert (left, top) == (150, 112.5)
    assert state.view.scale == 1


def test_reset_undoes_window_inversion_and_zoom(qtbot: QtBot, background: Background) -> None:
    state = show(qtbot, background, "CT_small.dcm")
    state.drag_window(40, 10)
    state.toggle_invert()
    state.zoom_by(3)
    state.reset()
    qtbot.waitUntil(background.idle)
    assert (state.window, state.inverted, state.view.scale) == (None, False, None)
    assert state.picture is not None
    assert not state.picture.inverted


def test_an_answer_for_the_series_before_is_dropped(qtbot: QtBot, background: Background) -> None:
    gate, slow = threading.Event(), study_of("CT_small.dcm")

    def read(ref: FrameRef) -> Pixels:
        if ref == slow[1].frames[0]:
            gate.wait(10)
        return read_frame(ref)

    state = ViewportState(background, read=read)
    shown: list[str] = []
    state.picture_changed.connect(lambda: shown.append(state.picture.series.modality if state.picture else ""))
    state.show(*slow)
    state.show(*study_of("MR_small.dcm"))
    qtbot.waitUntil(lambda: state.picture is not None)
    gate.set()
    qtbot.waitUntil(background.idle)
    assert "CT" not in shown
    assert state.picture is not None
    assert state.picture.series.modality == "MR"


def test_an_unreadable_frame_says_why_and_the_next_one_still_shows(qtbot: QtBot, background: Background) -> None:
    study, series = study_of("emri_small.dcm")

    def read(ref: FrameRef) -> Pixels:
        if ref == series.frames[1]:
            raise UserError("The file is cut short; copy it again.")
        return read_frame(ref)

    state = ViewportState(background, read=read)
    state.show(study, series)
    qtbot.waitUntil(background.idle)
    state.go_to(1)
    qtbot.waitUntil(background.idle)
    assert state.picture is None
    assert state.failure == "The file is cut short; copy it again."
    state.go_to(2)
    qtbot.waitUntil(background.idle)
    assert state.failure == ""
    assert state.picture is not None
    assert state.picture.index == 2


def test_annotations_name_the_picture_on_screen(qtbot: QtBot, background: Background) -> None:
    state = show(qtbot, background, "emri_small.dcm")
    state.go_to(4)
    qtbot.waitUntil(background.idle)
    notes = annotate(state)
    assert any(line.startswith("5 / 10") for line in notes.bottom_left)
    assert any(line.startswith("W ") or "  L " in line for line in notes.bottom_right)


def test_hidden_patient_data_leaves_no_name_on_the_picture(qtbot: QtBot, background: Background) -> None:
    state = show(qtbot, background, "CT_small.dcm")
    assert "CompressedSamples" in annotate(state).top_left[0]
    state.set_patient_data_visible(False)
    assert annotate(state).top_left == ("Patient data hidden",)


def test_the_hospital_is_named_as_long_as_the_patient_is(qtbot: QtBot, background: Background) -> None:
    state = show(qtbot, background, "CT_small.dcm")
    assert annotate(state).top_right[0] == "JFK IMAGING CENTER"
    state.set_patient_data_visible(False)
    assert not any("JFK" in line for line in annotate(state).top_right)


def test_the_overlay_text_has_slice_position_and_thickness(qtbot: QtBot, background: Background) -> None:
    assert "-75.7 mm · 5 mm thick" in annotate(show(qtbot, background, "CT_small.dcm")).bottom_left


def test_letters_stand_at_the_edges_of_an_axial_slice(qtbot: QtBot, background: Background) -> None:
    state = show(qtbot, background, "CT_small.dcm")
    assert annotate(state).edges == ("R", "A", "L", "P")


def test_names_and_dates_are_written_for_people() -> None:
    assert readable_name("Yamada^Tarou=山田^太郎") == "Yamada, Tarou"
    assert readable_name("Doe^Jane^Q^Dr^MD") == "Doe, Dr Jane Q, MD"
    assert readable_name("=山田^太郎=やまだ^たろう") == "山田, 太郎"
    assert readable_name("==やまだ^たろう") == "やまだ, たろう"
    assert readable_name("^^=김희중") == "김희중"
    assert readable_name("^^^^Jr") == "Jr"
    assert readable_name("^=^=") == ""
    assert format_date("20040826") == "2004-08-26"
    assert format_date("") == ""
