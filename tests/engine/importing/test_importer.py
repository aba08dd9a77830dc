"""An import archives usable input, lists the rest with reasons, and imports nothing twice."""

import itertools
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_file

from engine.archive import Archive
from engine.errors import Cancelled, UserError
from engine.importing.importer import import_path
from engine.retrieval.search import Query, search
from engine.store.folder.sources import FILE, SourceLinks
from tests.engine.stores import everything_in


def reports_file(tmp_path: Path, content: str) -> Path:
    path = tmp_path / "reports.csv"
    path.write_text(content)
    return path


def test_an_image_folder_is_imported_completely(archive: Archive, encoder, image_folder: Path) -> None:
    result = import_path(archive, encoder, image_folder)
    assert (result.added, result.images, result.reports, result.rejected) == (5, 3, 4, [])
    first = archive.case(1)
    assert (first.modality, first.sex, first.age, first.description) == ("CR", "F", 44, "PA")
    assert (first.licence, first.attribution) == ("CC BY", "https://example.org/0")
    assert first.patient == archive.case(2).patient != archive.case(3).patient
    assert archive.case(4).attribution == "PMC figure PMC1_a.jpg"
    assert archive.index.state() == "intact"


def test_importing_again_adds_nothing(archive: Archive, encoder, image_folder: Path) -> None:
    import_path(archive, encoder, image_folder)
    again = import_path(archive, encoder, image_folder)
    assert (again.added, again.completed, again.skipped) == (0, 0, 5)
    assert archive.stats()["embeddings"] == 7


def test_every_imported_report_and_image_is_found_first(
    archive: Archive, encoder, image_folder: Path, make_picture: Callable
) -> None:
    import_path(archive, encoder, image_folder)
    for text in ("Large left effusion, 3 cm.", "Normal chest.", "Fracture of the left femur.", "Chest radiograph."):
        assert search(archive, encoder, Query(text=text)).hits[0].text == text
    for seed in range(3):
        assert search(archive, encoder, Query(image=make_picture(seed))).hits[0].case_id == seed + 1


def test_bad_rows_are_rejected_with_a_reason_and_the_rest_is_imported(
    archive: Archive, encoder, image_folder: Path
) -> None:
    (image_folder / "images" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    (image_folder / "images" / "2.png").unlink()
    with (image_folder / "cases.csv").open("a") as file:
        file.write("../../etc/passwd,escape,,,,,,,\n")
    result = import_path(archive, encoder, image_folder)
    assert {Path(one.path).name for one in result.rejected} == {"1.png", "2.png", "passwd"}
    assert all(one.reason for one in result.rejected)
    assert archive.stats()["images"] == 1
    assert archive.stats()["reports"] == 3
    for name in ("1.png", "2.png"):
        Image.fromarray(np.full((9, 9), 5, np.uint8)).save(image_folder / "images" / name)
    assert import_path(archive, encoder, image_folder).added == 2
    assert archive.stats()["cases"] == 5


@pytest.mark.parametrize("name", ["a\0b.png", "x" * 300 + ".png", "loop/a.png"])
def test_a_row_with_an_invalid_image_name_is_rejected(archive: Archive, encoder, image_folder: Path, name: str) -> None:
    (image_folder / "loop").symlink_to("loop")
    with (image_folder / "cases.csv").open("a") as file:
        file.write(f"{name},impossible,,,,,,,\n")
    result = import_path(archive, encoder, image_folder)
    assert [one.path for one in result.rejected] == [str(image_folder / name)]
    assert result.added == 5


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process as a file that opens and cannot be read")
def test_an_unreadable_image_is_rejected_and_the_rest_is_imported(
    archive: Archive, encoder, image_folder: Path
) -> None:
    folder = image_folder / "images"
    (folder / "bad.png").symlink_to("/proc/self/mem")
    result = import_path(archive, encoder, folder)
    assert [one.path for one in result.rejected] == [str(folder / "bad.png")]
    assert result.added == 3


@pytest.mark.parametrize("head", [b"", b"\x89PNG\r\n\x1a\n"])
def test_a_damaged_image_is_rejected_and_named_once(archive: Archive, encoder, image_folder: Path, head: bytes) -> None:
    folder = image_folder / "images"
    (folder / "bad.png").write_bytes(head + b"not the content of an image")
    (rejected,) = import_path(archive, encoder, folder).rejected
    assert rejected.path == str(folder / "bad.png")
    assert rejected.reason == "The image is damaged, or not a PNG or JPEG file; export it again."


def test_a_missing_file_of_reports_is_named(archive: Archive, encoder, image_folder: Path) -> None:
    with pytest.raises(UserError, match=r"none\.csv does not exist; check the name and the drive\.$"):
        import_path(archive, encoder, image_folder, image_folder / "none.csv")


def test_an_image_without_read_permission_is_rejected_and_the_rest_is_imported(
    archive: Archive, encoder, image_folder: Path
) -> None:
    folder = image_folder / "images"
    (folder / "1.png").chmod(0)
    if os.access(folder / "1.png", os.R_OK):
        pytest.skip("nothing is closed to this user")
    result = import_path(archive, encoder, folder)
    assert [one.path for one in result.rejected] == [str(folder / "1.png")]
    assert result.added == 2


def test_a_long_name_in_a_zip_is_rejected_and_not_looked_up_as_a_file(
    archive: Archive, encoder, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("x" * 300 + ".png", b"picture")
        packed.write(str(get_testdata_file("CT_small.dcm")), "CT")
    result = import_path(archive, encoder, tmp_path / "a.zip")
    assert (result.added, len(result.rejected)) == (1, 1)


def test_an_inaccessible_path_is_reported_in_a_sentence(archive: Archive, encoder, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="File name too long"):
        import_path(archive, encoder, tmp_path / ("x" * 300))
    with pytest.raises(UserError, match="File name too long"):
        Archive.open(tmp_path / ("x" * 300))
    with pytest.raises(UserError, match="cannot be created"):
        Archive.create(tmp_path / ("x" * 300))


def test_a_name_in_any_row_of_a_case_is_removed_from_its_text(
    archive: Archive, encoder, tmp_path: Path, make_picture: Callable
) -> None:
    for number in range(2):
        Image.fromarray(make_picture(number)).save(tmp_path / f"{number}.png")
    (tmp_path / "cases.csv").write_text(
        "image,case_id,text,patient_name,accession\n"
        "0.png,C1,,,\n"
        "1.png,C1,Thandi Mbeki (ACC-77) has no pneumothorax.,Thandi Mbeki,ACC-77\n"
    )
    import_path(archive, encoder, tmp_path)
    report = archive.case(1).report
    assert report is not None
    assert "pneumothorax" in report.text
    assert not any(word in report.text for word in ("Thandi", "Mbeki", "ACC-77"))


def test_dicom_studies_are_archived_without_identifiers(archive: Archive, encoder, dicom_folder: Path) -> None:
    result = import_path(archive, encoder, dicom_folder)
    assert (result.added, result.images) == (2, 2)
    assert [Path(one.path).name for one in result.rejected] == ["readme.txt"]
    case_id = archive.find_case("1.2.3.4.5")
    assert case_id is not None
    case = archive.case(case_id)
    assert case.modality == "CT"
    assert case.images[0].window is not None
    assert archive.image(case.images[0].image_id).shape == (128, 128)
    content = everything_in(archive)
    for secret in (b"Quix", b"HOSP-4711", b"1.2.3.4.5", b"ACC-1", str(dicom_folder).encode()):
        assert secret not in content


def test_reports_match_their_study_by_accession_or_uid_and_the_rest_is_listed(
    archive: Archive, encoder, dicom_folder: Path, tmp_path: Path
) -> None:
    reports = reports_file(
        tmp_path,
        "accession,study_uid,text\nACC-1,,Otto Quix has a calcified nodule of 3 mm.\n,1.2.3.4.6,Normal brain.\n"
        "ACC-99,,Belongs to nobody.\nACC-98,,\n",
    )
    result = import_path(archive, encoder, dicom_folder, reports)
    assert result.report_only == [f"{reports} line 4"]
    assert (result.added, result.reports) == (3, 3)
    assert "no text" in result.rejected[-1].reason
    case = archive.case(archive.find_case("1.2.3.4.5") or 0)
    assert case.report is not None
    assert case.report.text == "[name] has a calcified nodule of 3 mm."
    again = import_path(archive, encoder, dicom_folder, reports)
    assert (again.added, again.completed, again.skipped) == (0, 0, 3)


def test_reports_can_be_imported_after_their_study(
    archive: Archive, encoder, dicom_folder: Path, tmp_path: Path
) -> None:
    import_path(archive, encoder, dicom_folder)
    result = import_path(
        archive, encoder, dicom_folder, reports_file(tmp_path, "accession,text\nACC-2,Normal brain.\n")
    )
    assert (result.added, result.completed, result.skipped) == (0, 1, 1)


def test_image_files_match_their_report_by_file_name(
    archive: Archive, encoder, tmp_path: Path, make_picture: Callable
) -> None:
    folder = tmp_path / "loose"
    folder.mkdir()
    Image.fromarray(make_picture(3)).save(folder / "hand.png")
    result = import_path(
        archive, encoder, folder, reports_file(tmp_path, "image,text\nhand.png,Fracture of the hand.\n")
    )
    assert (result.added, result.images, result.reports, result.report_only) == (1, 1, 1, [])


def test_image_files_get_their_patient_from_the_row_of_their_report(
    archive: Archive, encoder, tmp_path: Path, make_picture: Callable
) -> None:
    folder = tmp_path / "loose"
    folder.mkdir()
    for seed, name in enumerate(("pa", "lateral", "other", "unnamed")):
        Image.fromarray(make_picture(seed)).save(folder / f"{name}.png")
    rows = "pa.png,Q-77,Q-77 has an effusion.\nlateral.png,Q-77,The same.\nother.png,Q-78,None.\nunnamed.png,,Normal.\n"
    import_path(archive, encoder, folder, reports_file(tmp_path, f"image,patient_id,text\n{rows}"))
    patients = {}
    for row in archive._database.read(
        "SELECT reports.text, cases.patient FROM cases JOIN reports ON reports.case_id = cases.id"
    ):
        patients[row[0]] = row[1]
    assert patients["[name] has an effusion."] == patients["The same."] == archive.identity.patient("Q-77")
    assert patients["None."] == archive.identity.patient("Q-78")
    assert patients["Normal."] is None


def test_the_patient_in_the_header_of_a_study_overrides_the_reports_file(
    archive: Archive, encoder, dicom_folder: Path, tmp_path: Path
) -> None:
    rows = "accession,patient_id,text\nACC-1,another,Nodule.\n"
    import_path(archive, encoder, dicom_folder, reports_file(tmp_path, rows))
    found = archive.find_case("1.2.3.4.5")
    assert found is not None
    assert archive.case(found).patient == archive.identity.patient("HOSP-4711")


def test_a_frame_with_burned_in_text_is_not_archived(archive: Archive, encoder, dicom_folder: Path) -> None:
    path = dicom_folder / "CT_small.dcm"
    dataset = pydicom.dcmread(path)
    dataset.BurnedInAnnotation = "YES"
    dataset.save_as(path)
    result = import_path(archive, encoder, path)
    assert archive.stats()["images"] == 0
    assert any("burned" in one.reason for one in result.rejected)


def test_a_csv_of_reports_alone_becomes_report_only_cases(archive: Archive, encoder, tmp_path: Path) -> None:
    result = import_path(archive, encoder, reports_file(tmp_path, "id,text\nA,One mass.\nB,One mass.\nC,\n"))
    assert (result.added, len(result.rejected)) == (2, 1)


def test_reports_that_name_no_study_are_counted_apart_from_those_whose_study_has_not_come(
    archive: Archive, encoder, tmp_path: Path
) -> None:
    rows = "accession,patient_id,date,text\nA1,,,One mass.\n,P,14.04.2023,Two masses.\n"
    result = import_path(archive, encoder, reports_file(tmp_path, rows))
    assert (result.without_study, result.naming_none) == (2, 1)


def test_a_row_is_identified_by_its_first_line_in_the_file(
    archive: Archive, encoder, image_folder: Path, tmp_path: Path
) -> None:
    rows = 'text,id,accession\n"one\n\ntwo",a,1\n\n,b,2\n"three\nfour",c,3\n,d,4\n'
    reports = reports_file(tmp_path, rows)
    assert [one.path for one in import_path(archive, encoder, reports).rejected] == [
        f"{reports} line 6",
        f"{reports} line 9",
    ]
    result = import_path(archive, encoder, image_folder, reports)
    assert [one.path for one in result.rejected] == [f"{reports} line 6", f"{reports} line 9"]
    assert result.report_only == [f"{reports} line 2", f"{reports} line 7"]


@pytest.mark.parametrize(
    ("content", "message"),
    [("words,accession\nx,y\n", "no column 'text'"), ("text\nx\n", "no column to match on"), ("", "no column 'text'")],
)
def test_an_unusable_reports_file_is_refused_with_the_reason(
    archive: Archive, encoder, image_folder: Path, tmp_path: Path, content: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        import_path(archive, encoder, image_folder, reports_file(tmp_path, content))


def test_a_cancelled_import_keeps_completed_cases_and_can_be_resumed(
    archive: Archive, encoder, image_folder: Path
) -> None:
    done: list[int] = []
    result = import_path(
        archive,
        encoder,
        image_folder,
        progress=lambda number, total, _: done.append(number) if total else None,
        cancelled=lambda: done[-1:] == [2],
    )
    assert result.cancelled
    assert result.added == 2
    assert import_path(archive, encoder, image_folder).added == 3


@pytest.mark.folder  # the store makes no difference
@pytest.mark.parametrize("stopped_at", range(10))
def test_an_import_can_be_cancelled_while_cases_are_listed(
    archive: Archive, encoder, image_folder: Path, stopped_at: int
) -> None:
    """`cancelled` is asked at each of the five rows, then at each of their five cases."""
    asked = itertools.count()
    listed: list[str] = []
    with pytest.raises(Cancelled):
        import_path(
            archive,
            encoder,
            image_folder,
            progress=lambda done, total, what: listed.append(what),
            cancelled=lambda: next(asked) == stopped_at,
        )
    assert set(listed) <= {"Listing cases"}
    assert archive.stats()["cases"] == 0


def test_progress_counts_the_listed_cases_and_then_reaches_the_total(
    archive: Archive, encoder, image_folder: Path
) -> None:
    seen: list[tuple[int, int]] = []
    import_path(archive, encoder, image_folder, progress=lambda done, total, _: seen.append((done, total)))
    assert seen == [(n, 0) for n in range(1, 6)] + [(n, 5) for n in range(1, 6)]


def test_source_paths_are_kept_only_on_request(archive: Archive, encoder, image_folder: Path) -> None:
    import_path(archive, encoder, image_folder, link_sources=False)
    assert archive.source(1) is None


@pytest.mark.folder
def test_a_kept_source_path_is_the_path_of_the_image(archive: Archive, encoder, image_folder: Path) -> None:
    import_path(archive, encoder, image_folder, link_sources=True)
    links = SourceLinks(archive.folder)
    assert links.path(1) == str(image_folder / "images" / "0.png")
    assert links.path(99) is None
    links.close()
    assert (archive.folder / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.folder
def test_a_failed_import_is_recorded_as_ended_and_closes_its_databases(
    archive: Archive, encoder, image_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(images: object) -> None:
        raise UserError("The graphics card is gone; start again.")

    monkeypatch.setattr(encoder, "embed_images", fail)
    with pytest.raises(UserError, match="graphics card"):
        import_path(archive, encoder, image_folder, link_sources=True)
    ((finished, added),) = archive._database.read("SELECT finished, added FROM imports")
    assert finished is not None
    assert added == 0
    assert not (archive.folder / f"{FILE}-wal").exists()  # SQLite removes it with the last connection


def test_a_duplicate_row_is_one_case(archive: Archive, encoder, image_folder: Path) -> None:
    lines = (image_folder / "cases.csv").read_text().splitlines()
    (image_folder / "cases.csv").write_text("\n".join([*lines, lines[1]]) + "\n")
    result = import_path(archive, encoder, image_folder)
    assert (result.added, result.skipped) == (5, 1)


def test_another_bundle_cannot_import_into_the_archive(archive: Archive, encoder, image_folder: Path) -> None:
    encoder.id = "another"
    with pytest.raises(UserError, match="another model"):
        import_path(archive, encoder, image_folder)
