"""An export of images holds no identifier of the study anywhere, and nothing but complete exports is ever there."""

import errno
import json
import os
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, MultiFrameSingleBitSecondaryCaptureImageStorage

from engine.cli import main
from engine.dicom.listing import Listing, open_path
from engine.errors import Cancelled, UserError
from engine.image.export import export_images as exporting
from engine.image.export.export_images import LABELLED, RECOGNIZABLE, export_images
from engine.image.export.pixels import TEXT_LEFT, UNFOUND
from engine.image.export.result import ExportResult
from engine.image.picture import load_picture
from engine.models.burned_in import text_boxes
from engine.models.text_detector import text_detector
from engine.reports.workspace import Workspace
from tests.engine.dicom_samples import dataset, derive, key_objects, sample
from tests.engine.image.export.conftest import PLANTED, planted, written_into_pixels


def export(source: Path, out: Path) -> ExportResult:
    listing = open_path(source)
    return export_images(listing, listing.studies, out)


def images_of(out: Path) -> list[FileDataset]:
    """By number, those that the DICOMDIR lists, which are all there are."""
    records = dcmread(out / "DICOMDIR").DirectoryRecordSequence
    listed = [out.joinpath(*one.ReferencedFileID) for one in records if "ReferencedFileID" in one]
    assert {out / "DICOMDIR", *listed} == {path for path in out.rglob("*") if path.is_file()}
    instances = [dcmread(path) for path in listed]
    return sorted(instances, key=lambda one: int(one.InstanceNumber))


def bytes_of(out: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file())


def test_no_planted_identifier_is_in_any_byte_of_the_export(study: Path, tmp_path: Path) -> None:
    originals = b"".join(path.read_bytes() for path in study.iterdir())
    assert all(word.encode() in originals for word in PLANTED)
    result = export(study, tmp_path / "out")
    assert (result.images, result.text_images, result.refused) == (2, 1, [])
    exported = bytes_of(tmp_path / "out").upper() + "".join(str(one) for one in (tmp_path / "out").rglob("*")).encode()
    exported = exported.replace(str(tmp_path).encode(), b"")
    assert [word for word in PLANTED if word.encode() in exported] == []


def test_a_zip_file_holds_the_same_and_names_no_member_after_the_patient(study: Path, tmp_path: Path) -> None:
    export(study, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.testzip() is None
        assert "DICOMDIR" in archive.namelist()
        exported = b"".join(archive.read(name) + name.encode() for name in archive.namelist())
    assert [word for word in PLANTED if word.encode() in exported] == []


def test_what_was_done_is_coded_as_the_standard_asks(study: Path, tmp_path: Path) -> None:
    export(study, tmp_path / "out")
    for made in images_of(tmp_path / "out"):
        assert made.PatientIdentityRemoved == "YES"
        assert [code.CodeValue for code in made.DeidentificationMethodCodeSequence] == ["113100", "113101"]
        assert {code.CodingSchemeDesignator for code in made.DeidentificationMethodCodeSequence} == {"DCM"}
        assert (made.BurnedInAnnotation, made.LongitudinalTemporalInformationModified) == ("NO", "REMOVED")
        assert made.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
        assert not any(element.tag.is_private for element in made.iterall())


def test_uids_are_new_and_references_between_the_images_stay_valid(tmp_path: Path) -> None:
    first = planted(tmp_path / "study" / "a.dcm", InstanceNumber=1)
    reference = dcmread(first).ReferencedImageSequence
    reference[0].ReferencedSOPInstanceUID = dcmread(first).SOPInstanceUID
    planted(tmp_path / "study" / "b.dcm", InstanceNumber=2, ReferencedImageSequence=reference)
    export(tmp_path / "study", tmp_path / "out")
    export(tmp_path / "study", tmp_path / "again")
    one, two = images_of(tmp_path / "out")
    assert two.ReferencedImageSequence[0].ReferencedSOPInstanceUID == one.SOPInstanceUID
    assert two.ReferencedImageSequence[0].ReferencedSOPClassUID == one.SOPClassUID
    assert (one.StudyInstanceUID, one.SeriesInstanceUID) == (two.StudyInstanceUID, two.SeriesInstanceUID)
    assert one.FrameOfReferenceUID == two.FrameOfReferenceUID
    assert one.PatientID == two.PatientID
    assert images_of(tmp_path / "again")[0].StudyInstanceUID != one.StudyInstanceUID


def test_the_pixels_and_what_describes_them_stay_where_no_text_is(tmp_path: Path) -> None:
    export(sample("CT_small.dcm"), tmp_path / "out")
    (made,) = images_of(tmp_path / "out")
    original = dcmread(sample("CT_small.dcm"))
    np.testing.assert_array_equal(made.pixel_array, original.pixel_array)
    for keyword in ("PixelSpacing", "RescaleIntercept", "ImagePositionPatient", "Modality", "KVP", "Manufacturer"):
        assert made[keyword].value == original[keyword].value


@pytest.mark.parametrize(
    "name",
    [
        *("emri_small_jpeg_2k_lossless.dcm", "MR_small_bigendian.dcm", "SC_rgb_rle_2frame.dcm", "JPGExtended.dcm"),
        *("image_dfl.dcm", "OBXXXX1A.dcm", "rtdose_1frame.dcm", "SC_rgb_small_odd.dcm"),
        *("MR_small_implicit.dcm", "examples_palette.dcm", "693_J2KI.dcm", "mlut_18.dcm"),
    ],
)
def test_every_form_of_pixels_is_exported_uncompressed_and_reads_as_before(name: str, tmp_path: Path) -> None:
    result = export(sample(name), tmp_path / "out")
    (made,) = images_of(tmp_path / "out")
    before, after = (load_picture(path).gray for path in (sample(name), Path(str(made.filename))))
    assert before.shape == after.shape
    assert result.text_boxes or np.array_equal(before, after)


def test_single_bits_and_floating_point_stay_what_they_are(tmp_path: Path) -> None:
    single_bits = {"SOPClassUID": MultiFrameSingleBitSecondaryCaptureImageStorage, "Modality": "OT"}
    derive(tmp_path / "bits" / "a.dcm", "liver.dcm", **single_bits)
    export(tmp_path / "bits", tmp_path / "out")
    (made,) = images_of(tmp_path / "out")
    assert (made.BitsAllocated, made.NumberOfFrames) == (1, 3)
    np.testing.assert_array_equal(made.pixel_array, dataset("liver.dcm").pixel_array)
    values = np.linspace(0, 1, 64 * 64, dtype="<f4").reshape(64, 64)
    floats = derive(tmp_path / "floats" / "a.dcm", PixelData=None, FloatPixelData=values.tobytes(), BitsAllocated=32)
    export(floats, tmp_path / "more")
    np.testing.assert_array_equal(images_of(tmp_path / "more")[0].pixel_array, values)


def test_a_palette_of_a_big_endian_file_keeps_its_colors(tmp_path: Path) -> None:
    export(sample("OBXXXX1A_expb.dcm"), tmp_path / "out")
    keyword = "RedPaletteColorLookupTableData"
    assert images_of(tmp_path / "out")[0][keyword].value == dataset("OBXXXX1A.dcm")[keyword].value


def test_codes_stay_although_their_values_look_like_telephone_numbers(tmp_path: Path) -> None:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "121320", "DCM", "Uncompressed predecessor"
    derive(tmp_path / "study" / "a.dcm", AnatomicRegionSequence=[code])
    export(tmp_path / "study", tmp_path / "out")
    assert images_of(tmp_path / "out")[0].AnatomicRegionSequence[0] == code


def test_burned_in_text_is_black_and_the_rest_of_the_image_stays(study: Path, tmp_path: Path) -> None:
    export(study, tmp_path / "out")
    before = dcmread(study / "b.dcm").pixel_array
    made = images_of(tmp_path / "out")[1]
    after = made.pixel_array
    assert (after[:40] == 0).all()
    np.testing.assert_array_equal(after[60:], before[60:])
    assert made.ImageType[0] == "DERIVED"
    assert text_boxes(text_detector().boxes(load_picture(Path(str(made.filename))).gray)) == []


def test_text_outside_the_window_of_the_file_is_found(tmp_path: Path) -> None:
    shown = {"WindowCenter": 5000, "WindowWidth": 10}  # shows the whole image black
    planted(tmp_path / "study" / "a.dcm", **written_into_pixels(), **shown)
    assert export(tmp_path / "study", tmp_path / "out").text_images == 1


def test_an_image_whose_text_is_found_again_is_refused(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = exporting.text_in
    monkeypatch.setattr(exporting, "text_in", lambda *given: (found(*given)[0], 1))  # the proof alone asks this one
    result = export(study, tmp_path / "out")
    assert [one.reason for one in result.refused] == [TEXT_LEFT.format(1)]
    assert [int(one.InstanceNumber) for one in images_of(tmp_path / "out")] == [1]


def test_an_identifier_left_in_a_written_file_refuses_the_image(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.image.export.header.identifies", lambda *_: False)  # as if a rule were missing
    with pytest.raises(UserError, match="still holds an identifier"):
        export(study, tmp_path / "out")
    assert [one.name for one in tmp_path.iterdir()] == ["study"]


def test_text_that_the_header_states_and_nobody_finds_refuses_the_image(tmp_path: Path) -> None:
    derive(tmp_path / "study" / "a.dcm", BurnedInAnnotation="YES")
    derive(tmp_path / "study" / "b.dcm", InstanceNumber=2)
    assert [one.reason for one in export(tmp_path / "study", tmp_path / "out").refused] == [UNFOUND]


@pytest.mark.parametrize(
    ("keyword", "reason"), [("RecognizableVisualFeatures", RECOGNIZABLE), ("SpecimenLabelInImage", LABELLED)]
)
def test_what_the_header_says_of_faces_and_labels_refuses_the_image(keyword: str, reason: str, tmp_path: Path) -> None:
    derive(tmp_path / "study" / "a.dcm", **{keyword: "YES"})
    derive(tmp_path / "study" / "b.dcm", InstanceNumber=2, **{keyword: "NO"})
    assert [one.reason for one in export(tmp_path / "study", tmp_path / "out").refused] == [reason]


def test_a_lossy_image_stays_marked_as_one_although_it_is_uncompressed_now(tmp_path: Path) -> None:
    export(sample("JPGExtended.dcm"), tmp_path / "out")
    assert images_of(tmp_path / "out")[0].LossyImageCompression == "01"


def test_a_faulty_file_is_refused_with_its_reason_while_the_rest_goes_on(study: Path, tmp_path: Path) -> None:
    whole = (study / "a.dcm").read_bytes()
    (study / "c.dcm").write_bytes(whole.replace(b"2.25.4711", b"2.25.4712")[:-20_000])
    derive(study / "d.dcm", SOPClassUID="1.2.3.4.5")
    (study / "e.txt").write_text("QUIXANO")
    result = export(study, tmp_path / "out")
    assert result.images == 2
    assert {Path(one.path).name: one.reason.split(";")[0].split(":")[0] for one in result.refused} == {
        "c.dcm": "The file is truncated",
        "d.dcm": "Its SOP class is private or unknown, so what its elements hold is not known.",
        "e.txt": "This is not a DICOM file.",
    }
    assert "; 3 files were refused: The file is truncated" in result.sentence("out")
    assert "; This is not a DICOM file (1); Its SOP class is private" in result.sentence("out")


def test_reports_and_other_documents_are_counted_and_stay(study: Path, tmp_path: Path) -> None:
    from pydicom.sr.codedict import codes

    key_objects(study / "keys.dcm", [dcmread(study / "a.dcm")], codes.DCM.OfInterest)
    result = export(study, tmp_path / "out")
    assert (result.images, result.documents) == (2, 1)
    assert {str(one.SOPClassUID.name) for one in images_of(tmp_path / "out")} == {"CT Image Storage"}


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_a_cancelled_export_leaves_nothing(name: str, study: Path, tmp_path: Path) -> None:
    listing, asked = open_path(study), iter((False, True))
    with pytest.raises(Cancelled):
        export_images(listing, listing.studies, tmp_path / name, cancelled=lambda: next(asked))
    assert [one.name for one in tmp_path.iterdir()] == ["study"]


def test_a_full_disk_ends_the_export_and_leaves_nothing(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(exporting, "write_pixels", full)
    with pytest.raises(UserError, match=r"out cannot be written \(No space left on device\)"):
        export(study, tmp_path / "out")
    assert [one.name for one in tmp_path.iterdir()] == ["study"]


def test_what_hides_beside_the_pixels_stays_behind(tmp_path: Path) -> None:
    jpeg = BytesIO()
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(jpeg, "JPEG", comment=b"QUIXANO")
    coded = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0, "Rows": 64, "Columns": 64}
    one = derive(tmp_path / "study" / "a.dcm", PixelData=encapsulate([jpeg.getvalue()]), InstanceNumber=1, **coded)
    made = dcmread(one)
    made.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    made["PixelData"].is_undefined_length = True
    made.save_as(one)
    cells = dataset("MR_small.dcm").pixel_array.astype("<u2") & 0xFFF
    cells[0, :4] |= 0x5000  # an overlay in unused bits
    twelve = {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0, "InstanceNumber": 2}
    derive(tmp_path / "study" / "b.dcm", PixelData=cells.tobytes() + b"QUIXANO.", **twelve)
    assert b"QUIXANO" in one.read_bytes()
    assert export(tmp_path / "study", tmp_path / "out").images == 2
    assert b"QUIXANO" not in bytes_of(tmp_path / "out")
    assert images_of(tmp_path / "out")[1].pixel_array.max() < 1 << 12


def test_what_a_killed_export_left_goes_with_the_next_one(tmp_path: Path) -> None:
    left, running, other = (tmp_path / name for name in (".out.abc.new", ".out.def.new", ".outer.abc.new"))
    for folder in (left, running, other):
        folder.mkdir()
    for folder in (left, other):
        os.utime(folder, (0, 0))
    export(sample("CT_small.dcm"), tmp_path / "out")
    assert {one.name for one in tmp_path.iterdir()} == {"out", running.name, other.name}


def test_what_exists_is_never_overwritten_and_nothing_comes_of_nothing(study: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(UserError, match="exists already"):
        export(study, tmp_path / "out")
    with pytest.raises(UserError, match="does not exist"):
        export(study, tmp_path / "none" / "out")
    with pytest.raises(UserError, match="no image"):
        export_images(Listing(), (), tmp_path / "new")


def test_two_patients_who_share_a_study_uid_get_studies_of_their_own(tmp_path: Path) -> None:
    planted(tmp_path / "study" / "a.dcm")
    planted(tmp_path / "study" / "b.dcm", PatientName="PANZA^SANCHO", PatientID="Q4711Y", PatientBirthDate="16050117")
    export(tmp_path / "study", tmp_path / "out")
    one, two = images_of(tmp_path / "out")
    assert one.StudyInstanceUID != two.StudyInstanceUID
    assert one.PatientID != two.PatientID


def test_the_command_prints_what_it_did(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["export-images", str(study), "--out", str(tmp_path / "a.zip"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["images"], said["text_images"], said["refused"], said["documents"]) == (2, 1, [], 0)
    assert main.main(["export-images", str(study), "--out", str(tmp_path / "b")]) == 0
    assert f"Exported 2 anonymised images to {tmp_path / 'b'}, 1 with text blacked out." in capsys.readouterr().out
    assert main.main(["export-images", str(study), "--out", str(tmp_path / "c"), "--study", "1.2.3"]) == 2
    assert "no images of the study 1.2.3" in capsys.readouterr().err
    with Workspace.open() as workspace:
        assert [row["state"] for row in workspace.audit()] == ["exported", "exported"]
