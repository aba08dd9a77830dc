"""What a PACS sends is written once, and is on the disk after `settle`."""

from pathlib import Path

from engine.pacs.limits import Limits, Watch
from engine.pacs.writer import TOGETHER, Writer
from engine.progress import ignore
from tests.engine.dicom_samples import derive

STUDY = "1.2.3"


def object_of(folder: Path, number: int) -> bytes:
    return derive(folder / str(number), StudyInstanceUID=STUDY, SOPInstanceUID=f"1.2.3.{number}").read_bytes()


def test_an_object_that_is_sent_twice_is_written_once(tmp_path: Path) -> None:
    to = tmp_path / "to"
    to.mkdir()
    sent = [object_of(tmp_path, number) for number in (1, 2, 1)]
    with Writer(to, STUDY, "", Watch(Limits()), ignore, 0) as writer:
        assert [writer.take(one) for one in sent] == [True, True, True]
    assert {path.name: path.read_bytes() for path in to.iterdir()} == {"1.2.3.1.dcm": sent[0], "1.2.3.2.dcm": sent[1]}
    assert writer.bytes == len(sent[0]) + len(sent[1])


def test_whatever_was_taken_has_its_name_after_settling(tmp_path: Path) -> None:
    to = tmp_path / "to"
    to.mkdir()
    with Writer(to, STUDY, "", Watch(Limits()), ignore, 0) as writer:
        for number in range(TOGETHER + 1):
            writer.take(object_of(tmp_path, number))
        writer.settle()
        assert sorted(path.name for path in to.iterdir()) == sorted(f"{uid}.dcm" for uid in writer.taken)
    assert len(writer.taken) == TOGETHER + 1
