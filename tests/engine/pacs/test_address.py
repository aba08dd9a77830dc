"""The address of a PACS, what makes one complete, and the file that keeps them."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import UserError
from engine.pacs import address_book, passwords
from engine.pacs.address import Pacs, split_host
from engine.pacs.address_check import checked
from engine.pacs.packages import require
from tests.memory_keyring import MemoryKeyring

WEB = Pacs("web", url="https://pacs.example/dicom-web", user="anna")
DIMSE = Pacs("archive", host="10.0.0.5", port=11112, called="ARCHIVE", tls=True)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KINDRED_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.parametrize("pacs", [WEB, DIMSE, replace(DIMSE, tls=False, host="localhost"), replace(DIMSE, host="::1")])
def test_a_complete_address_is_accepted(pacs: Pacs) -> None:
    assert checked(pacs) == pacs


@pytest.mark.parametrize(
    ("pacs", "said"),
    [
        (replace(WEB, name=" "), "a name"),
        (replace(WEB, host="10.0.0.5"), "either"),
        (Pacs("x"), "either"),
        (replace(WEB, url="ftp://pacs.example"), "not the address of DICOMweb"),
        (replace(WEB, url="https://"), "not the address of DICOMweb"),
        (replace(WEB, url="https://pacs.example/x?y=1"), "not the address of DICOMweb"),
        (replace(WEB, url="https://pacs.example:99999/"), "not the address of DICOMweb"),
        (replace(WEB, url="https://anna:secret@pacs.example/"), "contains no user and no password"),
        (replace(WEB, url="http://pacs.example/"), "Without TLS"),
        (replace(WEB, tls=True), "settings of DIMSE"),
        (replace(WEB, ca_file="/nowhere/ca.pem"), "does not exist"),
        (replace(DIMSE, port=0), "not a port"),
        (replace(DIMSE, called=""), "not an AE title"),
        (replace(DIMSE, called="A" * 17), "not an AE title"),
        (replace(DIMSE, calling="A\\B"), "not an AE title"),
        (replace(DIMSE, tls=False), "Without TLS"),
        (replace(DIMSE, user="anna"), "no user names"),
        (replace(DIMSE, receiver="11112"), "write it like 10.0.0.7:11112"),
        (replace(DIMSE, receiver="0.0.0.0:11112"), "needs a certificate"),
    ],
)
def test_what_is_missing_or_wrong_is_said(pacs: Pacs, said: str) -> None:
    with pytest.raises(UserError, match=said):
        checked(pacs)


def test_without_tls_a_connection_leaves_this_computer_only_if_that_was_allowed() -> None:
    plain = replace(WEB, url="http://pacs.example/dicom-web")
    assert checked(replace(plain, allow_plain=True)).allow_plain
    assert checked(replace(plain, url="http://127.0.0.1:8042/dicom-web"))
    local = Pacs("near", host="127.0.0.1", port=104, called="ARCHIVE")
    assert checked(replace(local, receiver="127.0.0.1:11112"))
    with pytest.raises(UserError, match=r"comes from 0\.0\.0\.0"):
        checked(replace(local, receiver="0.0.0.0:11112"))
    with pytest.raises(UserError, match="Without TLS"):
        checked(replace(plain, url="http://127.0.0.1.example/dicom-web"))


def test_a_host_and_its_port_are_told_apart() -> None:
    assert split_host("10.0.0.7:104") == ("10.0.0.7", 104)
    assert split_host("[::1]:104") == ("::1", 104)


def test_addresses_are_kept_in_a_file_that_only_its_owner_can_read(home: Path) -> None:
    assert address_book.addresses() == ()
    assert not home.exists()
    address_book.add(WEB)
    address_book.add(DIMSE)
    address_book.add(replace(WEB, user="berta"))
    assert address_book.addresses() == (replace(WEB, user="berta"), DIMSE)
    assert stat.S_IMODE((home / "pacs.json").stat().st_mode) == 0o600
    address_book.remove("web")
    assert address_book.addresses() == (DIMSE,)


def test_the_password_is_in_the_keyring_and_in_no_file(home: Path, ring: MemoryKeyring) -> None:
    passwords.keep(WEB, "correct horse")
    address_book.add(WEB)
    assert passwords.recall(WEB) == "correct horse"
    assert "correct" not in "".join(path.read_text() for path in home.rglob("*") if path.is_file())
    assert passwords.recall(replace(WEB, url="https://other.example/")) is None
    passwords.drop(WEB)
    assert passwords.recall(WEB) is None


def test_a_password_goes_with_the_user_or_address_that_was_replaced(ring: MemoryKeyring) -> None:
    renamed, moved = replace(WEB, name="archive"), replace(WEB, name="archive", url="https://new.example/dicom-web")
    passwords.keep(WEB, "correct horse")
    passwords.drop_replaced(address_book.add(WEB), WEB)
    passwords.drop_replaced(address_book.add(renamed, replaced="web"), renamed)
    assert passwords.recall(WEB) == "correct horse"
    passwords.keep(moved, "battery staple")
    passwords.drop_replaced(address_book.add(moved), moved)
    assert (passwords.recall(WEB), passwords.recall(moved)) == (None, "battery staple")


def test_without_a_keyring_no_password_is_kept() -> None:
    with pytest.raises(UserError, match="was not kept"):
        passwords.keep(WEB, "correct horse")


def test_one_pacs_needs_no_name_and_several_do() -> None:
    with pytest.raises(UserError, match="No PACS was added"):
        address_book.address()
    address_book.add(WEB)
    assert address_book.address() == WEB
    address_book.add(DIMSE)
    assert address_book.address("archive") == DIMSE
    with pytest.raises(UserError, match="name one of them: web, archive"):
        address_book.address()
    with pytest.raises(UserError, match="no PACS of the name other"):
        address_book.address("other")


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"pacs": [{"name": 1}]}', '{"pacs": [{"name": "x", "shoe": 1}]}', "null"]
)
def test_a_damaged_file_is_said(home: Path, content: str) -> None:
    home.mkdir()
    (home / "pacs.json").write_text(content)
    with pytest.raises(UserError, match="is damaged"):
        address_book.addresses()


def test_the_file_holds_only_what_differs_from_the_defaults(home: Path) -> None:
    address_book.add(DIMSE)
    row = {"name": "archive", "host": "10.0.0.5", "port": 11112, "called": "ARCHIVE", "tls": True}
    assert json.loads((home / "pacs.json").read_text()) == {"pacs": [row]}


def test_a_missing_package_is_named_with_the_extra_that_has_it() -> None:
    with pytest.raises(UserError, match="extra department"):
        require("no_such_package")
