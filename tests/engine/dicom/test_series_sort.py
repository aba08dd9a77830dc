"""Which frames belong in one stack, and in which order."""

import random
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid

from engine.dicom.listing import open_path
from engine.study import Series
from tests.engine.dicom_samples import derive, derive_stack, sample

UID = generate_uid()


def series_of(folder: Path) -> tuple[Series, ...]:
    (study,) = open_path(folder).studies
    return study.series


def positions(series: Series) -> list[float]:
    return [frame.position[2] for frame in series.frames if frame.position is not None]


def test_slices_are_sorted_by_position_and_not_by_name(tmp_path: Path) -> None:
    order = [float(z) for z in range(0, 60, 5)]
    shuffled = order[:]
    random.Random(4).shuffle(shuffled)
    derive_stack(tmp_path, shuffled, InstanceNumber=None)
    (series,) = series_of(tmp_path)
    assert positions(series) in (order, order[::-1])


def test_a_stack_runs_in_the_direction_of_its_instance_numbers(tmp_path: Path) -> None:
    derive_stack(tmp_path / "up", [0, 5, 10])
    derive_stack(tmp_path / "down", [10, 5, 0])
    assert positions(series_of(tmp_path / "up")[0]) == [0, 5, 10]
    assert positions(series_of(tmp_path / "down")[0]) == [10, 5, 0]


def test_images_without_a_position_are_sorted_by_instance_number_then_name(tmp_path: Path) -> None:
    for name, number in (("c", 1), ("a", 10), ("b", 2), ("e", None), ("d", None)):
        derive(tmp_path / name, SeriesInstanceUID=UID, InstanceNumber=number, ImagePositionPatient=None)
    (series,) = series_of(tmp_path)
    assert [Path(frame.image.name).name for frame in series.frames] == ["c", "b", "a", "d", "e"]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"EchoNumbers": 2}, "echo 2"),
        ({"TemporalPositionIdentifier": 3}, "time 3"),
        ({"DiffusionBValue": 1000.0}, "b 1000"),
        ({"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}, "(2)"),
        ({"PixelSpacing": [0.5, 0.5]}, "(2)"),
        ({"FrameOfReferenceUID": generate_uid()}, "(2)"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "localizer"),
    ],
)
def test_frames_that_differ_in_kind_are_separate_stacks(tmp_path: Path, change: dict[str, object], part: str) -> None:
    derive_stack(tmp_path / "one", [0, 5, 10], "MR_small.dcm", SeriesInstanceUID=UID, EchoNumbers=1)
    derive_stack(tmp_path / "two", [0, 5, 10], "MR_small.dcm", SeriesInstanceUID=UID, **({"EchoNumbers": 1} | change))
    first, second = series_of(tmp_path)
    assert [len(first.frames), len(second.frames)] == [3, 3]
    assert {first.uid, second.uid} == {UID}
    assert first.key != second.key
    assert part in {first.part, second.part}


def test_other_sizes_are_other_stacks(tmp_path: Path) -> None:
    patient = {"PatientName": "A", "PatientID": "1", "PatientSex": "F", "PatientBirthDate": None}
    derive(tmp_path / "a", "MR_small.dcm", SeriesInstanceUID=UID, StudyInstanceUID=UID, **patient)
    derive(tmp_path / "b", "CT_small.dcm", SeriesInstanceUID=UID, StudyInstanceUID=UID, **patient)
    assert [series.part for series in series_of(tmp_path)] == ["echo 1, 64 x 64", "128 x 128"]


def test_directions_that_differ_by_rounding_stay_together(tmp_path: Path) -> None:
    derive(tmp_path / "a", SeriesInstanceUID=UID, ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    derive(tmp_path / "b", SeriesInstanceUID=UID, ImageOrientationPatient=[1, 0.00001, 0, -0.00001, 1, 0])
    assert len(series_of(tmp_path)) == 1


def test_acquisitions_with_the_same_positions_are_separate_stacks(tmp_path: Path) -> None:
    for acquisition in (1, 2):
        derive_stack(tmp_path / str(acquisition), [0, 5, 10], SeriesInstanceUID=UID, AcquisitionNumber=acquisition)
    first, second = series_of(tmp_path)
    assert positions(first) == positions(second) == [0, 5, 10]
    assert {frame.acquisition for frame in first.frames} != {frame.acquisition for frame in second.frames}


def test_acquisitions_with_different_positions_are_one_stack(tmp_path: Path) -> None:
    derive_stack(tmp_path / "a", [0, 5], SeriesInstanceUID=UID, AcquisitionNumber=1)
    derive_stack(tmp_path / "b", [10, 15], SeriesInstanceUID=UID, AcquisitionNumber=2)
    assert len(series_of(tmp_path)) == 1


def test_a_cine_loop_keeps_its_frame_order_apart_from_still_images() -> None:
    (study,) = open_path(sample("color3d_jpeg_baseline.dcm")).studies
    (series,) = study.series
    assert [frame.frame for frame in series.frames] == list(range(120))
    assert series.frames[0].image.frame_time == pytest.approx(33.333)


def test_a_vector_of_frame_times_gives_their_mean(tmp_path: Path) -> None:
    path = derive(tmp_path / "loop.dcm", "emri_small.dcm", FrameTime=None, FrameTimeVector=[0, *([40.0, 60.0] * 5)[:9]])
    (series,) = open_path(path).studies[0].series
    assert series.frames[0].image.frame_time == pytest.approx(440 / 9)


def test_enhanced_frames_are_sorted_by_their_own_positions() -> None:
    (series,) = open_path(sample("eCT_Supplemental.dcm")).studies[0].series
    header = dcmread(sample("eCT_Supplemental.dcm"), stop_before_pixels=True)
    expected = [
        tuple(float(value) for value in group.PlanePositionSequence[0].ImagePositionPatient)
        for group in header.PerFrameFunctionalGroupsSequence
    ]
    assert [frame.position for frame in series.frames] == [expected[frame.frame] for frame in series.frames]
    assert positions(series) == sorted(positions(series))
    assert series.frames[0].spacing == (0.388672, 0.388672)


def test_planes_of_a_dose_grid_get_their_own_positions() -> None:
    (series,) = open_path(sample("rtdose.dcm")).studies[0].series
    header = dcmread(sample("rtdose.dcm"), stop_before_pixels=True)
    start = float(header.ImagePositionPatient[2])
    assert positions(series) == pytest.approx([start + float(offset) for offset in header.GridFrameOffsetVector])
