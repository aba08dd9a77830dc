"""An import blacks out text that is burned into the images before it stores and embeds them, and counts it."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from engine.archive import Archive
from engine.cli import doctor
from engine.cli.main import main
from engine.dicom.listing import open_path
from engine.errors import UserError
from engine.importing.importer import import_path
from engine.models import text_detector
from engine.reports.outbox import DisplayedFrame, submission_for
from engine.resources import resource_path
from engine.retrieval.search import Query, search
from engine.store.thumbnail import shrink
from engine.study import Study
from tests.engine.dicom_samples import sample

Gray = NDArray[np.uint8]


@pytest.fixture
def burned() -> Gray:
    """A real CT with a made-up name, date and side marker."""
    with Image.open(resource_path("sample-archive", "images", "ROCO_18760.jpg")) as image:
        gray = image.convert("L")
    for at, text in (((12, 8), "QUIX^OTTO"), ((240, 300), "12.03.1956"), ((350, 150), "L")):
        ImageDraw.Draw(gray).text(at, text, font=ImageFont.load_default(18), fill=255)
    return np.array(gray)


@pytest.fixture
def folder(tmp_path: Path, burned: Gray) -> Path:
    """The burned picture, and a real ultrasound without text."""
    source = tmp_path / "images"
    source.mkdir()
    Image.fromarray(burned).save(source / "a.png")
    with Image.open(resource_path("sample-archive", "images", "breast_breast_case065.jpg")) as image:
        image.convert("L").save(source / "b.png")
    return source


@pytest.fixture
def no_detector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    text_detector.text_detector.cache_clear()
    monkeypatch.setattr(text_detector, "FILE", ("text-detector", "none.onnx"))
    yield
    text_detector.text_detector.cache_clear()


@pytest.fixture
def study() -> Study:
    return open_path(sample("CT_small.dcm")).studies[0]


def images(archive: Archive) -> list[Gray]:
    cases = [archive.case(case_id) for case_id in sorted(archive.case_ids(limit=9))]
    return [archive.image(image.image_id) for case in cases for image in case.images]


def vectors(archive: Archive) -> NDArray[np.float32]:
    rows = archive.index.rows()
    found = archive.index.vectors(rows.ids)
    assert found is not None
    return found


def test_name_and_date_are_black_in_the_archive_and_counted_and_the_rest_stays(
    archive: Archive, encoder, folder: Path, burned: Gray
) -> None:
    result = import_path(archive, encoder, folder)
    assert (result.images, result.text_images) == (2, 1)
    assert result.text_boxes == result.as_dict()["text_boxes"] == 2
    cleaned, untouched = images(archive)
    assert (cleaned[8:30, 12:120] == 0).all()
    assert (cleaned[300:322, 240:340] == 0).all()
    middle = np.s_[60:280]
    np.testing.assert_array_equal(cleaned[middle], burned[middle])  # the marker too
    np.testing.assert_array_equal(untouched, np.asarray(Image.open(folder / "b.png")))


def test_vectors_are_those_of_the_pictures_without_text(archive: Archive, encoder, folder: Path, burned: Gray) -> None:
    import_path(archive, encoder, folder)
    np.testing.assert_allclose(vectors(archive), encoder.embed_images(images(archive)), atol=1e-3)
    assert np.abs(vectors(archive)[0] - encoder.embed_images([burned])[0]).max() > 0.01


def test_a_picture_with_its_text_finds_its_case_as_the_same(
    archive: Archive, encoder, folder: Path, burned: Gray
) -> None:
    import_path(archive, encoder, folder)
    first = search(archive, encoder, Query(image=burned)).hits[0]
    assert first.cosine == pytest.approx(1)


def test_text_is_kept_if_asked_for(archive: Archive, encoder, folder: Path, burned: Gray) -> None:
    result = import_path(archive, encoder, folder, keep_text=True)
    assert (result.text_boxes, result.text_images) == (0, 0)
    np.testing.assert_array_equal(images(archive)[0], burned)


def test_a_real_ultrasound_is_archived_without_its_labels(archive: Archive, encoder) -> None:
    result = import_path(archive, encoder, sample("gdcm-US-ALOKA-16.dcm"))
    assert result.text_images == 1
    assert result.text_boxes >= 15
    (stored,) = images(archive)
    assert (stored[0:19, 64:198] > 150).mean() < 0.002  # WESTWAY MEDICAL ULTRASOUND


def test_without_its_detector_nothing_is_imported_unless_text_is_kept(
    archive: Archive, encoder, folder: Path, no_detector: None
) -> None:
    with pytest.raises(UserError, match="install Kindred again"):
        import_path(archive, encoder, folder)
    assert archive.stats()["cases"] == 0
    assert import_path(archive, encoder, folder, keep_text=True).added == 2


def test_a_signed_report_is_archived_with_its_frame_without_text(
    study: Study, burned: Gray, monkeypatch: pytest.MonkeyPatch
) -> None:
    displayed = DisplayedFrame(study.series[0], study.series[0].frames[0], burned)
    gray = submission_for(study, displayed).gray
    assert gray is not None
    assert (gray[8:30, 12:120] == 0).all()
    np.testing.assert_array_equal(gray[60:280], shrink(burned)[60:280])


def test_a_signed_report_is_archived_without_its_frame_where_the_detector_is_missing(
    study: Study, burned: Gray, no_detector: None
) -> None:
    displayed = DisplayedFrame(study.series[0], study.series[0].frames[0], burned)
    assert submission_for(study, displayed).gray is None


def test_doctor_tells_whether_the_detector_is_intact(no_detector: None) -> None:
    (check,) = [check for check in doctor.examine(Path("/nowhere")) if check.name == "text"]
    assert not check.ok
    assert "install Kindred again" in check.text


def test_the_command_says_how_much_was_blacked_out_and_keeps_text_if_told_to(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(folder), "--archive", str(tmp_path / "one")]) == 0
    assert "Text was blacked out in 1 image (2 boxes)." in capsys.readouterr().out
    assert main(["import", str(folder), "--archive", str(tmp_path / "two"), "--keep-text", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["text_boxes"] == 0
