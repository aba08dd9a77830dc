"""A slice taken many times is one stack, so that it can be scrolled and played. All files derived."""

from pathlib import Path
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from desktop.state.studies.merging import merge
from engine.dicom.listing import open_path
from engine.study import Series
from tests.engine.dicom_samples import derive

UID = generate_uid()


def times(folder: Path, places: list[list[float] | None], count: int, **changes: Any) -> tuple[Series, ...]:
    """The stacks of a series with `count` time points of slices at these places, numbered against their time."""
    number = 100
    for time in range(1, count + 1):
        for place in places:
            number -= 1
            common = {"SeriesInstanceUID": UID, "TemporalPositionIdentifier": time, "InstanceNumber": number}
            path = folder / f"{number}"
            derive(path, "MR_small.dcm", **(common | {"ImagePositionPatient": place} | changes))
    (study,) = open_path(folder).studies
    return study.series


def test_a_slice_taken_eight_times_is_one_stack_in_the_order_of_time(tmp_path: Path) -> None:
    (series,) = times(tmp_path, [[0.0, 0.0, 10.0]], 8)
    assert [frame.temporal for frame in series.frames] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert series.part == ""


def test_the_same_without_positions(tmp_path: Path) -> None:
    (series,) = times(tmp_path, [None], 8)
    assert [frame.temporal for frame in series.frames] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_an_acquisition_number_for_each_time_parts_nothing(tmp_path: Path) -> None:
    for time in range(1, 5):
        changes = {"TemporalPositionIdentifier": time, "AcquisitionNumber": time, "SeriesInstanceUID": UID}
        derive(tmp_path / f"{time}", "MR_small.dcm", **changes)
    (study,) = open_path(tmp_path).studies
    assert [len(series.frames) for series in study.series] == [4]


def test_several_slices_are_a_stack_a_time(tmp_path: Path) -> None:
    series = times(tmp_path, [[0.0, 0.0, 10.0], [0.0, 0.0, 20.0], [0.0, 0.0, 30.0]], 4)
    assert [(len(one.frames), one.part) for one in series] == [(3, f"time {time}") for time in (4, 3, 2, 1)]


def test_each_plane_of_a_heart_is_one_stack(tmp_path: Path) -> None:
    for index, plane in enumerate(([1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1])):
        times(tmp_path / f"{index}", [[0.0, 0.0, 10.0]], 5, ImageOrientationPatient=plane)
    (study,) = open_path(tmp_path).studies
    assert [len(series.frames) for series in study.series] == [5, 5]


def test_an_enhanced_image_of_one_slice_is_one_stack(tmp_path: Path) -> None:
    made = dcmread(derive(tmp_path / "a", "MR_small.dcm", NumberOfFrames=6, ImagePositionPatient=None))
    made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4.1"
    made.PixelData = made.PixelData * 6
    shared, measures, place = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, place.ImagePositionPatient = [1, 1], [0, 0, 10]
    direction = Dataset()
    direction.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence, shared.PlanePositionSequence = [measures], [place]
    shared.PlaneOrientationSequence = [direction]
    made.SharedFunctionalGroupsSequence = [shared]
    made.PerFrameFunctionalGroupsSequence = []
    for index in range(6):
        group, content = Dataset(), Dataset()
        content.TemporalPositionIndex = 6 - index
        group.FrameContentSequence = [content]
        made.PerFrameFunctionalGroupsSequence.append(group)
    made.save_as(tmp_path / "a")
    (series,) = open_path(tmp_path / "a").studies[0].series
    assert [frame.frame for frame in series.frames] == [5, 4, 3, 2, 1, 0]


def test_times_opened_one_by_one_join_the_stack(tmp_path: Path) -> None:
    times(tmp_path, [[0.0, 0.0, 10.0]], 3)
    studies = [open_path(path).studies for path in sorted(tmp_path.iterdir())]
    (study,) = merge(merge(studies[0], studies[1]), studies[2])
    assert [frame.temporal for frame in study.series[0].frames] == [1, 2, 3]


def test_times_of_another_slice_do_not_join(tmp_path: Path) -> None:
    for index, z in enumerate((10.0, 20.0)):
        changes = {"ImagePositionPatient": [0.0, 0.0, z], "SeriesInstanceUID": UID, "TemporalPositionIdentifier": index}
        derive(tmp_path / f"{index}", "MR_small.dcm", **changes)
    (study,) = merge(open_path(tmp_path / "0").studies, open_path(tmp_path / "1").studies)
    assert len(study.series) == 2


def test_images_without_numbers_come_in_natural_order(tmp_path: Path) -> None:
    names = [f"IM{number}" for number in range(1, 13)]
    for number, name in enumerate(names):
        made = {"SeriesInstanceUID": UID, "InstanceNumber": None, "ImagePositionPatient": None, "Rows": 64}
        derive(tmp_path / f"Scan{number // 6 + 9}" / name, "MR_small.dcm", **made)
    frames = [frame for study in open_path(tmp_path).studies for frame in study.frames()]
    assert [Path(frame.image.name).name for frame in frames] == names
    assert np.all(np.diff([int(Path(frame.image.name).parent.name[4:]) for frame in frames]) >= 0)
