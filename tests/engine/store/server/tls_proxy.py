"""Speaks TLS for a PostgreSQL server that was built without it, as the one for tests was (PostgreSQL 18, 54.2.10)."""

import socket
import ssl
import struct
import threading
from pathlib import Path

SSL_REQUEST = 80877103


class TlsProxy:
    """Listens on loopback, accepts TLS, and passes everything on to a port of this computer."""

    def __init__(self, certificate: Path, key: Path, port: int) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._behind = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.encrypted = 0
        """Connections that went on after their handshake."""
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:  # it was closed
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            length, code = struct.unpack(">ii", client.recv(8, socket.MSG_WAITALL))
            if (length, code) != (8, SSL_REQUEST):
                return
            client.sendall(b"S")
            try:
                with self._context.wrap_socket(client, server_side=True) as inside:
                    self._relay(inside)
            except OSError:  # the client does not trust the certificate
                return

    def _relay(self, inside: socket.socket) -> None:
        first = inside.recv(65536)
        if not first:
            return
        self.encrypted += 1
        with socket.create_connection(("127.0.0.1", self._behind)) as server:
            server.sendall(first)
            back = threading.Thread(target=_pass_on, args=(server, inside), daemon=True)
            back.start()
            _pass_on(inside, server)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return
