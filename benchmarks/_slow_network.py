"""A TCP proxy that is as far away and as slow as a network: for measuring, in a process of its own.

Each chunk is passed on half the time of a round trip after it was received, and not faster than the rate allows.
"""

import contextlib
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]

CHUNK = 1 << 14


class _Line:
    """One direction of all connections, which share its rate."""

    def __init__(self, delay: float, rate: float) -> None:
        self._delay, self._rate, self._free = delay, rate, 0.0
        self._lock = threading.Lock()

    def due(self, size: int) -> float:
        """When a chunk that was received now has arrived."""
        with self._lock:
            self._free = max(self._free, time.monotonic()) + 8 * size / self._rate
            return self._free + self._delay


def _pump(source: socket.socket, target: socket.socket, line: _Line) -> None:
    waiting: queue.Queue[tuple[float, bytes]] = queue.Queue()

    def send() -> None:
        with contextlib.suppress(OSError):
            while (found := waiting.get())[1]:
                time.sleep(max(0.0, found[0] - time.monotonic()))
                target.sendall(found[1])
            target.shutdown(socket.SHUT_WR)

    threading.Thread(target=send, daemon=True).start()
    with contextlib.suppress(OSError):
        while chunk := source.recv(CHUNK):
            waiting.put((line.due(len(chunk)), chunk))
    waiting.put((0.0, b""))


def serve(port: int, round_trip: float, rate: float) -> None:
    """Print the port of the proxy, and pass on what comes there until the process is ended."""
    to, back = _Line(round_trip / 2, rate), _Line(round_trip / 2, rate)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        while True:
            here, _ = listening.accept()
            there = socket.create_connection(("127.0.0.1", port))
            for one in (here, there):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_pump, args=(here, there, to), daemon=True).start()
            threading.Thread(target=_pump, args=(there, here, back), daemon=True).start()


@contextmanager
def slow(port: int, round_trip: float, rate: float) -> Iterator[int]:
    """The port of a proxy before this port.

    Args:
        port: of the server, on loopback.
        round_trip: seconds.
        rate: bits a second, in each direction.
    """
    command = [sys.executable, "-m", "benchmarks._slow_network", str(port), str(round_trip), str(rate)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


if __name__ == "__main__":
    serve(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
