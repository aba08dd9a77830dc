"""TLS with a self-made authority: certificates are verified, and what is wrong with one is said."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import _pacs_servers as servers
from benchmarks._pacs_servers import Server, Tls
from engine.errors import UserError
from engine.pacs import passwords
from engine.pacs.address import Pacs
from engine.pacs.connection import echo, find
from engine.pacs.retrieve import retrieve
from tests.engine.pacs.pacs_studies import PATIENT, Studies
from tests.memory_keyring import MemoryKeyring


@pytest.fixture
def secure_web(secure_orthanc: Server, authority: Tls, ring: MemoryKeyring) -> Pacs:
    url = f"https://localhost:{secure_orthanc.http}/dicom-web"
    pacs = Pacs("secure", url=url, user="anna", ca_file=str(authority.authority))
    passwords.keep(pacs, "correct horse")
    return pacs


@pytest.fixture
def secure_dicom(secure_orthanc: Server, authority: Tls) -> Pacs:
    return Pacs(
        "secure",
        host="localhost",
        port=secure_orthanc.dicom,
        called=secure_orthanc.called,
        tls=True,
        ca_file=str(authority.authority),
        certificate=str(authority.certificate),
        key=str(authority.key),
    )


@pytest.fixture(scope="session")
def filled(secure_orthanc: Server, studies: Studies, authority: Tls) -> Server:
    options = ["+tls", str(authority.key), str(authority.certificate), "+cf", str(authority.authority)]
    servers.send(secure_orthanc, studies.files_of(studies.middle), *options)
    return secure_orthanc


def test_dicomweb_by_https_with_the_authority_and_the_password_from_the_keyring(
    secure_web: Pacs, filled: Server, studies: Studies, tmp_path: Path
) -> None:
    echo(secure_web)
    found = find(secure_web, replace(studies.sought, study_uid=""))
    assert [one.uid for one in found.studies] == [studies.middle]
    assert retrieve(secure_web, studies.middle, tmp_path, PATIENT).new == 12


@pytest.mark.parametrize("by_move", [False, True])
def test_dicom_by_tls(
    secure_dicom: Pacs, filled: Server, studies: Studies, receiver_port: int, tmp_path: Path, by_move: bool
) -> None:
    receiver = f"127.0.0.1:{receiver_port}" if by_move else ""
    pacs = replace(secure_dicom, receiver=receiver)
    echo(pacs)
    found = find(pacs, replace(studies.sought, study_uid=""))
    assert [(one.uid, one.images) for one in found.studies] == [(studies.middle, 12)]
    assert retrieve(pacs, studies.middle, tmp_path, PATIENT).new == 12


@pytest.mark.parametrize("pacs", ["secure_web", "secure_dicom"], indirect=True)
def test_a_certificate_of_an_unknown_authority_is_refused(pacs: Pacs, other_authority: Tls) -> None:
    with pytest.raises(UserError, match="signed by an unknown authority"):
        echo(replace(pacs, ca_file=str(other_authority.authority)))
    with pytest.raises(UserError, match="signed by an unknown authority"):
        echo(replace(pacs, ca_file=""))


@pytest.mark.parametrize("pacs", ["secure_web", "secure_dicom"], indirect=True)
def test_a_certificate_of_another_host_is_refused(pacs: Pacs) -> None:
    other = replace(pacs, url=pacs.url.replace("localhost", "127.0.0.1"), host=pacs.host and "127.0.0.1", user="")
    with pytest.raises(UserError, match="is for another host"):
        echo(other)


def test_a_wrong_password_and_a_missing_one_are_said_and_never_shown(
    secure_web: Pacs, ring: MemoryKeyring, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    passwords.keep(secure_web, "wrong battery")
    with pytest.raises(UserError, match="refused user name or password") as caught:
        echo(secure_web)
    assert "battery" not in str(caught.value) + caplog.text
    passwords.drop(secure_web)
    with pytest.raises(UserError, match="keyring has no password of anna"):
        echo(secure_web)


def test_no_patient_is_in_a_log(web: Pacs, get: Pacs, studies: Studies, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for pacs in (web, get):
        find(pacs, studies.sought)
    assert PATIENT not in caplog.text
    assert "Test^Anna" not in caplog.text


def test_plain_and_tls_do_not_mix(secure_web: Pacs, secure_dicom: Pacs, web: Pacs, get: Pacs) -> None:
    with pytest.raises(UserError, match="no TLS connection"):
        echo(replace(web, url=web.url.replace("http:", "https:").replace("127.0.0.1", "localhost")))
    with pytest.raises(UserError, match=r"no TLS connection|ended the connection|cannot be reached"):
        echo(replace(get, host="localhost", tls=True))
    with pytest.raises(UserError, match="ended the connection; check whether its port"):
        echo(replace(secure_dicom, tls=False, certificate="", key="", ca_file=""))


def test_a_key_that_is_none_is_said(secure_dicom: Pacs, authority: Tls) -> None:
    with pytest.raises(UserError, match="certificate files of secure cannot be used"):
        echo(replace(secure_dicom, key=str(authority.authority)))


def test_a_host_that_does_not_exist_is_said() -> None:
    with pytest.raises(UserError, match="is not known"):
        echo(Pacs("x", url="https://kindred.invalid/dicom-web"))
    with pytest.raises(UserError, match="is not known"):
        echo(Pacs("x", host="kindred.invalid", port=104, called="X", tls=True))


def test_where_nothing_listens_it_is_said() -> None:
    port = servers.free_ports(1)[0]
    with pytest.raises(UserError, match="Nothing answers at"):
        echo(Pacs("x", url=f"http://127.0.0.1:{port}"))
    with pytest.raises(UserError, match="Nothing answers at"):
        echo(Pacs("x", host="127.0.0.1", port=port, called="X"))
