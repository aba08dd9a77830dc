"""Documents are listed with their study and read: reports, PDFs, presentation states."""

from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from engine.dicom.documents.document import StudyDocument, read_whole
from engine.dicom.documents.encapsulated import pdf_of
from engine.dicom.documents.presentation_state import presentation_state as read_state
from engine.dicom.documents.structured_report import CUT_OFF, MAX_DEPTH, report_lines, report_text
from engine.dicom.listing import open_path
from engine.errors import UserError
from engine.image.shutters import shutter
from tests.engine.dicom.documents.samples import PDF, encapsulated_pdf, presentation_state, structured_report
from tests.engine.dicom_samples import derive_stack, sample


@pytest.fixture
def stack(tmp_path: Path) -> list[Path]:
    """Three slices."""
    return derive_stack(tmp_path / "stack", [0.0, 5.0, 10.0])


def listed(path: Path) -> StudyDocument:
    (document,) = open_path(path).documents
    return document


def test_documents_are_listed_with_the_study_of_their_header_and_not_rejected(
    tmp_path: Path, stack: list[Path]
) -> None:
    structured_report(tmp_path / "stack" / "report.dcm", stack[0])
    encapsulated_pdf(tmp_path / "stack" / "pdf.dcm", stack[0])
    presentation_state(tmp_path / "stack" / "state.dcm", stack[0])
    listing = open_path(tmp_path / "stack")
    assert listing.rejected == ()
    assert {(one.kind, one.title) for one in listing.documents} == {
        ("report", "Diagnostic Imaging Report"),
        ("PDF", "Outside report"),
        ("presentation state", "Mass in the spleen"),
    }
    assert {one.study.uid for one in listing.documents} == {listing.studies[0].uid}
    assert {one.study.patient.id for one in listing.documents} == {listing.studies[0].patient.id}
    assert len(listing.as_dict()["documents"]) == 3  # type: ignore[arg-type]


def test_the_same_document_twice_is_listed_once(tmp_path: Path, stack: list[Path]) -> None:
    first = structured_report(tmp_path / "a.dcm", stack[0])
    (tmp_path / "b.dcm").write_bytes(first.read_bytes())
    listing = open_path([tmp_path / "a.dcm", tmp_path / "b.dcm"])
    assert len(listing.documents) == len(listing.rejected) == 1


def test_a_report_is_read_with_headings_codes_and_measurements(tmp_path: Path, stack: list[Path]) -> None:
    assert report_lines(read_whole(listed(structured_report(tmp_path / "report.dcm", stack[0])))) == [
        "Diagnostic Imaging Report",
        "Partial, Unverified",
        "",
        "Findings",
        "  Nodule in the right upper lobe.",
        "  No effusion.",
        "  Finding Site: Lung",
        "  Diameter: 12.5 mm",
        "  Source (attribute): (see image)",
    ]


def test_what_is_archived_of_a_report_is_its_content_alone(tmp_path: Path, stack: list[Path]) -> None:
    text = report_text(read_whole(listed(structured_report(tmp_path / "report.dcm", stack[0]))))
    assert text.startswith("Findings\nNodule in the right upper lobe.\nNo effusion.")
    assert "Unverified" not in text


def test_a_real_report_is_read(tmp_path: Path) -> None:
    lines = report_lines(read_whole(listed(sample("reportsi.dcm"))))
    assert len(lines) > 10


def test_content_that_is_nested_too_deep_is_cut_off() -> None:
    document = root = Dataset()
    for _ in range(2 * MAX_DEPTH):
        inner = Dataset()
        inner.ValueType = "CONTAINER"
        inner.ConceptNameCodeSequence = [Dataset()]
        inner.ConceptNameCodeSequence[0].CodeMeaning = "Level"
        root.ContentSequence = [inner]
        root = inner
    assert report_lines(document)[-1].strip() == CUT_OFF


def test_a_pdf_is_taken_out_byte_for_byte(tmp_path: Path, stack: list[Path]) -> None:
    odd = PDF if len(PDF) % 2 else PDF + b"\n"
    assert pdf_of(listed(encapsulated_pdf(tmp_path / "pdf.dcm", stack[0], odd))) == odd


def test_an_object_without_a_pdf_is_refused(tmp_path: Path, stack: list[Path]) -> None:
    with pytest.raises(UserError, match="does not contain a PDF"):
        pdf_of(listed(encapsulated_pdf(tmp_path / "pdf.dcm", stack[0], b"<html>not a document</html>")))


def test_a_presentation_state_gives_window_shutter_and_annotations(tmp_path: Path, stack: list[Path]) -> None:
    header = read_whole(listed(presentation_state(tmp_path / "state.dcm", stack[1])))
    state, opening = read_state(header), shutter(header)
    frames = {frame.image.sop_uid: frame for frame in open_path(tmp_path / "stack").studies[0].frames()}
    shown, other = (frames[dcmread(path).SOPInstanceUID] for path in (stack[1], stack[0]))
    assert state.window_of(shown) == (70, 300)
    assert state.window_of(other) is None
    text, circle = state.annotations_of(shown)
    assert (text.text, text.points) == ("Mass\n12 mm", ((64.0, 32.0),))
    assert (circle.shape, circle.points) == ("CIRCLE", ((40.0, 40.0), (40.0, 50.0)))
    assert state.annotations_of(other) == ()
    assert opening is not None
    assert opening.rectangle == (10.0, 20.0, 100.0, 90.0)
    assert {"Window: center 70, width 300", "Shutter: rectangular", "Not applied: horizontal flip"} <= set(
        state.lines()
    )


def test_damaged_parts_of_a_presentation_state_are_left_out() -> None:
    broken = Dataset()
    broken.SoftcopyVOILUTSequence = [Dataset()]
    broken.GraphicAnnotationSequence = [Dataset()]
    assert read_state(broken).lines() == ["Presentation state", "Images: 0"]
