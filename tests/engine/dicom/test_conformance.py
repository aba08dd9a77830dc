"""The conformance statement lists what the code reads and writes, no more and no less."""

import re

from pydicom._uid_dict import UID_dictionary
from pydicom.uid import (
    BasicTextSRStorage,
    ExplicitVRLittleEndian,
    KeyObjectSelectionDocumentStorage,
    MediaStorageDirectoryStorage,
)

from engine.dicom.coding.codecs import decodable_syntaxes
from engine.dicom.documents.document import kind_of
from engine.dicom.sop_classes import image_sop_classes, why_not_an_image
from engine.image.export.profile import CODES, EDITION
from tests.paths import ROOT

TEXT = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return TEXT.split(f"### {title}\n")[1].split("\n## ")[0].split("\n### ")[0]


def uids(text: str) -> list[str]:
    return re.findall(r"\| (1\.2\.840\.[\d.]+) \|", text)


def test_the_images_are_those_of_the_table_of_sop_classes() -> None:
    assert uids(section("SOP classes of images")) == list(image_sop_classes())
    assert not any(why_not_an_image(uid) or kind_of(uid) for uid in image_sop_classes())


def test_the_documents_are_those_that_are_read() -> None:
    documents = {uid for uid, entry in UID_dictionary.items() if entry[1] == "SOP Class" and kind_of(uid)}
    assert set(uids(section("SOP classes of documents"))) == documents


def test_what_is_written_is_a_report_key_images_and_a_directory_besides_images() -> None:
    written = [BasicTextSRStorage, KeyObjectSelectionDocumentStorage, MediaStorageDirectoryStorage]
    assert uids(section("SOP classes that Kindred writes")) == written


def test_the_transfer_syntaxes_are_those_that_are_decoded() -> None:
    assert uids(section("Transfer syntaxes")) == list(decodable_syntaxes())
    assert f"Explicit VR Little Endian ({ExplicitVRLittleEndian}) alone" in section("Transfer syntaxes")


def test_the_options_of_the_profile_are_those_that_an_export_codes() -> None:
    said = section("Confidentiality profile")
    assert re.findall(r"\| (1131\d\d) \| \*\*on\*\*", said) == [code for code, _ in CODES]
    assert len(re.findall(r"\| (1131\d\d) \| off", said)) == 11
    assert f"edition {EDITION}" in said
