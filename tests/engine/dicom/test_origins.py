"""Origins of images: files, ZIP members, and a source that Kindred does not ship."""

import errno
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from engine.dicom.listing import open_origins, open_path
from engine.dicom.origins import FileOrigin, ZipMember
from engine.dicom.tag_list import tag_list
from engine.errors import UserError
from engine.image.picture import picture_of
from engine.image.pixels import read_frame
from engine.importing.dicom_files import read_studies
from engine.importing.source import FoundCase
from engine.study import Origin
from tests.engine.dicom_samples import derive, sample


@dataclass(frozen=True)
class InMemory:
    """An image that some server answered with."""

    name: str
    data: bytes
    file: None = None

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        yield io.BytesIO(self.data)


def in_memory(name: str) -> InMemory:
    return InMemory(f"https://pacs.example/{name}", sample(name).read_bytes())


def test_an_image_from_another_source_is_listed_shown_and_archived_like_a_file(tmp_path: Path) -> None:
    seen: list[str] = []
    asked: list[Origin] = [in_memory("CT_small.dcm"), in_memory("emri_small.dcm"), InMemory("notes.txt", b"no image")]
    listing = open_origins(asked, progress=lambda done, total, what: seen.append(what))
    assert [(one.path, one.reason) for one in listing.rejected] == [("notes.txt", "This is not a DICOM file.")]
    assert seen == [origin.name for origin in asked]
    for origin in asked[:2]:
        plain = open_path(sample(origin.name.removeprefix("https://pacs.example/"))).studies[0]
        (study,) = (one for one in listing.studies if one.uid == plain.uid)
        assert len(list(study.frames())) == len(list(plain.frames()))
        for ref, expected in zip(study.frames(), plain.frames()):
            assert ref.image.origin == origin
            assert np.array_equal(read_frame(ref).values, read_frame(expected).values)
        series = study.series[0]
        assert study.as_dict()["series"][0]["files"] == [origin.name]  # type: ignore[index]
        assert tag_list(series.frames[0].image) == tag_list(next(plain.frames()).image)
        assert picture_of(study, series, series.frames[0]).origin == origin
    cases = [case for case in read_studies(listing, tmp_path) if isinstance(case, FoundCase)]
    assert [case.match_values["image"] for case in cases] == [(), ()]


def test_an_archive_from_another_source_gives_its_members(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(sample("MR_small.dcm"), "deep/inside")
    whole = InMemory("answer.zip", packed.getvalue())
    (study,) = open_origins([whole]).studies
    (ref,) = study.frames()
    assert ref.image.origin == ZipMember(whole, "deep/inside")
    assert ref.image.name == "answer.zip > deep/inside"
    (plain,) = open_path(sample("MR_small.dcm")).studies[0].frames()
    assert np.array_equal(read_frame(ref).values, read_frame(plain).values)


def test_equal_origins_are_one_key_and_others_are_not(tmp_path: Path) -> None:
    first = next(open_path(derive(tmp_path / "a")).studies[0].frames()).image
    again = next(open_path(tmp_path / "a").studies[0].frames()).image
    assert first == again
    assert len({first, again}) == 1
    origins = {FileOrigin(tmp_path), ZipMember(FileOrigin(tmp_path), "a"), ZipMember(FileOrigin(tmp_path), "b")}
    assert len(origins) == 3


def test_a_missing_file_or_member_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.dcm no longer exists"), FileOrigin(tmp_path / "gone.dcm").open():
        pass
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("here", b"")
    member = ZipMember(FileOrigin(tmp_path / "a.zip"), "gone")
    with pytest.raises(UserError, match=r"gone is no longer in .*a\.zip") as raised, member.open():
        pass
    assert raised.value.other == member.name


def test_a_full_disk_that_a_reader_writes_to_is_not_a_fault_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "image.dcm").write_bytes(b"")
    with pytest.raises(OSError, match="No space left"), FileOrigin(tmp_path / "image.dcm").open():
        raise OSError(errno.ENOSPC, "No space left on device")
