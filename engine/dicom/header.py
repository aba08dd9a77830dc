"""Turns one parsed header into an image with its frames, series and study. Opens no files."""

from dataclasses import dataclass

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from engine.dicom.multiframe import FramePlaces, frame_places, frame_time
from engine.dicom.ultrasound import regions
from engine.dicom.values import FileHeader, Header, integer, item, items, number, numbers, text, texts
from engine.errors import UserError
from engine.facts.code_names import code_name
from engine.geometry.planes import valid_orientation
from engine.geometry.spacing import common_spacing, same_spacing
from engine.study import PROJECTIONS, FrameRef, ImageRef, Origin, Patient, Vector
from engine.text.known_names import institution

PEOPLE = (
    *("OtherPatientNames", "PatientBirthName", "PatientMotherBirthName", "ResponsiblePerson", "OtherPatientIDs"),
    *("ReferringPhysicianName", "ConsultingPhysicianName", "RequestingPhysician", "PhysiciansOfRecord"),
    *("PerformingPhysicianName", "ScheduledPerformingPhysicianName", "NameOfPhysiciansReadingStudy", "OperatorsName"),
    "AdmissionID",
)
"""Attributes that name somebody besides Patient's Name and ID; reports are cleaned of their values."""
INSTITUTIONS = ("InstitutionName", "InstitutionalDepartmentName")
"""Attributes that name an institution, or a part of one that may be "MRI"; reports are cleaned of their values."""
MAX_FRAMES = 100_000
"""Images with more frames are refused."""

TAGS: list[int | str] = [
    *("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "StudyID", "InstanceNumber"),
    *(
        "StudyDate",
        "StudyTime",
        "StudyDescription",
        "AccessionNumber",
        "SeriesNumber",
        "SeriesDescription",
    ),
    *PEOPLE,
    *INSTITUTIONS,
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "PatientAge", "Modality", "BodyPartExamined"),
    *("ProtocolName", "RequestedProcedureDescription", "PerformedProcedureStepDescription"),
    *("AnatomicRegionSequence", "PrimaryAnatomicStructureSequence", "ViewCodeSequence", "ContrastBolusAgent"),
    *("ImageType", "Laterality", "ImageLaterality", "ViewPosition", "PatientOrientation"),
    *("Rows", "Columns", "NumberOfFrames", "BitsAllocated", "SamplesPerPixel", "LossyImageCompression"),
    *("BurnedInAnnotation", "FrameTime", "FrameTimeVector", "CineRate", "RecommendedDisplayFrameRate"),
    *("RecommendedDisplayFrameRateInFloat", "FrameIncrementPointer", "SpacingBetweenSlices"),
    *("SliceVector", "TimeSlotVector", "RRIntervalVector"),
    *("ImagePositionPatient", "ImageOrientationPatient", "SliceThickness"),
    *("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelSpacingCalibrationType"),
    "EstimatedRadiographicMagnificationFactor",
    "PixelAspectRatio",
    *("SequenceOfUltrasoundRegions", "FrameOfReferenceUID", "TemporalPositionIdentifier", "EchoNumbers"),
    *("EchoTime", "DiffusionBValue", "AcquisitionNumber", "GridFrameOffsetVector", "DetectorInformationSequence"),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "DirectoryRecordSequence"),
]
"""Elements that a listing needs; pydicom parses no others, which makes large folders fast."""

SEQUENCES = frozenset(tag_for_keyword(str(tag)) for tag in TAGS if "Sequence" in str(tag))
"""Tags of the sequences among them, which only pydicom can read."""


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """The study attributes of one header."""

    uid: str
    date: str
    time: str
    description: str
    accession: str
    patient: Patient
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """The series attributes of one header."""

    uid: str
    number: int | None
    description: str
    modality: str
    body_part: str
    institution: str
    descriptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Instance:
    """One image of a listing, before it is grouped into a series."""

    study: StudyFacts
    series: SeriesFacts
    image: ImageRef
    frames: tuple[FrameRef, ...]
    has_frame_geometry: bool
    """Frames have positions of their own (enhanced multi-frame, RT Dose) and may be sorted by them."""


def instance(dataset: FileHeader, origin: Origin) -> Instance:
    """What a listing needs from one image header.

    Raises:
        UserError: Rows or Columns are missing, or there are too many frames.
    """
    rows, columns = integer(dataset, "Rows"), integer(dataset, "Columns")
    if not rows or not columns or rows < 1 or columns < 1:
        raise UserError("Rows or Columns are missing from the header; export the file again from its source.")
    frames = max(1, integer(dataset, "NumberOfFrames") or 1)
    if frames > MAX_FRAMES:
        raise UserError(
            f"The header claims {frames:,} frames; at most {MAX_FRAMES:,} are supported. Check the file at its source."
        )
    orientation = texts(dataset, "PatientOrientation")
    burned = text(dataset, "BurnedInAnnotation").upper()
    shared = item(dataset, "SharedFunctionalGroupsSequence")
    image = ImageRef(
        origin=origin,
        sop_uid=text(dataset, "SOPInstanceUID"),
        sop_class=text(dataset, "SOPClassUID"),
        transfer_syntax=str(dataset.file_meta.TransferSyntaxUID),
        instance_number=integer(dataset, "InstanceNumber"),
        frames=frames,
        rows=rows,
        columns=columns,
        laterality=_laterality(dataset, shared),
        view_position=text(dataset, "ViewPosition"),
        view_code=_coded(items(dataset, "ViewCodeSequence")),
        anatomy=_anatomy(dataset, shared),
        contrast_agent=text(dataset, "ContrastBolusAgent"),
        patient_orientation=(orientation[0], orientation[1]) if len(orientation) == 2 and all(orientation) else None,
        lossy=text(dataset, "LossyImageCompression") == "01",
        burned_in={"YES": True, "NO": False}.get(burned),
        frame_time=frame_time(dataset),
        pixel_aspect=_pair(numbers(dataset, "PixelAspectRatio")),
        regions=regions(dataset, rows, columns),
    )
    per_frame = items(dataset, "PerFrameFunctionalGroupsSequence")
    enhanced = bool(per_frame) or shared is not None
    places = None if enhanced else frame_places(dataset, frames)
    refs = tuple(
        _frame(dataset, image, index, shared, per_frame[index] if index < len(per_frame) else None, places)
        for index in range(frames)
    )
    placed = enhanced or (places is not None and places.complete)
    return Instance(study_facts(dataset), _series(dataset), image, refs, placed)


def study_facts(dataset: Header) -> StudyFacts:
    """The study attributes of a header."""
    date = text(dataset, "StudyDate")
    birth = text(dataset, "PatientBirthDate")
    sex = text(dataset, "PatientSex").upper()[:1]
    patient = Patient(
        name=text(dataset, "PatientName"),
        id=text(dataset, "PatientID"),
        birth_date=birth,
        sex=sex if sex in ("M", "F", "O") else "",
        age=age_in_years(text(dataset, "PatientAge"), birth, date),
    )
    return StudyFacts(
        uid=text(dataset, "StudyInstanceUID"),
        date=date,
        time=text(dataset, "StudyTime"),
        description=text(dataset, "StudyDescription"),
        accession=text(dataset, "AccessionNumber"),
        patient=patient,
        people=(
            *(name for keyword in PEOPLE if keyword in dataset for name in texts(dataset, keyword) if name),
            *(institution(name) for keyword in INSTITUTIONS if (name := text(dataset, keyword))),
        ),
    )


def _series(dataset: Header) -> SeriesFacts:
    region = item(dataset, "AnatomicRegionSequence")
    return SeriesFacts(
        uid=text(dataset, "SeriesInstanceUID"),
        number=integer(dataset, "SeriesNumber"),
        description=text(dataset, "SeriesDescription"),
        modality=text(dataset, "Modality").upper(),
        body_part=text(dataset, "BodyPartExamined") or (text(region, "CodeMeaning") if region is not None else ""),
        institution=text(dataset, "InstitutionName"),
        descriptions=tuple(
            dict.fromkeys(
                filter(
                    None,
                    (
                        text(dataset, "ProtocolName"),
                        text(dataset, "PerformedProcedureStepDescription"),
                        text(dataset, "RequestedProcedureDescription"),
                    ),
                )
            )
        ),
    )


def age_in_years(age: str, birth_date: str, study_date: str) -> int | None:
    """Full years from an Age String (PS3.5 6.2: "045Y", "018M", "003W", "010D"), else from the two dates (YYYYMMDD)."""
    digits, unit = age[:-1].strip(), age[-1:].upper()
    days = {"Y": 365.25, "M": 365.25 / 12, "W": 7.0, "D": 1.0}
    if digits.isdecimal() and unit in days:
        return int(digits) if unit == "Y" else int(int(digits) * days[unit] / 365.25 + 1e-9)
    if len(birth_date) == 8 and len(study_date) == 8 and birth_date.isdecimal() and study_date.isdecimal():
        years = int(study_date[:4]) - int(birth_date[:4]) - (study_date[4:] < birth_date[4:])
        return years if 0 <= years <= 150 else None
    return None


def _laterality(dataset: Header, shared: Header | None) -> str:
    """Laterality of the image, else the Frame Laterality (0020,9072) all frames share (PS3.3 C.7.6.16.2.8)."""
    frames = item(shared, "FrameAnatomySequence")
    own = text(dataset, "ImageLaterality") or text(dataset, "Laterality")
    return (own or (text(frames, "FrameLaterality") if frames is not None else "")).upper()


def _anatomy(dataset: Header, shared: Header | None) -> str:
    """Names of the coded regions and structures, of the image, else of all its frames (PS3.3 10.5 and C.7.6.16.2.8)."""
    frames = item(shared, "FrameAnatomySequence")
    found = items(dataset, "AnatomicRegionSequence") or (items(frames, "AnatomicRegionSequence") if frames else [])
    return _coded([*found, *items(dataset, "PrimaryAnatomicStructureSequence")])


def _coded(found: list[Dataset]) -> str:
    """English names of coded items; for a code that DICOM does not list, its Code Meaning (0008,0104)."""
    names = (
        code_name(text(one, "CodeValue"), text(one, "CodingSchemeDesignator")) or text(one, "CodeMeaning")
        for one in found
    )
    return ", ".join(filter(None, names))


def _frame(
    dataset: Header,
    image: ImageRef,
    index: int,
    shared: Header | None,
    own: Header | None,
    places: FramePlaces | None = None,
) -> FrameRef:
    """A frame's geometry from its own functional group, else the shared one, else the top level (PS3.3 C.7.6.16)."""

    def group(keyword: str) -> Header:
        return item(own, keyword) or item(shared, keyword) or dataset

    values = numbers(group("PlanePositionSequence"), "ImagePositionPatient")
    position: Vector | None = (values[0], values[1], values[2]) if len(values) == 3 else None
    orientation = valid_orientation(numbers(group("PlaneOrientationSequence"), "ImageOrientationPatient"))
    measures = group("PixelMeasuresSequence")
    spacing, source = _spacing(dataset, measures, image)
    thickness = number(measures, "SliceThickness")
    if places is not None and own is None:
        orientation = places.orientation or orientation
        position = places.position(index)
    diffusion = group("MRDiffusionSequence")
    image_type = texts(dataset, "ImageType")
    return FrameRef(
        image=image,
        frame=index,
        position=position,
        orientation=orientation,
        spacing=spacing,
        spacing_source=source,
        thickness=thickness if thickness and thickness > 0 else None,
        frame_of_reference=text(dataset, "FrameOfReferenceUID"),
        temporal=_first(
            number(group("FrameContentSequence"), "TemporalPositionIndex"),
            places.times[index] if places is not None and places.times else None,
            number(dataset, "TemporalPositionIdentifier"),
        ),
        echo=_first(number(group("MREchoSequence"), "EffectiveEchoTime"), number(dataset, "EchoNumbers")),
        b_value=_first(number(diffusion, "DiffusionBValue"), number(dataset, "DiffusionBValue")),
        acquisition=number(dataset, "AcquisitionNumber"),
        localizer="LOCALIZER" in (part.upper() for part in image_type),
    )


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _spacing(dataset: Header, measures: Header, image: ImageRef) -> tuple[tuple[float, float] | None, str]:
    """Pixel spacing in millimeters (row to row, column to column) and its source (PS3.3 10.7.1.3).

    Pixel Spacing that differs from Imager Pixel Spacing is calibrated; equal values are still distances at the
    detector, and so is the Nominal Scanned Pixel Spacing of a film. Ultrasound regions take precedence (PS3.3 C.8.5.5).
    A radiograph with Pixel Spacing alone and no Pixel Spacing Calibration Type (0028,0A30) may mean either.
    """
    if image.regions:
        shared = common_spacing(image.regions)
        return shared, "region" if shared else ""
    imager = _pair(numbers(dataset, "ImagerPixelSpacing")) or _pair(numbers(dataset, "NominalScannedPixelSpacing"))
    pixel = _pair(numbers(measures, "PixelSpacing"))
    if pixel is not None and (imager is None or not same_spacing(pixel, imager)):
        stated = imager is not None or text(dataset, "PixelSpacingCalibrationType")
        return pixel, "pixel" if stated or text(dataset, "Modality") not in PROJECTIONS | {"XA"} else "pixel/unstated"
    if imager is not None:
        magnification = number(dataset, "EstimatedRadiographicMagnificationFactor")
        if magnification and magnification > 0:
            return (imager[0] / magnification, imager[1] / magnification), "imager/magnification"
        return imager, "imager"
    return None, ""


def _pair(values: list[float]) -> tuple[float, float] | None:
    return (values[0], values[1]) if len(values) == 2 and min(values) > 0 else None
