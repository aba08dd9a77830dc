"""The pixels inside a figure against plain loops, and their values against real files."""

from dataclasses import replace

import numpy as np
import pytest

from engine.dicom.listing import open_path
from engine.image.pixels import Pixels, read_frame
from engine.measure import roi
from engine.measure.measurements import Measurement, as_dict, from_dict, read
from engine.measure.readings import lines, phrase
from engine.study import FrameRef
from tests.engine.dicom_samples import dataset, sample

SHAPE = (40, 30)


def frame_of(name: str) -> FrameRef:
    return next(open_path(sample(name)).studies[0].frames())


def inside(part: roi.Region) -> set[tuple[int, int]]:
    rows, columns = np.nonzero(part.mask)
    return {(int(row) + part.top, int(column) + part.left) for row, column in zip(rows, columns)}


def test_a_pixel_is_inside_when_its_center_is() -> None:
    assert inside(roi.rectangle((2.0, 3.0), (4.0, 5.0), SHAPE)) == {(3, 2), (3, 3), (4, 2), (4, 3)}
    assert inside(roi.rectangle((2.6, 3.0), (3.4, 4.0), SHAPE)) == set()
    assert inside(roi.rectangle((4.0, 5.0), (2.0, 3.0), SHAPE)) == {(3, 2), (3, 3), (4, 2), (4, 3)}


def test_pixels_outside_the_image_do_not_count() -> None:
    assert inside(roi.rectangle((-5, -5), (2, 1), SHAPE)) == {(0, 0), (0, 1)}
    assert inside(roi.rectangle((28, 39), (99, 99), SHAPE)) == {(39, 28), (39, 29)}
    assert inside(roi.rectangle((100, 100), (200, 200), SHAPE)) == set()
    assert inside(roi.outline([(-9, -9), (-5, -9), (-5, -5)], SHAPE)) == set()


def test_an_ellipse_matches_its_equation_pixel_by_pixel() -> None:
    expected = {
        (row, column)
        for row in range(SHAPE[0])
        for column in range(SHAPE[1])
        if ((column + 0.5 - 14) / 8) ** 2 + ((row + 0.5 - 20) / 12.5) ** 2 <= 1
    }
    assert inside(roi.ellipse((6, 7.5), (22, 32.5), SHAPE)) == expected


def test_an_outline_matches_counting_crossings_pixel_by_pixel() -> None:
    points = [(3.2, 4.1), (25.7, 8.3), (18.4, 20.2), (27.9, 36.6), (6.3, 30.8), (12.0, 18.0)]

    def is_inside(x: float, y: float) -> bool:
        odd = False
        for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]]):
            if (y0 > y) != (y1 > y) and x < x0 + (y - y0) / (y1 - y0) * (x1 - x0):
                odd = not odd
        return odd

    expected = {(row, column) for row in range(40) for column in range(30) if is_inside(column + 0.5, row + 0.5)}
    assert inside(roi.outline(points, SHAPE)) == expected


def test_statistics_of_real_ct_match_hounsfield_units_calculated_by_hand() -> None:
    source = dataset("CT_small.dcm")
    stored = source.pixel_array[50:60, 30:50].astype(float)
    expected = stored * float(source.RescaleSlope) + float(source.RescaleIntercept)
    frame = frame_of("CT_small.dcm")
    reading = read(Measurement("rectangle", ((30, 50), (50, 60)), "x"), frame, read_frame(frame))
    found = reading.statistics
    assert found is not None
    assert (found.count, found.unit) == (200, "HU")
    assert (found.mean, found.deviation) == pytest.approx((expected.mean(), expected.std()))
    assert (found.lowest, found.highest) == (expected.min(), expected.max())
    assert reading.area == pytest.approx(200 * 0.661468**2)
    assert lines(reading)[0] == f"{reading.area:.1f} mm²" if reading.area < 100 else f"{reading.area / 100:.2f} cm²"  # type: ignore[operator]


def test_a_probe_reads_the_pixel_under_it() -> None:
    frame = frame_of("CT_small.dcm")
    source = dataset("CT_small.dcm")
    expected = float(source.pixel_array[7, 100] * source.RescaleSlope + source.RescaleIntercept)
    for point in ((100.0, 7.0), (100.5, 7.5), (100.99, 7.99)):
        reading = read(Measurement("probe", (point,), "x"), frame, read_frame(frame))
        assert (reading.value, reading.unit) == (expected, "HU")
    assert read(Measurement("probe", ((128.0, 7.0),), "x"), frame, read_frame(frame)).value is None


def test_mr_values_have_no_unit() -> None:
    frame = frame_of("MR_small.dcm")
    reading = read(Measurement("probe", ((3.5, 4.5),), "x"), frame, read_frame(frame))
    assert (reading.value, reading.unit) == (float(dataset("MR_small.dcm").pixel_array[4, 3]), "")
    assert "HU" not in " ".join(lines(reading))


def test_color_has_no_statistics_but_a_probe_reads_it() -> None:
    frame = frame_of("SC_rgb.dcm")
    pixels = read_frame(frame)
    assert read(Measurement("ellipse", ((10, 10), (40, 40)), "x"), frame, pixels).statistics is None
    expected = tuple(int(part) for part in dataset("SC_rgb.dcm").pixel_array[20, 10])
    assert read(Measurement("probe", ((10.5, 20.5),), "x"), frame, pixels).value == expected


def test_padding_never_counts() -> None:
    values = np.zeros((4, 4), np.float32)
    values[:, 2:] = 10
    pixels = Pixels(values, masked=values == 0)
    found = roi.statistics(pixels, roi.rectangle((0, 0), (4, 4), (4, 4)))
    assert found is not None
    assert (found.count, found.mean, found.lowest) == (8, 10, 10)
    assert roi.value_at(pixels, (0.5, 0.5)) is None


def test_a_measurement_states_where_its_millimetres_come_from() -> None:
    line = Measurement("length", ((0, 0), (30, 40)), "x")
    detector = replace(frame_of("RG3_UNCI.dcm"), spacing=(0.15, 0.15), spacing_source="imager")
    assert lines(read(line, detector)) == ("7.5 mm", "at the detector")
    assert lines(read(line, frame_of("RG3_UNCI.dcm"))) == ("50.0 px", "no pixel spacing")
    assert lines(read(line, frame_of("MR_small.dcm"))) == ("15.6 mm",)
    moved = replace(line, points=((200.0, 100.0), (300.0, 100.0)))
    assert lines(read(moved, frame_of("OBXXXX1A.dcm"))) == ("26.2 mm", "ultrasound region")


def test_a_report_gets_the_numbers_of_a_measurement_and_where_its_millimetres_come_from() -> None:
    line = Measurement("length", ((0, 0), (30, 40)), "x")
    detector = replace(frame_of("RG3_UNCI.dcm"), spacing=(0.15, 0.15), spacing_source="imager")
    assert phrase(read(line, detector)) == "7.5 mm (at the detector)"
    frame = frame_of("CT_small.dcm")
    box = Measurement("rectangle", ((10, 10), (12, 12)), "x")
    mean, *_ = [one for one in lines(read(box, frame, read_frame(frame))) if one.startswith("mean")]
    assert phrase(read(box, frame, read_frame(frame))) == f"1.8 mm², {mean.split('   ')[0]}"


def test_a_measurement_survives_storage_and_invalid_data_is_refused() -> None:
    made = Measurement("region", ((1.5, 2.5), (3.0, 4.0), (5.0, 1.0)), "1.2.3", 4, "1.2")
    assert from_dict(as_dict(made)) == made
    for change in ({"kind": "volume"}, {"points": [[1, 2]]}, {"points": [[1, 2], [3], [4, 5]]}, {"frame": "x"}):
        with pytest.raises((ValueError, TypeError)):
            from_dict(as_dict(made) | change)
