"""Where the frames of a reconstructed SPECT lie, and how fast a loop plays. Files derived from a real MR."""

from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from engine.dicom.listing import open_path
from engine.dicom.multiframe import frame_time
from engine.geometry.planes import edge_letters
from engine.image.volume import why_no_volume
from engine.study import Series
from tests.engine.dicom_samples import derive


def spect(path: Path, frames: int = 6, kind: str = "RECON TOMO", **changes: Any) -> tuple[Series, ...]:
    """The stacks of a reconstructed SPECT whose place lies in the Detector Information Sequence."""
    detector = Dataset()
    detector.ImagePositionPatient, detector.ImageOrientationPatient = [0, 0, 100], [1, 0, 0, 0, 1, 0]
    own = {"ImagePositionPatient": None, "ImageOrientationPatient": None, "PixelSpacing": [4, 4], "Modality": "NM"}
    slices = {"SpacingBetweenSlices": "-4", "ImageType": ["ORIGINAL", "PRIMARY", kind, "EMISSION"]}
    numbers = {"NumberOfFrames": frames, "DetectorInformationSequence": [detector]}
    derive(path, "MR_small.dcm", **(own | slices | numbers | changes))
    made = dcmread(path)
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.20"
    made.PixelData = made.PixelData * frames
    made.save_as(path)
    return open_path(path).studies[0].series


def places(series: Series) -> dict[int, float | None]:
    return {frame.frame: frame.position[2] if frame.position else None for frame in series.frames}


def test_slices_with_a_negative_spacing_lie_in_front_of_the_first(tmp_path: Path) -> None:
    (series,) = spect(tmp_path / "a")
    assert places(series) == {index: 100.0 - 4 * index for index in range(6)}
    assert edge_letters(series.frames[0]) == ("R", "A", "L", "P")
    assert why_no_volume(series.frames) == ""


def test_slices_with_a_positive_spacing_lie_behind_the_first(tmp_path: Path) -> None:
    (series,) = spect(tmp_path / "a", SpacingBetweenSlices="4.5")
    assert places(series) == {index: 100.0 + 4.5 * index for index in range(6)}


def test_the_slice_vector_says_which_slice_a_frame_is(tmp_path: Path) -> None:
    (series,) = spect(tmp_path / "a", SliceVector=[6, 5, 4, 3, 2, 1])
    assert places(series) == {index: 80.0 + 4 * index for index in range(6)}


def test_a_slice_vector_that_does_not_count_the_frames_is_ignored(tmp_path: Path) -> None:
    (series,) = spect(tmp_path / "a", SliceVector=[6, 5, 4])
    assert places(series) == {index: 100.0 - 4 * index for index in range(6)}


@pytest.mark.parametrize("spacing", [None, "", "0"])
def test_without_a_spacing_the_direction_is_known_and_the_place_is_not(tmp_path: Path, spacing: str | None) -> None:
    (series,) = spect(tmp_path / "a", SpacingBetweenSlices=spacing)
    assert set(places(series).values()) == {None}
    assert edge_letters(series.frames[0]) == ("R", "A", "L", "P")


def test_gated_slices_are_a_stack_a_time_slot(tmp_path: Path) -> None:
    vectors = {"TimeSlotVector": [1, 1, 1, 2, 2, 2], "SliceVector": [1, 2, 3, 1, 2, 3], "RRIntervalVector": [1] * 6}
    series = spect(tmp_path / "a", kind="RECON GATED TOMO", **vectors)
    assert [one.part for one in series] == ["time 1", "time 2"]
    assert [list(places(one).values()) for one in series] == [[100, 96, 92], [100, 96, 92]]


def test_one_gated_slice_is_one_stack_to_play(tmp_path: Path) -> None:
    vectors = {"TimeSlotVector": [1, 2, 3, 4, 5, 6], "SliceVector": [1] * 6}
    (series,) = spect(tmp_path / "a", kind="RECON GATED TOMO", **vectors)
    assert [frame.temporal for frame in series.frames] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("kind", ["TOMO", "STATIC", "WHOLE BODY", "DYNAMIC"])
def test_projections_have_no_slices(tmp_path: Path, kind: str) -> None:
    (series,) = spect(tmp_path / "a", kind=kind)
    assert set(places(series).values()) == {None}


TIME, VECTOR = 0x00181063, 0x00181065


@pytest.mark.parametrize(
    ("elements", "milliseconds"),
    [
        ({}, None),
        ({"FrameTime": "33.33"}, 33.33),
        ({"FrameTime": "0"}, None),
        ({"FrameTime": "-5", "CineRate": "20"}, 50.0),
        ({"CineRate": "25"}, 40.0),
        ({"FrameTime": "33.33", "RecommendedDisplayFrameRate": "10"}, 100.0),
        ({"FrameTime": "60000", "RecommendedDisplayFrameRate": "5"}, 200.0),
        ({"FrameTime": "60000", "CineRate": "5"}, 200.0),
        ({"CineRate": "30", "RecommendedDisplayFrameRate": "10"}, 100.0),
        ({"RecommendedDisplayFrameRateInFloat": 12.5, "RecommendedDisplayFrameRate": "10"}, 80.0),
        ({"RecommendedDisplayFrameRate": "0", "FrameTime": "50"}, 50.0),
        ({"FrameTimeVector": ["0", "40", "60"]}, 50.0),
        ({"FrameTimeVector": ["0", "0", "0"], "FrameTime": "20"}, 20.0),
        ({"FrameTime": "20", "FrameTimeVector": ["0", "40", "60"], "FrameIncrementPointer": TIME}, 20.0),
        ({"FrameTime": "20", "FrameTimeVector": ["0", "40", "60"], "FrameIncrementPointer": VECTOR}, 50.0),
        (
            {"FrameTime": "20", "FrameTimeVector": ["0", "40", "60"], "FrameIncrementPointer": [0x00540080, VECTOR]},
            50.0,
        ),
        ({"FrameTime": "20", "FrameIncrementPointer": [0x00540010, 0x00540020]}, 20.0),
    ],
)
def test_a_loop_plays_as_the_file_says_it_is_to_be_shown(elements: dict[str, Any], milliseconds: float | None) -> None:
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    assert frame_time(made) == (None if milliseconds is None else pytest.approx(milliseconds))


def test_the_rate_is_read_from_a_file_too(tmp_path: Path) -> None:
    pointed = {"FrameTime": "20", "FrameTimeVector": ["0", "40", "60"], "FrameIncrementPointer": VECTOR}
    for name in ("MR_small.dcm", "MR_small_bigendian.dcm"):  # the fast header, and pydicom's
        derive(tmp_path / name, name, **pointed)
        assert open_path(tmp_path / name).studies[0].series[0].frames[0].image.frame_time == 50.0
