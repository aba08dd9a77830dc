"""A report and its study become one case whichever is imported first, and never two."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine.archive import Archive
from engine.importing.importer import import_path
from engine.importing.joining import Side, joined_by
from engine.importing.preview import preview_import
from tests.engine.dicom_samples import derive
from tests.engine.stores import by_hand, everything_in

UID = "1.2.826.0.1.22"
TEXT = "Right lung clear. Left effusion."
WHO = {"PatientID": "P-17", "PatientName": "Quix^Otto", "PatientSex": "M", "StudyDate": "20260304"}
WHO["ReferringPhysicianName"] = "Zuweiser^Eva"  # whom the report file does not name


def study(folder: Path, name: str = "study", **changes: str) -> Path:
    values = {**WHO, "StudyInstanceUID": UID, "AccessionNumber": "ACC-7", **changes}
    return derive(folder / name / "image.dcm", "CT_small.dcm", **values).parent


def report(folder: Path, name: str = "report.hl7", text: str = TEXT, **known: str) -> Path:
    """An HL7 file that says of the study what is named: uid, accession, patient (with the date)."""
    uid = f"OBX|1|ST|113014^DICOM Study^DCM||{known['uid']}||||||F\r" if "uid" in known else ""
    (folder / name).write_text(
        f"MSH|^~\\&|RIS||||||ORU^R01|1|P|2.3\rPID|1||{known.get('patient', '')}||Quix^Otto|||M\r"
        f"OBR|1||{known.get('accession', '')}|CT^CT Chest|||{known.get('date', '20260304')}||||||||||||||||||F\r"
        f"{uid}OBX|2|TX|CT||{text}||||||F\r",
        newline="",
    )
    return folder / name


WAYS = [{"uid": UID}, {"accession": "ACC-7"}, {"patient": "P-17"}]


def archived(archive: Archive) -> list[tuple[int, str, str]]:
    """Images, text and modality of each case."""
    cases = map(archive.case, archive.case_ids())
    return [(len(one.images), one.report.text if one.report else "", one.modality) for one in cases]


@pytest.mark.parametrize("known", WAYS)
def test_a_report_that_comes_later_goes_to_its_study(archive: Archive, encoder, tmp_path: Path, known) -> None:
    import_path(archive, encoder, study(tmp_path))
    result = import_path(archive, encoder, report(tmp_path, **known))
    assert (result.added, result.completed, result.joined) == (0, 1, 1)
    assert archived(archive) == [(1, TEXT, "CT")]


@pytest.mark.parametrize("known", WAYS)
def test_a_study_that_comes_later_goes_to_its_report(archive: Archive, encoder, tmp_path: Path, known) -> None:
    first = import_path(archive, encoder, report(tmp_path, **known))
    assert (first.added, first.joined) == (1, 0)
    result = import_path(archive, encoder, study(tmp_path))
    assert (result.added, result.completed, result.joined) == (0, 1, 1)
    assert archived(archive) == [(1, TEXT, "CT")]
    case = archive.case(1)
    assert (case.sex, case.patient) == ("M", archive.identity.patient("P-17"))
    assert archive.problems(deep=True) == []


def test_a_name_that_only_a_later_study_states_is_in_no_byte_of_the_archive(
    archive: Archive, encoder, tmp_path: Path
) -> None:
    text = "Zuweiser: left effusion. Right lung clear."
    import_path(archive, encoder, report(tmp_path, accession="ACC-7", text=text))
    import_path(archive, encoder, study(tmp_path, RequestingPhysician="----"))
    assert archived(archive) == [(1, text.replace("Zuweiser", "[name]"), "CT")]
    assert b"zuweiser" not in everything_in(archive).lower()


@pytest.mark.parametrize("known", WAYS)
@pytest.mark.parametrize("study_first", [True, False])
def test_nothing_is_doubled_when_both_are_imported_again(
    archive: Archive, encoder, tmp_path: Path, known, study_first: bool
) -> None:
    sources = [study(tmp_path), report(tmp_path, **known)]
    for source in (sources if study_first else sources[::-1]) * 2:
        import_path(archive, encoder, source)
    again = import_path(archive, encoder, sources[0], sources[1])
    assert (again.added, again.completed, again.rejected) == (0, 0, [])
    assert archived(archive) == [(1, TEXT, "CT")]


def test_both_in_one_import_are_one_case(archive: Archive, encoder, tmp_path: Path) -> None:
    result = import_path(archive, encoder, study(tmp_path), [report(tmp_path, accession="ACC-7")])
    assert (result.report_only, result.ambiguous) == ([], [])
    assert archived(archive) == [(1, TEXT, "CT")]


def test_reports_among_the_files_of_a_folder_are_imported_with_its_studies(
    archive: Archive, encoder, tmp_path: Path
) -> None:
    report(study(tmp_path), accession="ACC-7")
    result = import_path(archive, encoder, tmp_path / "study")
    assert result.rejected == []
    assert archived(archive) == [(1, TEXT, "CT")]


def test_a_row_of_a_csv_waits_for_its_study(archive: Archive, encoder, tmp_path: Path) -> None:
    (tmp_path / "reports.csv").write_text(f"accession,text\nACC-7,{TEXT}\n")
    import_path(archive, encoder, tmp_path / "reports.csv")
    images = study(tmp_path)
    import_path(archive, encoder, images)
    import_path(archive, encoder, images, tmp_path / "reports.csv")
    assert archived(archive) == [(1, TEXT, "CT")]


def test_rows_can_match_by_patient_and_date(archive: Archive, encoder, tmp_path: Path) -> None:
    (tmp_path / "reports.csv").write_text(f"patient_id,study_date,text\nP-17,2026-03-04,{TEXT}\n")
    result = import_path(archive, encoder, study(tmp_path), tmp_path / "reports.csv")
    assert result.report_only == []
    assert archived(archive) == [(1, TEXT, "CT")]


def test_the_same_report_in_two_formats_is_one(archive: Archive, encoder, tmp_path: Path) -> None:
    (tmp_path / "reports.csv").write_text(f"accession,text\nACC-7,{TEXT}\n")
    import_path(archive, encoder, tmp_path / "reports.csv")
    import_path(archive, encoder, report(tmp_path, accession="ACC-7"))
    assert archived(archive) == [(0, TEXT, "")]


def test_another_text_for_the_same_study_is_refused_and_the_first_kept(
    archive: Archive, encoder, tmp_path: Path
) -> None:
    import_path(archive, encoder, study(tmp_path), report(tmp_path, uid=UID))
    result = import_path(archive, encoder, report(tmp_path, "other.hl7", "Something else.", accession="ACC-7"))
    assert "another report already" in result.rejected[0].reason
    assert archived(archive) == [(1, TEXT, "CT")]


@pytest.mark.parametrize(
    ("known", "why"),
    [
        ({"accession": "ACC-7", "patient": "OTHER"}, "another patient"),
        ({"uid": "1.2.826.0.1.99", "accession": "ACC-7"}, "another study UID"),
        ({"accession": "ACC-8", "patient": "P-17"}, "another accession number"),
        ({"patient": "P-17", "date": "20260305"}, "another day"),
    ],
)
def test_what_contradicts_keeps_them_apart(archive: Archive, encoder, tmp_path: Path, known, why: str) -> None:
    import_path(archive, encoder, study(tmp_path))
    import_path(archive, encoder, report(tmp_path, **known))
    assert archived(archive) == [(1, "", "CT"), (0, TEXT, "")], why


def test_a_report_that_fits_two_studies_is_listed_and_joined_to_none(archive: Archive, encoder, tmp_path: Path) -> None:
    import_path(archive, encoder, study(tmp_path))
    import_path(archive, encoder, study(tmp_path, "other", StudyInstanceUID="1.2.826.0.1.23", AccessionNumber="ACC-8"))
    source = report(tmp_path, patient="P-17")
    assert [len(one.others) for one in preview_import(archive, source).ambiguous] == [2]
    result = import_path(archive, encoder, source)
    assert len(result.ambiguous) == 1
    assert [images for images, _, _ in archived(archive)] == [1, 1, 0]


def test_another_modality_on_the_same_day_is_another_study() -> None:
    side = Side(frozenset({("visit", "P 20260304")}), "P", "M", "CT", True, "")
    own = replace(side, has_image=False, text=TEXT)
    assert joined_by(own, side) == "visit"
    assert joined_by(replace(own, modality="MR"), side) == ""
    assert joined_by(replace(own, modality=""), side) == "visit"


@pytest.mark.parametrize("order", ["together", "report first", "study first"])
def test_identifiers_are_stored_as_keyed_hashes_only(archive: Archive, encoder, tmp_path: Path, order: str) -> None:
    images, words = study(tmp_path), report(tmp_path, accession="ACC-7", text="Quix, P-17, ACC-7. Zuweiser informed.")
    if order == "together":
        import_path(archive, encoder, images, words)
    else:
        for source in (words, images) if order == "report first" else (images, words):
            import_path(archive, encoder, source)
    assert archived(archive) == [(1, "[name], [name], [name]. [name] informed.", "CT")]
    archive.close()
    content = everything_in(archive)
    for word in (b"ACC-7", b"P-17", b"Quix", b"Zuweiser", UID.encode(), b"20260304"):
        assert word not in content


@pytest.mark.parametrize("column", ["accession", "study_uid"])
def test_a_row_of_a_csv_that_comes_after_its_study_is_cleaned_of_its_names_too(
    archive: Archive, encoder, tmp_path: Path, column: str
) -> None:
    import_path(archive, encoder, study(tmp_path))
    value = {"accession": "ACC-7", "study_uid": UID}[column]
    (tmp_path / "late.csv").write_text(f"{column},text\n{value},Zuweiser informed.\n")
    import_path(archive, encoder, tmp_path / "late.csv")
    assert archived(archive) == [(1, "[name] informed.", "CT")]


def test_a_study_archived_before_its_names_were_kept_gets_them_when_it_is_imported_again(
    archive: Archive, encoder, tmp_path: Path
) -> None:
    images = study(tmp_path)
    import_path(archive, encoder, images)
    with by_hand(archive.place) as db:
        db.execute("DELETE FROM name_keys")
        db.execute("DELETE FROM checksums WHERE name = 'name_keys'")
        db.execute("UPDATE cases SET study_day = NULL")
    import_path(archive, encoder, images)
    import_path(archive, encoder, report(tmp_path, uid=UID, text="Zuweiser informed."))
    assert archived(archive) == [(1, "[name] informed.", "CT")]
    assert archive.case(1).study_day == archive.identity.study_day("20260304", "P-17")
    assert archive.problems(deep=True) == []


@pytest.mark.parametrize("known", WAYS)
def test_a_cleaned_report_that_comes_again_in_another_file_is_the_same(
    archive: Archive, encoder, tmp_path: Path, known
) -> None:
    import_path(archive, encoder, study(tmp_path))
    import_path(archive, encoder, report(tmp_path, text="Zuweiser informed.", accession="ACC-7"))
    again = import_path(archive, encoder, report(tmp_path, "again.hl7", "Zuweiser informed.", **known))
    assert again.rejected == []
    assert archived(archive) == [(1, "[name] informed.", "CT")]


def test_a_merged_case_keeps_what_it_is_joined_by(archive: Archive, encoder, tmp_path: Path) -> None:
    import_path(archive, encoder, study(tmp_path))
    (tmp_path / "other.csv").write_text(f"case_id,text\nx,{TEXT}\n")
    import_path(archive, encoder, tmp_path / "other.csv")
    archive.merge([1, 2])
    import_path(archive, encoder, report(tmp_path, accession="ACC-7"))
    assert archived(archive) == [(1, TEXT, "CT")]


def test_a_deleted_case_leaves_nothing_to_join(archive: Archive, encoder, tmp_path: Path) -> None:
    import_path(archive, encoder, study(tmp_path))
    archive.delete([1])
    import_path(archive, encoder, report(tmp_path, uid=UID, accession="ACC-7", patient="P-17"))
    assert archived(archive) == [(0, TEXT, "")]
    assert archive.problems(deep=True) == []


def test_a_preview_says_what_an_import_would_do_and_writes_nothing(archive: Archive, encoder, tmp_path: Path) -> None:
    images = study(tmp_path)
    reports = [
        report(tmp_path, "a.hl7", accession="ACC-7"),
        report(tmp_path, "b.hl7", accession="ACC-9"),
        report(tmp_path, "c.hl7", ""),
    ]
    for known in (archive, None):
        preview = preview_import(known, images, reports)
        (match,) = preview.matched
        assert (match.name, match.by) == (f"{reports[0]} message 1", "Accession Number")
        assert match.others == (str(images / "image.dcm"),)
        assert [name.split("/")[-1] for name in preview.unmatched] == ["b.hl7 message 1"]
        assert (preview.studies, len(preview.rejected)) == (1, 1)
    assert archive.stats()["cases"] == 0
    import_path(archive, encoder, reports[0])
    assert preview_import(archive, images).matched[0].others == ("case 1",)
    import_path(archive, encoder, images, reports)
    assert preview_import(archive, images, reports).archived == 3
