"""No element of the data dictionary lets an identifier through, at any depth and whatever its VR."""

import sys

import pytest
from pydicom._dicom_dict import DicomDictionary
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from engine.image.export import profile
from engine.image.export.header import Pseudonyms, Rules, deidentified
from engine.image.export.identifiers import identifiers_of, left_in, uids_of
from engine.image.export.profile import Action, action

NAME, UID, DATE = "QUIXANO", "2.25.4711", "16050116"
VALUES: dict[str, object] = {
    **dict.fromkeys(("LO", "SH", "ST", "LT", "UT", "UC", "PN"), f"{NAME}^ALONSO"),
    **dict.fromkeys(("CS", "AE", "UR"), NAME),
    **dict.fromkeys(("OB", "UN", "OB or OW"), b"QUIXANO^ALONSO"),
    **{"UI": UID, "DA": DATE, "DT": f"{DATE}120000", "TM": "120000", "IS": DATE, "DS": DATE},
}
"""What is planted, by VR; other VRs hold numbers."""
BULK = {0x7FE00010, 0x7FE00008, 0x7FE00009}


def planted() -> Dataset:
    made = Dataset()
    for tag, (vr, *_) in DicomDictionary.items():
        if vr in VALUES and tag >> 16 > 7 and tag not in BULK:
            made.add(DataElement(tag, vr if vr != "OB or OW" else "OB", VALUES[vr]))
    made.PatientName, made.PatientBirthDate = f"{NAME}^ALONSO", DATE
    return made


@pytest.fixture(scope="module")
def cleaned() -> Dataset:
    made = planted()
    item = planted()
    item.SharedFunctionalGroupsSequence = Sequence([planted()])
    made.PerFrameFunctionalGroupsSequence = Sequence([item])
    secret = Pseudonyms()
    rules = Rules(secret.uid, identifiers_of(made))
    result = deidentified(made, rules)
    assert left_in(result, rules.known, uids_of(made)) == ""
    return result


def test_no_element_of_the_dictionary_keeps_what_was_planted(cleaned: Dataset) -> None:
    kept = [str(one.tag) for one in cleaned.iterall() if one.VR != "SQ" and NAME in str(one.value)]
    kept += [str(one.tag) for one in cleaned.iterall() if one.VR == "UI" and UID in str(one.value)]
    kept += [str(one.tag) for one in cleaned.iterall() if one.VR != "UI" and DATE in str(one.value)]
    kept += [str(one.tag) for one in cleaned.iterall() if isinstance(one.value, bytes) and NAME.encode() in one.value]
    assert kept == []
    assert cleaned.PerFrameFunctionalGroupsSequence[0].SharedFunctionalGroupsSequence


def test_the_same_uid_becomes_the_same_wherever_it_stands(cleaned: Dataset) -> None:
    items = cleaned.PerFrameFunctionalGroupsSequence
    assert items[0].FrameOfReferenceUID == cleaned.FrameOfReferenceUID == cleaned.SOPInstanceUID
    assert cleaned.SOPInstanceUID.startswith("2.25.")


def test_a_missing_table_is_no_damaged_element(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dicomanonymizer.dicom_anonymization_databases", None)
    profile._table.cache_clear()
    with pytest.raises(ImportError):
        deidentified(planted(), Rules(str, ()))
    monkeypatch.undo()
    profile._table.cache_clear()


@pytest.mark.parametrize(
    ("keyword", "vr", "expected"),
    [
        ("PatientName", "PN", Action.EMPTY),
        ("PatientAge", "AS", Action.REMOVE),
        ("SeriesDate", "DA", Action.DUMMY),
        ("FrameOfReferenceUID", "UI", Action.UID),
        ("ReferencedImageSequence", "SQ", Action.KEEP),
        ("IconImageSequence", "SQ", Action.REMOVE),
        ("PixelSpacing", "DS", Action.KEEP),
    ],
)
def test_the_table_of_the_standard_decides(keyword: str, vr: str, expected: Action) -> None:
    element = DataElement(keyword, vr, None)
    assert action(element.tag, vr) is expected
