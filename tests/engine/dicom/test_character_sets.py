"""Text with code extensions: the examples of PS3.5 annexes H to K, and what real senders make of them."""

from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.charset import convert_encodings
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from engine.dicom.coding.character_sets import decode_text
from engine.dicom.listing import open_path
from engine.dicom.tag_list import tag_list
from tests.engine.dicom_samples import PYDICOM_FILES, derive

ESC = b"\x1b"
GB = ESC + b"$)A"
KS = ESC + b"$)C"
JIS, JIS_X_0212, ASCII, ROMAN = ESC + b"$B", ESC + b"$(D", ESC + b"(B", ESC + b"(J"


def kanji(text: str) -> bytes:
    """Text in JIS X 0208, without escape sequences."""
    return bytes(byte & 0x7F for byte in text.encode("euc_jp"))


@pytest.mark.parametrize(
    ("declared", "value", "text"),
    [
        (["", "ISO 2022 IR 58"], GB + "胸部检查".encode("gb2312"), "胸部检查"),
        (["", "ISO 2022 IR 58"], b"1 " + GB + "肺".encode("gb2312") + b"\n" + GB + "心".encode("gb2312"), "1 肺\n心"),
        (["", "ISO 2022 IR 58"], GB + "张".encode("gb2312") + b"^" + "小东".encode("gb2312"), "张^小东"),
        ([""], GB + "胸部".encode("gb2312"), "胸部"),
        (["", "ISO 2022 GBK"], GB + "胸镕".encode("gbk"), "胸镕"),
        (["", "ISO 2022 IR 149"], KS + "김희중".encode("euc_kr"), "김희중"),
        (["", "ISO 2022 IR 149"], KS + "김".encode("euc_kr") + b"^" + KS + "희중".encode("euc_kr"), "김^희중"),
        (["", "ISO 2022 IR 87"], JIS + kanji("山田") + ASCII + b"^" + JIS + kanji("太郎") + ASCII, "山田^太郎"),
        (["", "ISO 2022 IR 87"], JIS + kanji("春日") + ASCII + b"=x", "春日=x"),
        (["ISO 2022 IR 13", "ISO 2022 IR 87"], JIS + kanji("山") + ROMAN + b"^" + "ﾀﾛｳ".encode("shift_jis"), "山^ﾀﾛｳ"),
        (["", "ISO 2022 IR 159"], JIS_X_0212 + bytes(b & 0x7F for b in "丂".encode("euc_jp")[1:]) + ASCII, "丂"),
        (["ISO 2022 IR 101"], "ř ".encode("iso8859_2") + JIS + kanji("本") + ASCII + "ž".encode("iso8859_2"), "ř 本ž"),
        (["ISO 2022 IR 100"], b"B\xe4r " + ESC + b"-L" + "Люкс".encode("iso8859_5"), "Bär Люкс"),
        (["ISO 2022 IR 100"], ESC + b"-F" + "Διον".encode("iso8859_7") + b"^B\xe4r", "Διον^Bär"),
        (["ISO 2022 IR 6", "ISO 2022 IR 127"], ESC + b"-G" + "قباني".encode("iso8859_6"), "قباني"),
        (["ISO 2022 IR 6", "ISO 2022 IR 138"], ESC + b"-H" + "שרון".encode("iso8859_8"), "שרון"),
        (["ISO 2022 IR 6", "ISO 2022 IR 148"], ESC + b"-M" + "ığ".encode("iso8859_9"), "ığ"),
        (["ISO 2022 IR 6", "ISO 2022 IR 166"], ESC + b"-T" + "ไทย".encode("iso8859_11"), "ไทย"),
        (["ISO 2022 IR 6", "ISO 2022 IR 203"], ESC + b"-b" + "€".encode("iso8859_15"), "€"),
        (["ISO_IR 203"], "5 €".encode("iso8859_15"), "5 €"),
        (["ISO_IR 149"], "김".encode("euc_kr"), "김"),
        (["ISO_IR 192"], "胸".encode() + GB + "部".encode(), "胸部"),
        (["ISO_IR 100"], b"a" + ESC + b"%/Ib" + ESC + b"(Kc", "a" + "bc"),
        (["ISO_IR 100"], b"ends" + ESC, "ends"),
    ],
)  # fmt: skip
def test_escape_sequences_are_switches_and_not_text(declared: list[str], value: bytes, text: str) -> None:
    assert decode_text(value, convert_encodings(declared)) == text


def test_damaged_bytes_are_marked_and_nothing_fails() -> None:
    for first in range(0x80, 0x100):
        for escape in (GB, KS, JIS, JIS_X_0212, ESC + b"-F", ESC + b")I"):
            assert "\x1b" not in decode_text(escape + bytes((first, 0x1F, first, 0x7E)), ["iso8859"])


def raw(made: Dataset, tag: int, vr: str, data: bytes) -> None:
    data += b" " * (len(data) % 2)
    made[tag] = RawDataElement(Tag(tag), vr, len(data), data, 0, False, True)


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_bigendian.dcm"])  # the fast header, and pydicom's
def test_names_and_descriptions_of_a_file_have_no_escape_sequences(tmp_path: Path, name: str) -> None:
    path = derive(tmp_path / "a", name, SpecificCharacterSet=["", "ISO 2022 IR 58"])
    made = dcmread(path)
    raw(made, 0x00081030, "LO", GB + "胸部检查".encode("gb2312"))
    person = b"Zhang^XiaoDong=" + GB + "张".encode("gb2312") + b"^" + GB + "小东".encode("gb2312")
    raw(made, 0x00100010, "PN", person)
    made.save_as(path)
    (study,) = open_path(path).studies
    assert study.description == "胸部检查"
    assert study.patient.name == "Zhang^XiaoDong=张^小东"
    (frame,) = study.frames()
    assert not any("\x1b" in tag.value or "$)A" in tag.value for tag in tag_list(frame.image))
    assert "胸部检查" in {tag.value for tag in tag_list(frame.image)}


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("chrH31.dcm", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("chrH32.dcm", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"),
        ("chrI2.dcm", "Hong^Gildong=洪^吉洞=홍^길동"),
        ("chrX1.dcm", "Wang^XiaoDong=王^小東"),
        ("chrX2.dcm", "Wang^XiaoDong=王^小东"),
        ("chrGerm.dcm", "Äneas^Rüdiger"),
        ("chrRuss.dcm", "Люкceмбypг"),
    ],
)
def test_the_names_of_real_files(name: str, person: str) -> None:
    made = dcmread(PYDICOM_FILES / "charset_files" / name)
    assert str(made.PatientName) == person


def test_the_names_in_a_sequence_of_a_real_file() -> None:
    made = dcmread(PYDICOM_FILES / "charset_files" / "chrSQEncoding.dcm")
    (item,) = made.RequestedProcedureCodeSequence
    assert str(item.PatientName) == "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"
