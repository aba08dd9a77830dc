"""Measures retrieving 500 slices from real PACS on the loopback: `python -m benchmarks.pacs`, about two minutes.

Claim: by WADO-RS at 80 % of the rate of a plain client or more, where both bring the files to the disk. The plain
client reads the same answer with requests, takes it apart and writes the files; it checks none. Beside it are the same
client without the flush, which is as fast as Orthanc sends, and dicomweb-client, whose objects are saved by pydicom. By
C-GET and C-MOVE, Kindred runs beside getscu and movescu of DCMTK, which write the files too. All take turns. Needs
Debian's orthanc, orthanc-dicomweb and dcmtk.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from benchmarks import _pacs_servers as servers
from benchmarks._section import put
from benchmarks._timing import others_share, processor, processor_seconds
from engine.pacs.address import Pacs
from engine.pacs.dicomweb.client import ACCEPT, CHUNK
from engine.pacs.retrieve import retrieve

TITLE = "Retrieving from a PACS"
SIDE = 512
LIMIT = 0.8
WADO, GET, MOVE = "WADO-RS, from Orthanc", "C-GET, from dcmqrscp", "C-MOVE, from dcmqrscp"
OWN, FLUSHED = "Kindred", "requests loop that flushes each file"
QUIET = 0.1
BUSY = (
    "Where other programs use so much of the cores, a rate says little of a machine of one's own, and the ratio, since "
    "the kinds take turns, somewhat more. "
)
LIMITS = (
    "\n\nThe loop that does not flush is as fast as Orthanc sends; on two cores, flushing and checking take their time "
    "from the PACS. By C-GET and C-MOVE, the limit is the CPU of pynetdicom, which takes each message apart in Python."
)
Run = Callable[[Path], object]


def write_study(folder: Path, slices: int) -> tuple[str, list[Path]]:
    """Slices of 512 x 512 derived from a real CT slice, under new UIDs; the UID of their study, and the files."""
    slice_ = dcmread(str(get_testdata_file("CT_small.dcm", download=False)))
    slice_.StudyInstanceUID, slice_.SeriesInstanceUID = generate_uid(), generate_uid()
    slice_.SeriesDescription = "derived for a benchmark"
    size = SIDE // slice_.Rows
    slice_.PixelData = np.kron(slice_.pixel_array, np.ones((size, size), np.int16)).tobytes()
    slice_.Rows = slice_.Columns = SIDE
    folder.mkdir()
    files = []
    for number in range(slices):
        slice_.SOPInstanceUID = slice_.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        slice_.InstanceNumber = number + 1
        files.append(folder / f"{number}.dcm")
        slice_.save_as(files[-1])
    return str(slice_.StudyInstanceUID), files


def plain_loop(url: str, flushes: bool) -> Run:
    """What a client does at least: read, look for boundaries, write."""
    return lambda folder: _read_and_write(url, folder, flushes)


def _read_and_write(url: str, folder: Path, flushes: bool) -> None:
    import requests

    with requests.get(url, headers={"Accept": ACCEPT}, stream=True, timeout=60) as response:
        boundary = response.headers["Content-Type"].split("boundary=")[1].split(";")[0].strip('"')
        delimiter = f"\r\n--{boundary}".encode()
        buffer, searched, number = bytearray(), 0, 0
        for chunk in response.iter_content(CHUNK):
            buffer += chunk
            while (at := buffer.find(delimiter, searched)) >= 0:
                head = buffer.find(b"\r\n\r\n", 0, at)
                if head >= 0:
                    with (folder / f"{number}.dcm").open("wb") as file:
                        file.write(memoryview(buffer)[head + 4 : at])
                        if flushes:
                            file.flush()
                            os.fsync(file.fileno())
                    number += 1
                del buffer[: at + len(delimiter)]
                searched = 0
            searched = max(0, len(buffer) - len(delimiter))


def dicomweb_client(base: str, study_uid: str) -> Run:
    """The client that Kindred asks its questions with, and whose objects pydicom saves."""
    from dicomweb_client import DICOMwebClient

    def run(folder: Path) -> None:
        found = DICOMwebClient(base).iter_study(study_uid, media_types=(("application/dicom", "*"),))
        for number, slice_ in enumerate(found):
            slice_.save_as(folder / f"{number}.dcm")

    return run


def dcmtk(program: str, server: servers.Server, study_uid: str, *options: str) -> Run:
    """A retrieval by a program of DCMTK into a folder."""
    keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study_uid}"]

    def run(folder: Path) -> None:
        command = [program, "-S", "-aet", servers.AE, "-aec", server.called, "-pdu", "131072", *options, *keys]
        end = ["-od", str(folder), "127.0.0.1", str(server.dicom)]
        subprocess.run([*command, *end], check=True, capture_output=True, env={**os.environ, "TCP_NODELAY": "1"})

    return run


def own(pacs: Pacs, study_uid: str) -> Run:
    """A retrieval by Kindred."""
    return lambda folder: retrieve(pacs, study_uid, folder)


def measured(run: Run, folder: Path, slices: int) -> float:
    """Seconds of a retrieval into a new folder; every slice must be there."""
    if folder.exists():
        _put_aside(folder)
    folder.mkdir()
    os.sync()  # else one run waits for what another has written
    start = time.perf_counter()
    run(folder)
    seconds = time.perf_counter() - start
    found = sum(1 for path in folder.rglob("*") if path.is_file())
    assert found == slices, f"{found} of {slices} slices arrived"
    return seconds


def _put_aside(folder: Path) -> None:
    """Empty what an earlier run has written.

    It is not deleted: ext4 passes over all that was deleted within minutes whenever it makes a file, which would take
    ever longer.
    """
    for path in folder.rglob("*"):
        if path.is_file():
            os.truncate(path, 0)
    folder.rename(tempfile.mkdtemp(dir=folder.parent))


def measure(slices: int, rounds: int) -> tuple[dict[str, dict[str, list[float]]], float]:
    """Seconds of each client by way, Kindred's first; and the share of the cores that others used."""
    before = processor_seconds()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        study_uid, files = write_study(work / "source", slices)
        (port,) = servers.free_ports(1)
        with servers.orthanc(work / "orthanc", port) as orthanc, servers.dcmqrscp(work / "dcmqrscp", port) as archive:
            for server in (orthanc, archive):
                servers.send(server, files)
            base = f"http://127.0.0.1:{orthanc.http}/dicom-web"
            study = f"{base}/studies/{study_uid}"
            dimse = Pacs("dcmqrscp", host="127.0.0.1", port=archive.dicom, called=archive.called)
            moving = replace(dimse, receiver=f"127.0.0.1:{port}")
            ways: dict[str, dict[str, Run]] = {
                WADO: {
                    OWN: own(Pacs("Orthanc", url=base), study_uid),
                    FLUSHED: plain_loop(study, flushes=True),
                    "requests loop": plain_loop(study, flushes=False),
                    "dicomweb-client": dicomweb_client(base, study_uid),
                },
                GET: {OWN: own(dimse, study_uid), "getscu": dcmtk("getscu", archive, study_uid)},
                MOVE: {OWN: own(moving, study_uid), "movescu": dcmtk("movescu", archive, study_uid, "+P", str(port))},
            }
            found: dict[str, dict[str, list[float]]] = {way: {client: [] for client in ways[way]} for way in ways}
            for number in range(rounds + 1):
                for way, clients in ways.items():
                    for client, run in clients.items():
                        seconds = measured(run, work / "to", slices)
                        if number:  # the first round fills caches
                            found[way][client].append(seconds)
    return found, others_share(before, processor_seconds())  # after the servers have ended, which are no others


def told(found: dict[str, dict[str, list[float]]], others: float, slices: int) -> tuple[str, float]:
    """The table, and the ratio that is limited."""
    lines, limited = [], 0.0
    for way, clients in found.items():
        mine = clients[OWN]
        for client, seconds in list(clients.items())[1:]:
            ratio = median(other / own for own, other in zip(mine, seconds, strict=True))
            limit = f"{LIMIT:.2f}" if client == FLUSHED else ""
            limited = ratio if limit else limited
            rates = f"{slices / median(mine):.0f} | {slices / median(seconds):.0f} ({client})"
            lines.append(f"| {way} | {rates} | {ratio:.2f} x | {limit} |")
    rounds = len(found[WADO][OWN])
    text = (
        f"{processor()}, {os.cpu_count()} cores; other programs used {100 * others:.0f} % of them. {slices} CT slices "
        f"of {SIDE} x {SIDE} (derived), {SIDE * SIDE * 2 >> 10} KiB each, on the loopback; {rounds} rounds in turn, "
        "after one that does not count; medians. Kindred checks each object and brings it to the disk before it has "
        f"its name; of the others, only the first flushes, and none checks. {BUSY if others > QUIET else ''}"
        "`python -m benchmarks.pacs`\n\n"
        "| | Kindred, slices a second | beside it | rate | limit |\n|---|---:|---:|---:|---:|\n"
        + "\n".join(lines)
        + LIMITS
    )
    return text, limited


def main() -> None:
    """Fill two PACS, retrieve in turn, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--markdown", type=Path, metavar="FILE", help=f'replace the section "{TITLE}" of this file')
    options = parser.parse_args()
    if reason := servers.why_not():
        sys.exit(reason)
    text, ratio = told(*measure(options.slices, options.rounds), options.slices)
    print(text)
    if options.markdown:
        put(options.markdown, TITLE, text)
    sys.exit(0 if ratio >= LIMIT else 1)


if __name__ == "__main__":
    main()
