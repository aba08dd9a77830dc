"""Documents of derived studies, made with highdicom and pydicom."""

from pathlib import Path
from typing import Any

import numpy as np
from highdicom.color import CIELabColor
from highdicom.content import AlgorithmIdentificationSequence
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
from highdicom.sr import (
    CodeContentItem,
    ComprehensiveSR,
    ContainerContentItem,
    ContentSequence,
    ImageContentItem,
    NumContentItem,
    RelationshipTypeValues,
    TextContentItem,
)
from pydicom import Dataset, dcmread
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import (
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    GrayscaleSoftcopyPresentationStateStorage,
    generate_uid,
)

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
FINDING = "Nodule in the right upper lobe.\r\nNo effusion."
CONTAINS = RelationshipTypeValues.CONTAINS


def structured_report(path: Path, image: Path) -> Path:
    """A Comprehensive SR with a text, a code, a measurement and a reference to an image."""
    source = dcmread(image)
    root = ContainerContentItem(name=codes.LN.DiagnosticImagingReport)
    findings = ContainerContentItem(name=codes.LN.Findings, relationship_type=CONTAINS)
    findings.ContentSequence = ContentSequence(
        [
            TextContentItem(name=codes.DCM.Finding, value=FINDING, relationship_type=CONTAINS),
            CodeContentItem(name=codes.SCT.FindingSite, value=codes.SCT.Lung, relationship_type=CONTAINS),
            NumContentItem(name=codes.SCT.Diameter, value=12.5, unit=codes.UCUM.Millimeter, relationship_type=CONTAINS),
            ImageContentItem(codes.SCT.Source, source.SOPClassUID, source.SOPInstanceUID, relationship_type=CONTAINS),
        ]
    )
    root.ContentSequence = ContentSequence([findings])
    document = ComprehensiveSR([source], root, generate_uid(), 50, generate_uid(), 1, manufacturer="tests")
    document.save_as(path)
    return path


def _instance(path: Path, image: Path, sop_class: str, modality: str, **values: Any) -> Path:
    source = dcmread(image)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset(path, {}, file_meta=meta, preamble=b"\0" * 128)
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate"):
        setattr(made, keyword, source.get(keyword, ""))
    made.SOPClassUID, made.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    made.SeriesInstanceUID, made.Modality, made.SeriesNumber = generate_uid(), modality, 60
    for keyword, value in values.items():
        setattr(made, keyword, value)
    made.save_as(path, enforce_file_format=True)
    return path


def encapsulated_pdf(path: Path, image: Path, data: bytes = PDF) -> Path:
    """An encapsulated PDF of an odd length, as DICOM pads it."""
    values = {"EncapsulatedDocument": data + b"\0" * (len(data) % 2), "EncapsulatedDocumentLength": len(data)}
    return _instance(path, image, EncapsulatedPDFStorage, "DOC", DocumentTitle="Outside report", **values)


def references(image: Path) -> Dataset:
    source, found = dcmread(image), Dataset()
    found.ReferencedSOPClassUID, found.ReferencedSOPInstanceUID = source.SOPClassUID, source.SOPInstanceUID
    return found


def _item(**values: Any) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def presentation_state(path: Path, image: Path) -> Path:
    """A window, a rectangular shutter, a text in the displayed area and a circle in pixels, on one image."""
    reference = references(image)
    words = _item(UnformattedTextValue="Mass\r\n12 mm", AnchorPoint=[0.5, 0.25], AnchorPointAnnotationUnits="DISPLAY")
    circle = _item(
        GraphicType="CIRCLE",
        GraphicData=[40.0, 40.0, 40.0, 50.0],
        NumberOfGraphicPoints=2,
        GraphicDimensions=2,
        GraphicAnnotationUnits="PIXEL",
    )
    annotation = _item(GraphicLayer="LAYER", TextObjectSequence=[words], GraphicObjectSequence=[circle])
    area = _item(DisplayedAreaTopLeftHandCorner=[1, 1], DisplayedAreaBottomRightHandCorner=[128, 128])
    values = {
        "ContentLabel": "MASS",
        "ContentDescription": "Mass in the spleen",
        "ReferencedSeriesSequence": [_item(SeriesInstanceUID="1.2", ReferencedImageSequence=[reference])],
        "SoftcopyVOILUTSequence": [_item(WindowCenter=70, WindowWidth=300, ReferencedImageSequence=[reference])],
        "GraphicAnnotationSequence": [annotation],
        "DisplayedAreaSelectionSequence": [area],
        "ShutterShape": "RECTANGULAR",
        **{"ShutterLeftVerticalEdge": 11, "ShutterRightVerticalEdge": 100},
        **{"ShutterUpperHorizontalEdge": 21, "ShutterLowerHorizontalEdge": 90},
        "ImageHorizontalFlip": "Y",
        "ImageRotation": 0,
    }
    return _instance(path, image, GrayscaleSoftcopyPresentationStateStorage, "PR", **values)


def segmentation(path: Path, images: list[Path], masks: np.ndarray[Any, Any], kind: str = "BINARY") -> Path:
    """A segmentation of a stack: "Spleen" where masks, bool [images, H, W], are set."""
    spleen = SegmentDescription(
        1,
        "Spleen",
        codes.SCT.Organ,
        codes.SCT.Spleen,
        SegmentAlgorithmTypeValues.AUTOMATIC,
        AlgorithmIdentificationSequence("tests", codes.DCM.ArtificialIntelligence, "1"),
        display_color=CIELabColor(50, 0, 0),
    )
    made = Segmentation(
        [dcmread(image) for image in images],
        masks.astype(np.uint8) if kind == "BINARY" else masks.astype(np.float32),
        SegmentationTypeValues[kind],
        [spleen],
        generate_uid(),
        70,
        generate_uid(),
        1,
        "tests",
        "tests",
        "1",
        "1",
        series_description="Spleen",
    )
    made.save_as(path)
    return path
