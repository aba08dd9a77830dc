"""The receiver of a C-MOVE takes nothing but the study that was asked for, from the PACS that was asked."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks._pacs_servers import AE
from engine.errors import UserError
from engine.pacs.address import Pacs
from engine.pacs.connection import echo, find
from engine.pacs.dimse.receiver import receiver
from engine.pacs.limits import Limits, Watch
from engine.pacs.retrieve import retrieve
from engine.pacs.writer import Writer
from engine.progress import ignore
from tests.engine.pacs.pacs_studies import Studies

pytestmark = pytest.mark.usefixtures("programs")


@contextmanager
def listening(folder: Path, study_uid: str, receiver_port: int) -> Iterator[Writer]:
    pacs = Pacs("pacs", host="127.0.0.1", port=104, called="ARCHIVE", receiver=f"127.0.0.1:{receiver_port}")
    watch = Watch(Limits())
    with Writer(folder, study_uid, "", watch, ignore, 0) as writer, receiver(pacs, watch, writer.take):
        yield writer


def send(path: Path, port: int, calling: str = "ARCHIVE", called: str = AE) -> int:
    command = ["storescu", "-aet", calling, "-aec", called, "127.0.0.1", str(port), str(path)]
    return subprocess.run(command, capture_output=True, check=False).returncode


def test_an_object_of_the_study_is_taken(studies: Studies, receiver_port: int, tmp_path: Path) -> None:
    with listening(tmp_path, studies.middle, receiver_port) as writer:
        assert send(studies.files_of(studies.middle)[0], receiver_port) == 0
    assert len(writer.taken) == len([*tmp_path.glob("*.dcm")]) == 1


def test_an_object_of_another_study_is_refused(studies: Studies, receiver_port: int, tmp_path: Path) -> None:
    with listening(tmp_path, studies.middle, receiver_port) as writer:
        send(studies.files_of(studies.oldest)[0], receiver_port)
    assert "not asked for" in writer.rejected[0].reason
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(("calling", "called"), [("STRANGER", AE), ("ARCHIVE", "SOMEBODY")])
def test_an_association_of_another_ae_is_rejected(
    studies: Studies, receiver_port: int, tmp_path: Path, calling: str, called: str
) -> None:
    with listening(tmp_path, studies.middle, receiver_port) as writer:
        assert send(studies.files_of(studies.middle)[0], receiver_port, calling, called) != 0
    assert writer.taken == set()
    assert writer.rejected == []


def test_a_pacs_that_does_not_know_this_workstation_is_told_apart(
    orthanc: object, web: Pacs, studies: Studies, tmp_path: Path
) -> None:
    stranger = Pacs("o", host="127.0.0.1", port=getattr(orthanc, "dicom", 0), called="ORTHANC", calling="STRANGER")
    echo(stranger)
    with pytest.raises(UserError, match="whether it allows the AE title STRANGER"):
        find(stranger, studies.sought)


def test_a_wrong_ae_title_of_the_pacs_is_said(get: Pacs) -> None:
    wrong = Pacs("wrong", host=get.host, port=get.port, called="WRONG")
    with pytest.raises(UserError, match="another AE title than WRONG"):
        find(wrong, Studies("", "", "", "", [], []).sought)


def test_a_move_to_a_workstation_that_the_pacs_does_not_know_is_said(
    move: Pacs, studies: Studies, tmp_path: Path
) -> None:
    unknown = Pacs("x", host=move.host, port=move.port, called=move.called, calling="UNKNOWN", receiver=move.receiver)
    with pytest.raises(UserError, match="does not know the AE title UNKNOWN as a destination"):
        retrieve(unknown, studies.middle, tmp_path)
