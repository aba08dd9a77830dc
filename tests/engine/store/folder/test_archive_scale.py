"""The score scale of an archive: kept, measured again as it grows, never taken from other vectors or another bundle."""

from pathlib import Path

import numpy as np
import pytest

from engine.archive import Archive
from engine.errors import UserError
from engine.store.case import NewCase, NewImage, NewReport
from engine.store.folder import archive_scale
from engine.store.folder.archive_scale import step
from engine.store.score_scale import PAIR, ScoreScale

pytestmark = pytest.mark.folder

CONSTANTS = {pair: {"mean": 0.1, "std": 0.3} for pair in PAIR.values()}
OTHER = {pair: {"mean": 0.2, "std": 0.3} for pair in PAIR.values()}


def add(archive: Archive, numbers: range) -> None:
    """Cases with one image and one report each."""
    for n in numbers:
        rows = np.random.default_rng(n).normal(size=(2, 16)) + np.array([[2.0], [-1.0]])
        image, report = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)
        new = NewCase(str(n), images=(NewImage(np.zeros((2, 2), np.uint8), image),), report=NewReport("words", report))
        archive.add_case(new)


def scale_of(archive: Archive) -> ScoreScale:
    return archive.score_scale.current(CONSTANTS, str(archive.bundle_id))


def same(one: ScoreScale, other: ScoreScale) -> bool:
    return one.spreads == other.spreads and all(
        np.array_equal(one.means[kind], other.means[kind]) for kind in one.means
    )


def no_measuring(*_: object) -> None:
    raise AssertionError("measured again")


def test_the_ladder_rises_by_one_and_then_by_a_tenth() -> None:
    steps = sorted({step(count) for count in range(1, 40)})
    assert steps == [*range(1, 21), 22, 24, 26, 28, 30, 33, 36, 39]
    assert step(0) == 0
    assert 90_000 < step(100_000) <= 100_000


def test_the_next_session_reads_it_from_its_file(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    add(archive, range(30))
    first = scale_of(archive)
    monkeypatch.setattr(archive_scale, "measured", no_measuring)
    with Archive.open(archive.place) as again:
        assert same(scale_of(again), first)


def test_one_more_case_does_not_change_it_and_many_do(archive: Archive) -> None:
    add(archive, range(33))  # 66 vectors: the steps are 65 and 71
    first = scale_of(archive)
    add(archive, range(33, 34))
    assert scale_of(archive) is first
    add(archive, range(34, 40))
    assert not same(scale_of(archive), first)


def test_it_depends_on_the_content_and_not_on_when_it_was_measured(archive: Archive, tmp_path: Path) -> None:
    with Archive.create(tmp_path / "at once", archive.bundle_id) as other:
        for n in range(40):
            add(archive, range(n, n + 1))
            scale_of(archive)
        add(other, range(40))
        assert same(scale_of(archive), scale_of(other))


def test_cases_that_another_process_added_count(archive: Archive) -> None:
    add(archive, range(20))
    first = scale_of(archive)
    with Archive.open(archive.place) as other:
        add(other, range(20, 60))
        assert same(scale_of(archive), scale_of(other))
    assert not same(scale_of(archive), first)


@pytest.mark.parametrize("content", [b"", b"{}", b"0" * 64 + b"\n{}", None])
def test_a_missing_or_damaged_file_is_made_again(archive: Archive, content: bytes | None) -> None:
    add(archive, range(30))
    first, path = scale_of(archive), archive.score_scale.path
    kept = path.read_bytes()
    path.unlink() if content is None else path.write_bytes(content)
    with Archive.open(archive.place) as again:
        assert same(scale_of(again), first)
    assert path.read_bytes() == kept
    assert path.stat().st_mode & 0o777 == 0o600


def test_other_constants_of_the_bundle_are_a_reason_to_measure_again(archive: Archive) -> None:
    add(archive, range(20))
    first = scale_of(archive)
    assert not same(archive.score_scale.current(OTHER, str(archive.bundle_id)), first)


def test_a_replaced_report_is_a_reason_to_measure_again(archive: Archive) -> None:
    add(archive, range(40))
    first = scale_of(archive)
    archive.set_report(3, NewReport("other words", np.eye(16, dtype=np.float16)[0]), "corrected")
    assert not same(scale_of(archive), first)


def test_the_scale_of_one_bundle_is_never_used_for_another(archive: Archive) -> None:
    add(archive, range(20))
    first = scale_of(archive)
    with pytest.raises(UserError, match="indexed with another model"):
        archive.score_scale.current(CONSTANTS, "other")
    new = archive.new_embeddings
    for kind, missing in (("image", new.missing_images("other", 99)), ("report", new.missing_reports("other", 99))):
        rows = np.random.default_rng(7).normal(size=(len(missing), 16))
        new.add(kind, "other", [one[0] for one in missing], rows / np.linalg.norm(rows, axis=1, keepdims=True))  # type: ignore[arg-type]
    assert new.adopt("other")
    assert not same(archive.score_scale.current(CONSTANTS, "other"), first)
    with pytest.raises(UserError, match="indexed with another model"):
        archive.score_scale.current(CONSTANTS, "word-encoder")


def test_a_large_archive_is_measured_on_a_sample_that_never_changes(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_scale, "SAMPLE", 25)
    add(archive, range(40))
    first = scale_of(archive)
    archive.score_scale.path.unlink()
    with Archive.open(archive.place) as again:
        assert same(scale_of(again), first)


def test_an_archive_that_cannot_be_written_is_searched_all_the_same(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(archive, range(20))

    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(archive_scale, "_write", refuse)
    assert scale_of(archive) is scale_of(archive)
