"""Images are read ahead in order and within bounds, and an import with it archives the same as one without."""

import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from engine.archive import Archive
from engine.bundle import Bundle
from engine.errors import Rejected, UserError
from engine.importing import csv_files, dicom_files
from engine.importing.import_result import ImportResult
from engine.importing.importer import import_path
from engine.importing.prefetch import Prefetch
from engine.importing.source import FoundCase, FoundImage, LoadedPicture
from engine.models.text_detector import TextBox, TextDetector
from engine.resources import resource_path

WAIT = 60.0
"""Seconds until a thread that does not come is taken for a failure."""


class Source:
    """Cases of a few small images, and which of them have been read."""

    def __init__(self, sizes: list[int]) -> None:
        self.read: list[str] = []
        self.last = threading.Event()
        names = [[f"{case}.{number}" for number in range(size)] for case, size in enumerate(sizes)]
        self._last_name = names[-1][-1]
        self.cases = [
            FoundCase(key=str(case), images=tuple(FoundImage(name, name, self._load(name)) for name in own))
            for case, own in enumerate(names)
        ]

    def items(self) -> Iterator[tuple[FoundCase | Rejected, int]]:
        return ((case, number) for number, case in enumerate(self.cases))

    def _load(self, name: str) -> Callable[[], LoadedPicture]:
        def load() -> LoadedPicture:
            self.read.append(name)
            if name == self._last_name:
                self.last.set()
            return LoadedPicture(np.full((4, 4), len(name), np.uint8))

        return load


def taken(prefetch: Prefetch, source: Source) -> list[str]:
    """The names of all images, taken in order; no more than it may has been read before they are."""
    names = []
    with prefetch:
        for case, _ in prefetch.through(source.items()):
            assert isinstance(case, FoundCase)
            for image in case.images:
                assert not isinstance(prefetch.take(image), UserError)
                names.append(image.name)
                assert len(source.read) <= len(names) + 3
    return names


@pytest.mark.parametrize("sizes", [[1] * 9, [0, 2, 0, 0, 3, 1], [7, 1]])
def test_every_image_is_read_once_and_taken_in_order_with_few_waiting(sizes: list[int]) -> None:
    source = Source(sizes)
    expected = [image.name for case in source.cases for image in case.images]
    assert taken(Prefetch(None, lambda case: case.images, ahead=3), source) == expected
    assert sorted(source.read) == expected


def test_the_next_images_are_read_while_the_first_case_is_worked_on() -> None:
    source = Source([1, 1, 1])
    prefetch = Prefetch(None, lambda case: case.images, ahead=3)
    with prefetch:
        for _ in prefetch.through(source.items()):
            assert source.last.wait(WAIT)


def test_the_threads_wait_where_they_ask_whether_the_job_is_cancelled() -> None:
    source, asked, goes_on = Source([1, 1, 1]), threading.Event(), threading.Event()

    def paused() -> bool:
        asked.set()
        return not goes_on.wait(WAIT)

    prefetch = Prefetch(None, lambda case: case.images, ahead=3, cancelled=paused)
    with prefetch:
        for _ in prefetch.through(source.items()):
            assert asked.wait(WAIT)
            assert bool(source.read) == goes_on.is_set()
            goes_on.set()
            assert source.last.wait(WAIT)


def test_without_reading_ahead_an_image_is_read_when_it_is_taken() -> None:
    source = Source([1, 1])
    prefetch = Prefetch(None, lambda case: case.images, ahead=0)
    with prefetch:
        for number, (case, _) in enumerate(prefetch.through(source.items())):
            assert isinstance(case, FoundCase)
            assert len(source.read) == number
            prefetch.take(case.images[0])
            assert len(source.read) == number + 1


def test_an_image_that_was_not_foreseen_is_read_and_one_that_is_not_taken_makes_room() -> None:
    source = Source([2, 2, 2, 2])
    prefetch = Prefetch(None, lambda case: case.images[:1], ahead=2)
    with prefetch:
        for case, _ in prefetch.through(source.items()):
            assert isinstance(case, FoundCase)
            assert not isinstance(prefetch.take(case.images[1]), UserError)
    assert {"0.1", "1.1", "2.1", "3.1"} <= set(source.read)
    assert len(source.read) == len(set(source.read))


def test_a_detector_that_fails_ends_the_import_instead_of_rejecting_every_image() -> None:
    class Failing(TextDetector):
        def __init__(self) -> None:
            pass

        def boxes(self, gray: object) -> list[TextBox]:
            raise UserError("export it again")

    source = Source([1])
    with pytest.raises(UserError, match="export it again"):
        taken(Prefetch(Failing(), lambda case: case.images), source)


def mixed_folder(folder: Path) -> Path:
    """Real pictures with and without burned-in text, real DICOM files, and a damaged file of each."""
    folder.mkdir()
    images = sorted(resource_path("sample-archive", "images").iterdir())[::40]
    for path in images:
        shutil.copy(path, folder / path.name)
    shutil.copy(images[0], folder / "again.jpg")
    for name in ("CT_small.dcm", "MR_small.dcm", "examples_ybr_color.dcm", "RG1_UNCR.dcm", "gdcm-US-ALOKA-16.dcm"):
        shutil.copy(str(get_testdata_file(name, download=False)), folder / name)
    (folder / "damaged.png").write_bytes(images[0].read_bytes()[:2000])
    cut = pydicom.dcmread(folder / "MR_small.dcm")
    cut.SOPInstanceUID, cut.PixelData = "1.2.3.4", cut.PixelData[:90]
    cut.save_as(folder / "damaged.dcm")
    return folder


def content(archive: Archive) -> list[object]:
    """Everything that an import decides: cases, facts, texts, pixels and vectors by case id."""
    found: list[object] = []
    for case_id in archive.case_ids(limit=1_000):
        case = archive.case(case_id)
        found.append((case_id, case.modality, case.facts, case.report, [one.image_id for one in case.images]))
        found += [archive.image(one.image_id).tobytes() for one in case.images]
    rows = archive.index.rows()
    vectors = archive.index.vectors(rows.ids)
    assert vectors is not None
    return [*found, rows.ids.tolist(), vectors.tobytes()]


def test_an_import_archives_the_same_whether_it_reads_ahead_or_not(tmp_path: Path, starter_bundle: Bundle) -> None:
    source = mixed_folder(tmp_path / "source")
    results: list[tuple[ImportResult, list[object]]] = []
    for ahead in (0, 3, 32):
        with Archive.create(tmp_path / f"archive {ahead}", starter_bundle.id) as archive:
            result = import_path(archive, starter_bundle, source, ahead=ahead)
            results.append((result, content(archive)))
    serial = results[0]
    assert serial[0].images > 15
    assert serial[0].text_images > 0
    assert {Path(one.path).name for one in serial[0].rejected} >= {"damaged.png", "damaged.dcm"}
    assert results[1] == results[2] == serial


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The images that were decoded, as the test goes on."""
    names: list[str] = []
    picture_of, load_picture = dicom_files.picture_of, csv_files.load_picture

    def of_dicom(study, series, ref, **options):  # type: ignore[no-untyped-def]
        names.append(ref.image.name)
        return picture_of(study, series, ref, **options)

    def of_file(path):  # type: ignore[no-untyped-def]
        names.append(str(path))
        return load_picture(path)

    monkeypatch.setattr(dicom_files, "picture_of", of_dicom)
    monkeypatch.setattr(csv_files, "load_picture", of_file)
    return names


@pytest.mark.parametrize("kind", ["the same folder", "moved and renamed", "a ZIP file of the DICOM files"])
def test_what_is_archived_is_not_decoded_again(
    tmp_path: Path, archive: Archive, encoder, dicom_folder: Path, image_folder: Path, decoded: list[str], kind: str
) -> None:
    for path in (image_folder / "images").iterdir():
        shutil.copy(path, dicom_folder / path.name)
    source = dicom_folder
    assert import_path(archive, encoder, source).images == len(decoded) == 5
    decoded.clear()
    if kind == "moved and renamed":
        source = tmp_path / "elsewhere"
        (source / "deeper").mkdir(parents=True)
        for number, path in enumerate(sorted(dicom_folder.iterdir())):
            path.rename(source / "deeper" / f"file {number}{path.suffix}")
    elif kind == "a ZIP file of the DICOM files":
        source = tmp_path / "all.zip"
        with zipfile.ZipFile(source, "w") as packed:
            for path in dicom_folder.glob("*.dcm"):
                packed.write(path, f"IM{path.stem}")
    again = import_path(archive, encoder, source)
    assert (again.added, again.completed, again.images) == (0, 0, 0)
    assert again.skipped == (2 if source.suffix else 5)
    assert decoded == []


def test_only_what_is_new_in_a_folder_is_decoded(
    archive: Archive, encoder, dicom_folder: Path, decoded: list[str]
) -> None:
    import_path(archive, encoder, dicom_folder)
    decoded.clear()
    new = pydicom.dcmread(dicom_folder / "CT_small.dcm")
    new.SOPInstanceUID = new.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    new.save_as(dicom_folder / "new.dcm")
    result = import_path(archive, encoder, dicom_folder)
    assert (result.added, result.completed, result.skipped, result.images) == (0, 1, 1, 1)
    assert [Path(name).name for name in decoded] == ["new.dcm"]
