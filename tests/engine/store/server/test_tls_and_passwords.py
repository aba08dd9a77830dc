"""Off this computer a connection is encrypted, its certificate checked; a password is in the keyring only."""

import ipaddress
import logging
import shutil
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from engine.archive import Archive
from engine.errors import UserError
from engine.store.address import Address
from engine.store.server import passwords
from tests.engine.conftest import WordEncoder
from tests.engine.store.server.tls_proxy import TlsProxy
from tests.memory_keyring import MemoryKeyring
from tools.department_server import UNFLUSHED, DepartmentServer

HOST, PASSWORD = "db.hospital.example", "geheim-9182"
UNTRUSTED = r"^The server of the archive [^ ]+ has no certificate that this computer trusts; ask its admin"


def certificate(folder: Path, name: str, *, issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None):
    """A key and a certificate of this name, signed by an authority, or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = x509.SubjectAlternativeName([x509.DNSName(HOST), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(names, critical=False)
        .sign(issuer[1] if issuer else key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    (folder / f"{name}.crt").write_bytes(made.public_bytes(encoding))
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / f"{name}.key").write_bytes(private)
    (folder / f"{name}.key").chmod(0o600)
    return made, key


@pytest.fixture(scope="module")
def files() -> Iterator[Path]:
    """An authority, and a certificate of it for HOST and 127.0.0.1."""
    with tempfile.TemporaryDirectory() as name:
        authority = certificate(Path(name), "authority", issuer=None)
        certificate(Path(name), "server", issuer=authority)
        yield Path(name)


@pytest.fixture(scope="module")
def secured(files: Path) -> Iterator[tuple[DepartmentServer, TlsProxy]]:
    """A server that lets accounts in with their passwords only, over TLS, and has an archive called `kindred`."""
    folder = Path(tempfile.mkdtemp(prefix="kindred-server-"))
    started = DepartmentServer(folder / "data", UNFLUSHED)
    rules = "local all postgres trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
    (started.folder / "pg_hba.conf").write_text(rules)
    started.stop()
    started.start()
    Archive.create(started.database("kindred"), WordEncoder().id).close()
    started.execute(f"CREATE ROLE anna LOGIN PASSWORD '{PASSWORD}'")
    started.execute("GRANT kindred_writer TO anna")
    proxy = TlsProxy(files / "server.crt", files / "server.key", started.port)
    yield started, proxy
    proxy.close()
    started.stop()
    shutil.rmtree(folder)


@pytest.fixture
def proxy(secured: tuple[DepartmentServer, TlsProxy]) -> TlsProxy:
    return secured[1]


@pytest.fixture
def remote(proxy: TlsProxy, files: Path, monkeypatch: pytest.MonkeyPatch, ring: MemoryKeyring) -> Address:
    """Its archive as another computer would open it, with the password in the keyring."""
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")  # as a name server would say
    monkeypatch.setenv("PGSSLMODE", "disable")  # and an environment that does not count
    address = Address(HOST, proxy.port, "kindred", "anna", (("sslrootcert", str(files / "authority.crt")),))
    passwords.keep(address, PASSWORD)
    return address


def test_a_certificate_of_a_known_authority_is_accepted_by_name_and_number(
    remote: Address, proxy: TlsProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = replace(remote, host="127.0.0.1", options=(*remote.options, ("sslmode", "verify-full")))
    for address in (remote, here):
        if address is here:
            monkeypatch.delenv("PGHOSTADDR")
        passwords.keep(address, PASSWORD)
        before = proxy.encrypted
        with Archive.open(address) as archive:
            assert proxy.encrypted > before
            assert not archive.read_only


def test_any_other_certificate_is_refused_in_one_sentence(remote: Address, files: Path, proxy: TlsProxy) -> None:
    before = proxy.encrypted
    for address in (
        replace(remote, options=()),  # the authorities of this computer do not know it
        replace(remote, host="other.example"),  # the certificate is of another computer
        replace(remote, options=(("sslrootcert", str(files / "none.crt")),)),
        replace(remote, options=(("sslmode", "disable"),)),  # an address that somebody put together
    ):
        passwords.keep(address, PASSWORD)
        with pytest.raises(UserError, match=UNTRUSTED):
            Archive.open(address)
    assert proxy.encrypted == before


def test_a_server_without_tls_is_refused_off_this_computer(
    secured: tuple[DepartmentServer, TlsProxy], remote: Address
) -> None:
    with pytest.raises(UserError, match=UNTRUSTED):
        Archive.open(replace(remote, port=secured[0].port))


def test_a_password_that_is_wrong_or_missing_is_said_and_told_to_nobody(
    remote: Address, ring: MemoryKeyring, caplog: pytest.LogCaptureFixture, private_home: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "falsch-7731"
    for kept in (wrong, None):
        passwords.keep(remote, wrong)
        if kept is None:
            passwords.drop(remote)
        with pytest.raises(UserError, match="does not let this account in") as raised:
            Archive.open(remote)
        said = "".join(traceback.format_exception(raised.value)) + caplog.text
        assert wrong not in said
        assert PASSWORD not in said
    passwords.keep(remote, PASSWORD)
    with Archive.open(remote) as archive:
        assert PASSWORD not in archive.where + repr(archive.place)
    written = b"".join(path.read_bytes() for path in private_home.rglob("*") if path.is_file())
    assert PASSWORD.encode() not in written
    assert wrong.encode() not in written
    assert PASSWORD in ring.kept.values()
