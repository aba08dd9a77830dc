"""Studies retrieved from real PACS by WADO-RS, C-GET and C-MOVE: whole, private, resumed, cancelled."""

import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmread

from engine.dicom.listing import open_path
from engine.errors import Cancelled, UserError
from engine.pacs.address import Pacs
from engine.pacs.limits import Limits
from engine.pacs.retrieve import requests, retrieve
from engine.pacs.source import ObjectKey, Wanted
from tests.engine.pacs.pacs_studies import PATIENT, Studies

EACH = pytest.mark.parametrize("pacs", ["web", "get", "move"], indirect=True)


def by_uid(folder: Path) -> dict[str, Path]:
    return {str(dcmread(path, stop_before_pixels=True).SOPInstanceUID): path for path in folder.rglob("*.dcm")}


@EACH
def test_every_object_arrives_as_it_was_stored(pacs: Pacs, studies: Studies, tmp_path: Path) -> None:
    result = retrieve(pacs, studies.newest, tmp_path / "to", PATIENT)
    assert (result.new, result.there, result.missing, result.rejected) == (3, 0, 0, ())
    got = by_uid(result.folder)
    sent = {str(dcmread(path).SOPInstanceUID): path for path in studies.files_of(studies.newest)}
    assert set(got) == set(sent)
    for uid, path in got.items():
        assert path.name == f"{uid}.dcm"
        one, other = dcmread(path), dcmread(sent[uid])
        assert (one.pixel_array == other.pixel_array).all()
        for dataset in (one, other):
            del dataset.PixelData  # the fragments of a compressed one may be put together anew
            dataset.pop("DataSetTrailingPadding", None)  # which storescu leaves out
        assert [*one] == [*other]
        assert one.file_meta.TransferSyntaxUID == other.file_meta.TransferSyntaxUID


@EACH
def test_a_retrieved_study_opens_like_any_folder(pacs: Pacs, studies: Studies, tmp_path: Path) -> None:
    result = retrieve(pacs, studies.middle, tmp_path, PATIENT)
    listing = open_path(result.folder)
    assert [study.uid for study in listing.studies] == [studies.middle]
    assert len([*listing.studies[0].frames()]) == 12
    assert listing.rejected == ()


@EACH
def test_only_the_owner_can_read_what_was_retrieved(pacs: Pacs, studies: Studies, tmp_path: Path) -> None:
    result = retrieve(pacs, studies.oldest, tmp_path / "to")
    assert stat.S_IMODE((tmp_path / "to").stat().st_mode) == 0o700
    assert stat.S_IMODE(result.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in result.folder.iterdir()} == {0o600}


@EACH
def test_what_is_there_and_whole_is_not_retrieved_again(pacs: Pacs, studies: Studies, tmp_path: Path) -> None:
    files = sorted(retrieve(pacs, studies.middle, tmp_path).folder.iterdir())
    files[0].unlink()
    files[1].write_bytes(files[1].read_bytes()[:-1])
    files[2].write_bytes(b"")
    result = retrieve(pacs, studies.middle, tmp_path)
    assert (result.new, result.there, result.missing) == (3, 9, 0)
    assert all(dcmread(path).PixelData for path in files)
    result = retrieve(pacs, studies.middle, tmp_path)
    assert (result.new, result.there, result.bytes) == (0, 12, 0)


@EACH
def test_a_cancelled_retrieval_keeps_whole_objects_and_goes_on_later(
    pacs: Pacs, studies: Studies, tmp_path: Path
) -> None:
    seen: list[int] = []
    with pytest.raises(Cancelled):
        retrieve(
            pacs,
            studies.middle,
            tmp_path,
            progress=lambda done, total, what: seen.append(done),
            cancelled=lambda: len(seen) >= 4,
        )
    kept = by_uid(tmp_path)
    assert 4 <= len(kept) < 12
    result = retrieve(pacs, studies.middle, tmp_path)
    assert (result.new, result.there) == (12 - len(kept), len(kept))


@EACH
def test_progress_counts_the_images_that_are_still_to_come(pacs: Pacs, studies: Studies, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    retrieve(pacs, studies.middle, tmp_path, progress=lambda done, total, what: seen.append((done, total)))
    assert [done for done, _ in seen] == [*range(1, 13)]
    assert {total for _, total in seen} <= {12, 0}  # 0: dcmqrscp does not count


@EACH
def test_objects_of_another_patient_are_refused(pacs: Pacs, studies: Studies, tmp_path: Path) -> None:
    result = retrieve(pacs, studies.oldest, tmp_path, "somebody else")
    assert result.new == 0
    assert "another Patient ID" in result.rejected[0].reason
    assert by_uid(tmp_path) == {}


@EACH
def test_a_study_that_the_pacs_does_not_have_leaves_no_folder(pacs: Pacs, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no study of this UID"):
        retrieve(pacs, "1.2.3.4", tmp_path / "to")
    assert not (tmp_path / "to").exists()


@EACH
def test_more_bytes_than_a_study_may_have_end_the_retrieval(pacs: Pacs, studies: Studies, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="too much to retrieve"):
        retrieve(pacs, studies.middle, tmp_path, limits=Limits(study=100_000))


@EACH
def test_more_time_than_a_retrieval_may_take_ends_it(pacs: Pacs, studies: Studies, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="goes on"):
        retrieve(pacs, studies.middle, tmp_path, limits=Limits(total=0.0))


@pytest.mark.parametrize("uid", ["", "1", "1.2/../../3", "..", "1.2.x", "1." * 40])
def test_what_is_no_uid_is_not_asked_for_and_names_no_folder(uid: str, tmp_path: Path) -> None:
    nowhere = Pacs("nowhere", host="127.0.0.1", port=1, called="NOWHERE")
    with pytest.raises(UserError, match="not a Study Instance UID"):
        retrieve(nowhere, uid, tmp_path / "to")
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize("step", ["begin", "finish"])
def test_a_full_disk_ends_the_retrieval_with_its_reason(
    web: Pacs, studies: Studies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"engine.pacs.writer.{step}", full)
    with pytest.raises(UserError, match=r"cannot be written.*No space left"):
        retrieve(web, studies.middle, tmp_path)


def test_nothing_listens_unless_a_c_move_runs(move: Pacs, studies: Studies, tmp_path: Path) -> None:
    def listens() -> bool:
        with socket.socket() as trial:
            return trial.connect_ex(move.receiver_address) == 0

    during: list[bool] = []
    assert not listens()
    retrieve(move, studies.oldest, tmp_path, progress=lambda *_: during.append(listens()))
    assert during == [True]
    assert not listens()


def test_an_address_that_is_in_use_is_said(move: Pacs, studies: Studies, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(move.receiver_address)
        other.listen()
        with pytest.raises(UserError, match="Nothing can be received"):
            retrieve(move, studies.oldest, tmp_path)


def listed(**series: int) -> Iterator[ObjectKey]:
    for uid, count in series.items():
        yield from (ObjectKey(uid, f"{uid}.{number}", "CT") for number in range(count))


def test_what_is_missed_takes_the_fewest_requests() -> None:
    all_of = list(listed(a=3, b=2))
    classes = frozenset({"CT"})
    assert list(requests("S", all_of, all_of)) == [Wanted("S", sop_classes=classes)]
    assert list(requests("S", all_of, [*all_of[:1], *all_of[3:]])) == [
        Wanted("S", "a", ("a.0",), classes),
        Wanted("S", "b", (), classes),
    ]
    assert list(requests("S", [], [])) == [Wanted("S")]
