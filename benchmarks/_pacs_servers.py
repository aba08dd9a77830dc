"""Starts real PACS on the loopback: Debian's Orthanc with its DICOMweb plugin, and dcmqrscp of DCMTK. For tests too.

Each runs as a process of its own in a folder of its own, on free ports, and is ended by its process.
"""

import json
import os
import random
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
PROGRAMS = ("Orthanc", "dcmqrscp", "storescu")
AE, ORTHANC, DCMTK = "KINDRED", "ORTHANC", "ARCHIVE"
READY = "Orthanc has started"
STARTS_WITHIN = 30.0
"""Seconds."""


def why_not() -> str:
    """Why no PACS can be started; "" if one can."""
    missing = [name for name in PROGRAMS if program(name) is None]
    missing += [] if PLUGIN.exists() else ["the plugin orthanc-dicomweb"]
    return f"There is no PACS to test with ({', '.join(missing)}): install orthanc, orthanc-dicomweb and dcmtk." * bool(
        missing
    )


@dataclass(frozen=True, slots=True)
class Tls:
    """The PEM files of a server with TLS."""

    certificate: Path
    key: Path
    authority: Path


@dataclass(frozen=True, slots=True)
class Server:
    """A running PACS."""

    dicom: int
    """Port."""
    http: int = 0
    """Port of Orthanc."""
    called: str = ORTHANC
    process: int = 0


def program(name: str) -> str | None:
    """The path of an installed program; Orthanc lies where only administrators look."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on, below those that systems give to outgoing connections."""
    with ExitStack() as stack:
        found: list[int] = []
        while len(found) < count:
            one = stack.enter_context(socket.socket())
            with suppress(OSError):  # somebody listens
                one.bind(("127.0.0.1", random.SystemRandom().randrange(12_000, 32_000)))
                found.append(int(one.getsockname()[1]))
        return found


@contextmanager
def orthanc(
    folder: Path, receiver: int, tls: Tls | None = None, user: tuple[str, str] | None = None
) -> Iterator[Server]:
    """Run Orthanc with DICOM and DICOMweb.

    Args:
        folder: made for it.
        receiver: the port to which it sends for a C-MOVE to KINDRED.
        tls: for DICOM with TLS, and for a proxy with HTTPS before it: Debian's Orthanc 1.10.1 crashes with HTTPS.
        user: name and password of HTTP.
    """
    folder.mkdir(parents=True)
    http, dicom = free_ports(2)
    modality: dict[str, object] = {"AET": AE, "Host": "127.0.0.1", "Port": receiver, "UseDicomTls": tls is not None}
    settings: dict[str, object] = {
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "HttpPort": http,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": user is not None,
        "RegisteredUsers": dict([user] if user else []),
        "DicomAet": ORTHANC,
        "DicomPort": dicom,
        "DicomModalities": {"kindred": modality},
        "Plugins": [str(PLUGIN)],
        "StorageCompression": False,
    }
    if tls is not None:
        settings |= {
            "DicomTlsEnabled": True,
            "DicomTlsCertificate": str(tls.certificate),
            "DicomTlsPrivateKey": str(tls.key),
            "DicomTlsTrustedCertificates": str(tls.authority),
        }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    process = subprocess.Popen(
        [program("Orthanc") or "Orthanc", str(folder / "orthanc.json")],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with _ended(process):
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if READY in line:
                break
        else:
            raise RuntimeError(f"Orthanc did not start: {''.join(said[-5:])}")
        drain = subprocess.Popen(["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL)  # so that it never blocks
        with _ended(drain), tls_proxy(http, tls) if tls else nullcontext(http) as port:
            yield Server(dicom, port, ORTHANC, process.pid)


@contextmanager
def tls_proxy(port: int, tls: Tls) -> Iterator[int]:
    """Offer a service of the loopback with TLS as well, and say on which port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls.certificate, tls.key)

    class Handler(socketserver.BaseRequestHandler):
        @override
        def handle(self) -> None:
            with (
                suppress(OSError),  # SSLError is one: a client that refuses the certificate
                socket.create_connection(("127.0.0.1", port)) as plain,
                context.wrap_socket(self.request, server_side=True) as secure,
            ):
                back = threading.Thread(target=_pump, args=(plain, secure), daemon=True)
                back.start()
                _pump(secure, plain)
                back.join()

    class Proxy(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Proxy(("127.0.0.1", 0), Handler) as proxy:
        threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield int(proxy.server_address[1])
        finally:
            proxy.shutdown()


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Copy bytes until one side ends."""
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def dcmqrscp(folder: Path, receiver: int, *options: str) -> Iterator[Server]:
    """Run DCMTK's archive, which speaks DIMSE only.

    Args:
        folder: made for it.
        receiver: the port to which it sends for a C-MOVE to KINDRED.
        options: further ones of `dcmqrscp`.
    """
    (folder / "storage").mkdir(parents=True)
    (port,) = free_ports(1)
    settings = f"""
NetworkTCPPort = {port}
MaxPDUSize = 131072
MaxAssociations = 16
HostTable BEGIN
kindred = ({AE}, 127.0.0.1, {receiver})
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
{DCMTK} {folder / "storage"} RW (500, 4096mb) ANY
AETable END
"""
    (folder / "dcmqrscp.cfg").write_text(settings)
    command = ["dcmqrscp", "-q", *options, "-c", str(folder / "dcmqrscp.cfg")]
    environment = {**os.environ, "TCP_NODELAY": "1"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with _ended(process):
        _wait_until_it_listens(process, port)
        yield Server(port, 0, DCMTK, process.pid)


def send(server: Server, files: Iterable[Path], *options: str) -> None:
    """Fill a PACS with DCMTK's storescu, as a modality does."""
    command = ["storescu", "-aec", server.called, *options, "127.0.0.1", str(server.dicom)]
    subprocess.run([*command, *map(str, files)], check=True, capture_output=True)


def _wait_until_it_listens(process: "subprocess.Popen[bytes]", port: int) -> None:
    for _ in range(int(STARTS_WITHIN / 0.02)):
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        try:
            raise RuntimeError(f"{process.args!r} ended with {process.wait(0.02)}")
        except subprocess.TimeoutExpired:
            continue
    raise RuntimeError(f"Nothing listens on port {port}.")


@contextmanager
def _ended(process: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stderr is not None:
            process.stderr.close()
