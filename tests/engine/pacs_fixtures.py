"""Fixtures of all tests with a PACS: real servers on the loopback, certificates, and derived studies."""

import os
from collections.abc import Iterator

import pytest

from benchmarks import _pacs_servers as servers
from benchmarks._pacs_servers import Server, Tls
from engine.pacs.address import Pacs
from tests.engine.pacs.certificates import make_authority
from tests.engine.pacs.pacs_studies import Studies, make_studies


@pytest.fixture(scope="session")
def programs() -> None:
    """Orthanc and DCMTK, or a reason to skip; CI, which installs them, must not skip."""
    reason = servers.why_not()
    if reason and os.environ.get("KINDRED_NEEDS_PACS"):
        pytest.fail(f"Nobody has tested DICOM over the network. {reason}")
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Studies:
    """Three studies of one patient and one of another, as files."""
    return make_studies(tmp_path_factory.mktemp("studies"))


@pytest.fixture(scope="session")
def receiver_port() -> int:
    return servers.free_ports(1)[0]


@pytest.fixture(scope="session")
def orthanc(
    programs: None, studies: Studies, receiver_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with servers.orthanc(tmp_path_factory.mktemp("orthanc") / "server", receiver_port) as server:
        servers.send(server, studies.plain)
        servers.send(server, studies.compressed, "-xv")
        yield server


@pytest.fixture(scope="session")
def dcmqrscp(
    programs: None, studies: Studies, receiver_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with servers.dcmqrscp(tmp_path_factory.mktemp("dcmqrscp") / "server", receiver_port, "+xv", "-xv") as server:
        servers.send(server, studies.plain)
        servers.send(server, studies.compressed, "-xv")
        yield server


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """A self-made authority, with the certificate that it signed for localhost."""
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def other_authority(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return make_authority(tmp_path_factory.mktemp("other"))


@pytest.fixture(scope="session")
def secure_orthanc(
    programs: None, studies: Studies, authority: Tls, receiver_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Orthanc with HTTPS, DICOM with TLS, and a user."""
    folder = tmp_path_factory.mktemp("secure") / "server"
    with servers.orthanc(folder, receiver_port, authority, ("anna", "correct horse")) as server:
        yield server


@pytest.fixture
def web(orthanc: Server) -> Pacs:
    return Pacs("web", url=f"http://127.0.0.1:{orthanc.http}/dicom-web/")


@pytest.fixture
def get(dcmqrscp: Server) -> Pacs:
    return Pacs("get", host="127.0.0.1", port=dcmqrscp.dicom, called=dcmqrscp.called)


@pytest.fixture
def move(dcmqrscp: Server, receiver_port: int) -> Pacs:
    receiver = f"127.0.0.1:{receiver_port}"
    return Pacs("move", host="127.0.0.1", port=dcmqrscp.dicom, called=dcmqrscp.called, receiver=receiver)


@pytest.fixture
def pacs(request: pytest.FixtureRequest) -> Pacs:
    """The PACS of the fixture that a parameter names."""
    found: Pacs = request.getfixturevalue(request.param)
    return found
