"""CSV files as spreadsheets write them are read whole, and malformed rows never touch their neighbours."""

from pathlib import Path

import pytest

from engine.errors import UserError
from engine.importing import csv_rows
from engine.importing.csv_rows import CsvRows, read_rows


def rows_of(folder: Path, data: str | bytes) -> CsvRows:
    path = folder / "reports.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_rows(path, ("text",))


def texts(found: CsvRows) -> list[str]:
    return [row["text"] for _, row in found.rows]


@pytest.mark.parametrize(
    "data",
    [
        'id,text\n1,"Kein Erguß, kein Infiltrat."\n'.encode(),
        'id;text\n1;"Kein Erguß, kein Infiltrat."\n'.encode(),
        "id;text\r\n1;Kein Erguß, kein Infiltrat.\r\n".encode("utf-8-sig"),
        "id\ttext\n1\tKein Erguß, kein Infiltrat.\n".encode("utf-16"),
        'ID , Text\r1,"Kein Erguß, kein Infiltrat."\r'.encode(),
    ],
)
def test_separator_encoding_and_line_ends_do_not_matter(tmp_path: Path, data: bytes) -> None:
    found = rows_of(tmp_path, data)
    assert found.rows == [(2, {"id": "1", "text": "Kein Erguß, kein Infiltrat."})]
    assert found.rejected == []


@pytest.mark.parametrize(
    ("written", "column"),
    [
        *(("Accession Number", "accession"), ("accession_number", "accession"), ("AccessionNumber", "accession")),
        *(("Study Instance UID", "study_uid"), ("StudyInstanceUID", "study_uid"), ("STUDYINSTANCEUID", "study_uid")),
        *(("Patient ID", "patient_id"), ("PatientID", "patient_id"), ("Study Date", "study_date")),
        *(("Patient Name", "patient_name"), ("PatientName", "patient_name"), ("case-id", "case_id")),
    ],
)
def test_columns_have_one_name_however_they_are_spelled(tmp_path: Path, written: str, column: str) -> None:
    assert rows_of(tmp_path, f"{written},text\n1,Normal.\n").columns == [column, "text"]


def test_a_column_of_the_usual_name_is_not_replaced_by_another_spelling(tmp_path: Path) -> None:
    found = rows_of(tmp_path, "accession,Accession Number,text\n1,2,Normal.\n")
    assert found.rows[0][1]["accession"] == "1"


def test_another_encoding_is_refused_by_its_reason(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is not UTF-8 \(byte 19\); save it again as CSV UTF-8\.$"):
        rows_of(tmp_path, "id,text\n1,Kein Erguß.\n".encode("cp1252"))


def test_an_opened_quotation_mark_takes_no_other_row_with_it(tmp_path: Path) -> None:
    found = rows_of(tmp_path, 'id,text\n1,"Large right effusion.\n2,Normal chest.\n3,No disease.\n4,Cardiomegaly.\n')
    assert texts(found) == ["Normal chest.", "No disease.", "Cardiomegaly."]
    assert [(one.path.rpartition("line ")[2], one.reason) for one in found.rejected] == [
        ("2", "The row is not valid CSV: unexpected end of data.")
    ]


def test_neither_does_one_that_the_quoted_text_of_a_later_row_seems_to_close(tmp_path: Path) -> None:
    found = rows_of(tmp_path, 'id,text\n1,"Effusion.\n2,Normal.\n3,"No nodule, no mass."\n4,Clear.\n')
    assert texts(found) == ["Normal.", "No nodule, no mass.", "Clear."]
    assert len(found.rejected) == 1


def test_a_text_of_several_lines_in_quotation_marks_is_whole(tmp_path: Path) -> None:
    found = rows_of(tmp_path, 'id,text\n1,"Normal.\n\nNo ""free"" air."\n\n2,Clear.\n')
    assert found.rows == [(2, {"id": "1", "text": 'Normal.\n\nNo "free" air.'}), (6, {"id": "2", "text": "Clear."})]


def test_a_text_that_an_unquoted_comma_would_cut_is_rejected(tmp_path: Path) -> None:
    found = rows_of(tmp_path, "id,text\n1,No effusion, but a 2 cm nodule.\n2,Normal.,,\n3\n")
    assert texts(found) == ["Normal.", ""]
    assert [one.reason for one in found.rejected] == [
        "The row has 3 cells, but the first line names 2 columns; "
        "put texts that contain the separator in quotation marks."
    ]


@pytest.mark.parametrize("data", [b"", b"\n", b'"id\n', b"id,report\n1,Normal.\n"])
def test_a_file_without_the_column_says_so(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UserError, match="has no column 'text'; its first line must name the columns"):
        rows_of(tmp_path, data)


def test_the_rest_of_a_file_of_open_quotation_marks_is_not_read(tmp_path: Path) -> None:
    found = rows_of(tmp_path, "text\n" + 'fine\n"open\n' * 300)
    assert len(found.rejected) == csv_rows.MAX_DAMAGED + 1
    assert "the rest of the file was not read" in found.rejected[-1].reason
    assert len(found.rows) < 300


@pytest.mark.parametrize(
    ("limit", "reason"),
    [("MAX_BYTES", "is larger than"), ("MAX_LINES", "has more than"), ("MAX_CELLS", "has more than")],
)
def test_a_file_that_would_fill_the_memory_is_refused(
    limit: str, reason: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(csv_rows, limit, 2)
    with pytest.raises(UserError, match=reason):
        rows_of(tmp_path, "id,text\n1,a\n2,b\n")
