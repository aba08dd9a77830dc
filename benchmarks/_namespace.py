"""Runs processes in a network namespace without outside, and says what they tried to reach. Linux only.

Every packet counts: name servers of this machine become addresses of the loopback, where a listener answers each
look-up with an address of its own; a packet to anywhere else has no route, which the kernel counts.
"""

import fcntl
import json
import re
import selectors
import shutil
import socket
import struct
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_UP, _FLAGS, _ADDRESS = 0x41, 0x8914, 0x8916
"""IFF_UP with IFF_RUNNING, SIOCSIFFLAGS, SIOCSIFADDR (netdevice(7))."""
PORTS = (80, 443)


@dataclass
class Seen:
    """What some processes did."""

    names: list[str] = field(default_factory=list)
    """That were looked up."""
    connections: int = 0
    """To the listeners, such as for TLS."""
    packets: int = 0
    """On the loopback, whatever for."""
    unrouted: int = 0
    """Packets to an address outside."""
    failed: list[str] = field(default_factory=list)
    """Commands that did not end with status 0, with the end of what they printed."""

    @property
    def quiet(self) -> bool:
        """Whether nothing was looked up, connected to or sent."""
        return not (self.names or self.connections or self.packets or self.unrouted)


def why_not() -> str:
    """Why this machine cannot run the check; "" if it can."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return "Network namespaces need Linux and util-linux (unshare)."
    tried = subprocess.run(["unshare", "--user", "--map-root-user", "--net", "true"], capture_output=True, text=True)
    return f"Network namespaces are not allowed here: {tried.stderr.strip()}" if tried.returncode else ""


def watch(commands: list[list[str]], environment: dict[str, str], folder: Path, seconds: float) -> Seen:
    """Run commands at the same time in a namespace of their own until all have ended.

    Args:
        commands: their arguments.
        environment: of them, whole.
        folder: in which they run.
        seconds: after which they are ended and count as failed.
    """
    task = json.dumps([commands, environment, str(folder), seconds])
    inside = [sys.executable, "-m", "benchmarks._namespace"]
    ended = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--net", *inside],
        input=task,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        check=True,
    )
    return Seen(**json.loads(ended.stdout))


class _Listeners:
    """Name server, and whatever a name leads to."""

    def __init__(self, seen: Seen) -> None:
        self._seen, self._selector = seen, selectors.DefaultSelector()
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("0.0.0.0", 53))
        self._selector.register(self._udp, selectors.EVENT_READ)
        for port in PORTS:
            server = socket.create_server(("0.0.0.0", port))
            self._selector.register(server, selectors.EVENT_READ)

    def serve(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            if key.fileobj is self._udp:
                question, sender = self._udp.recvfrom(4096)
                name, end = _name(question)
                self._seen.names.append(name)
                record = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x7f\0\0\1"  # A, 127.0.0.1
                asked = question[end : end + 2] == b"\0\1"
                head = question[:2] + struct.pack(">5H", 0x8180, 1, int(asked), 0, 0)
                self._udp.sendto(head + question[12 : end + 4] + (record if asked else b""), sender)
            elif isinstance(key.fileobj, socket.socket):
                self._seen.connections += 1
                key.fileobj.accept()[0].close()


def _name(question: bytes) -> tuple[str, int]:
    """The name in a DNS question (RFC 1035 4.1.2), and the offset of its type."""
    parts, at = [], 12
    while question[at]:
        parts.append(question[at + 1 : at + 1 + question[at]].decode("latin-1"))
        at += 1 + question[at]
    return ".".join(parts), at + 1


def _set_up_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _FLAGS, struct.pack("16sH14x", b"lo", _UP))
        servers = Path("/etc/resolv.conf")
        resolvers = servers.read_text() if servers.exists() else ""
        for number, address in enumerate(re.findall(r"^nameserver\s+([\d.]+)", resolvers, re.MULTILINE)):
            if not address.startswith("127."):
                interface = f"lo:{number}".encode()
                packed = struct.pack("16sHH4s8x", interface, socket.AF_INET, 0, socket.inet_aton(address))
                fcntl.ioctl(control, _ADDRESS, packed)


def _counters() -> tuple[int, int]:
    """Packets received on the loopback, and packets that no route was found for, of IPv4 and IPv6."""
    devices = Path("/proc/net/dev").read_text()
    packets = int(re.findall(r"lo:\s*\d+\s+(\d+)", devices)[0])
    names, values = (line.split() for line in Path("/proc/net/snmp").read_text().splitlines()[:2])
    unrouted = int(dict(zip(names, values))["OutNoRoutes"])
    six = Path("/proc/net/snmp6")
    found = re.search(r"Ip6OutNoRoutes\s+(\d+)", six.read_text()) if six.exists() else None
    return packets, unrouted + (int(found[1]) if found else 0)


def main() -> None:
    """Inside the namespace: do what standard input says, and print what was seen."""
    commands, environment, folder, seconds = json.load(sys.stdin)
    _set_up_loopback()
    seen = Seen()
    listeners, before = _Listeners(seen), _counters()
    logs = [Path(folder) / f"printed {number}" for number in range(len(commands))]
    processes = []
    for command, log in zip(commands, logs):
        with log.open("wb") as out:
            processes.append(subprocess.Popen(command, env=environment, cwd=folder, stdout=out, stderr=out))
    until = time.monotonic() + seconds
    while any(process.poll() is None for process in processes) and time.monotonic() < until:
        listeners.serve(0.2)
    for process, command, log in zip(processes, commands, logs):
        process.kill()
        if process.wait():
            seen.failed.append(f"{' '.join(command)}: {process.returncode}\n{log.read_text(errors='replace')[-2000:]}")
        log.unlink()
    listeners.serve(0)
    packets, unrouted = _counters()
    seen.packets, seen.unrouted = packets - before[0], unrouted - before[1]
    print(json.dumps(asdict(seen)))


if __name__ == "__main__":
    main()
