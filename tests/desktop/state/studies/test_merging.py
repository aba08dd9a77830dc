"""Files of one series that are opened one after the other become one stack; nothing that is open goes away."""

from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.studies.merging import merge, remove_images
from engine.dicom.listing import open_path
from engine.study import Study
from tests.desktop.conftest import open_paths


@pytest.fixture
def slices(tmp_path: Path) -> list[Path]:
    """Six slices of one series, 5 mm apart, derived from a real CT."""
    series, paths = generate_uid(), []
    for number in range(6):
        data = dcmread(str(get_testdata_file("CT_small.dcm", download=False)))
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        data.SeriesInstanceUID, data.InstanceNumber = series, number + 1
        data.ImagePositionPatient = [-158.135803, -179.035797, -75.699997 + 5 * number]
        paths.append(tmp_path / f"{number}.dcm")
        data.save_as(paths[-1])
    return paths


def listed(*paths: Path) -> list[Study]:
    return list(open_path(paths).studies)


def numbers(studies: list[Study]) -> list[list[int | None]]:
    return [[frame.image.instance_number for frame in series.frames] for series in studies[0].series]


def test_slices_opened_one_by_one_are_one_stack_in_order(qtbot: QtBot, app: App, slices: list[Path]) -> None:
    for path in (slices[3], slices[0], slices[5], slices[1]):
        open_paths(qtbot, app, path)
    assert numbers(app.desk.studies.studies) == [[1, 2, 4, 6]]
    assert app.desk.viewport.count == 4


def test_a_slice_opened_again_is_there_once(slices: list[Path]) -> None:
    assert numbers(merge(listed(*slices), listed(slices[2], slices[4]))) == [[1, 2, 3, 4, 5, 6]]


def test_images_of_a_growing_opening_are_replaced_and_the_rest_stays(slices: list[Path]) -> None:
    before = listed(slices[5])
    part, whole = listed(*slices[:2]), listed(*slices[:4])
    once = merge(before, part)
    twice = merge(remove_images(once, part), whole)
    assert numbers(once) == [[1, 2, 6]]
    assert numbers(twice) == [[1, 2, 3, 4, 6]]
    assert [series.key for series in twice[0].series] == [series.key for series in before[0].series]


def test_another_orientation_of_the_series_is_a_separate_stack_with_its_own_key(slices: list[Path]) -> None:
    data = dcmread(slices[0])
    data.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    other = slices[0].with_name("coronal.dcm")
    data.save_as(other)
    merged = merge(listed(*slices), listed(other))
    assert sorted(map(len, numbers(merged))) == [1, 6]
    assert len({series.key for series in merged[0].series}) == 2


def test_a_second_acquisition_at_the_same_positions_is_not_mixed_in(slices: list[Path]) -> None:
    repeated = []
    for path in slices:
        data = dcmread(path)
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        data.AcquisitionNumber = 2
        repeated.append(path.with_name(f"again {path.name}"))
        data.save_as(repeated[-1])
    assert [len(part) for part in numbers(merge(listed(*slices), listed(*repeated)))] == [6, 6]
