"""Retrieves a study of a PACS into a folder, and goes on where an earlier retrieval ended."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from engine.errors import UserError
from engine.pacs.address import Pacs
from engine.pacs.address_check import checked
from engine.pacs.connection import connect
from engine.pacs.limits import Limits, Watch
from engine.pacs.objects import SUFFIX, is_there
from engine.pacs.retrieved import Retrieved
from engine.pacs.source import ObjectKey, Source, Wanted
from engine.pacs.studies import checked_uid
from engine.pacs.writer import Writer
from engine.progress import IsCancelled, Progress, ignore, never

AT_ONCE = 500
"""UIDs of one request; a list of all objects of a large series would not fit into some."""


def retrieve(
    pacs: Pacs,
    study_uid: str,
    to: Path,
    patient_id: str = "",
    limits: Limits | None = None,
    progress: Progress = ignore,
    cancelled: IsCancelled = never,
) -> Retrieved:
    """Retrieve a study into a folder of its own below `to`, readable by its owner only.

    Objects that are there and whole are not retrieved again. Whatever was written stays if this stops early.

    Args:
        pacs: where it is.
        study_uid: which study.
        to: the folder of the study is made in it, and called like its UID.
        patient_id: whose study it is, if that is known: objects of others are rejected.
        limits: of time and size; None for the usual ones.
        progress: called after each object, also from other threads.
        cancelled: asked all the time.

    Raises:
        UserError: the PACS cannot be reached, refuses or stops answering, the disk is full, or a limit is reached.
        Cancelled: `cancelled` returned true.
    """
    watch = Watch(limits or Limits(), cancelled)
    source = connect(checked(pacs), watch)
    count = source.count(checked_uid(study_uid))
    folder = _made(to, study_uid)
    there = {path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}") if is_there(path, study_uid)}
    left = max(0, (count or 0) - len(there))
    missing = 0
    with Writer(folder, study_uid, patient_id, watch, progress, left) as writer:
        asked = not there and by_study(pacs)
        if asked:
            source.retrieve(Wanted(study_uid), writer.take)
        if count is None or there or len(writer.taken) + len(writer.rejected) < count or not writer.taken:
            missing = _fill(source, study_uid, there, writer, asked)
    if not writer.taken and not there and not writer.rejected:
        raise UserError(f"{pacs.name} has sent nothing of this study; it may be archived elsewhere.")
    return Retrieved(folder, len(writer.taken), len(there), missing, writer.bytes, tuple(writer.rejected))


def by_study(pacs: Pacs) -> bool:
    """Whether a study is asked for before its objects are listed, which takes long for large ones.

    For C-GET they are listed first, since what it may send is agreed on before it sends anything.
    """
    return pacs.is_web or bool(pacs.receiver)


def _fill(source: Source, study_uid: str, there: set[str], writer: Writer, asked: bool) -> int:
    """Retrieve what a PACS lists and nobody has, and return how many objects it has not sent.

    Where it lists nothing, the whole study is retrieved, unless it was `asked` for.
    """
    listed = list({one.sop_uid: one for one in source.objects(study_uid)}.values())
    if not listed and not asked:
        source.retrieve(Wanted(study_uid), writer.take)
    missed = [one for one in listed if one.sop_uid not in there | writer.taken]
    for attempt in range(source.attempts):
        if not missed or writer.rejected:
            break
        for wanted in requests(study_uid, listed, missed):
            source.retrieve(replace(wanted, attempt=attempt), writer.take)
        missed = [one for one in missed if one.sop_uid not in writer.taken]
    return max(0, len(missed) - len(writer.rejected))


def requests(study_uid: str, listed: Iterable[ObjectKey], missed: Iterable[ObjectKey]) -> Iterator[Wanted]:
    """The fewest requests for what is missed: the whole study, whole series, or the objects of a series."""
    listed, missed = list(listed), list(missed)
    classes = frozenset(one.sop_class for one in missed if one.sop_class)
    if len(listed) == len(missed):
        yield Wanted(study_uid, sop_classes=classes)
        return
    sizes: dict[str, int] = defaultdict(int)
    for one in listed:
        sizes[one.series_uid] += 1
    series: dict[str, list[str]] = defaultdict(list)
    for one in missed:
        series[one.series_uid].append(one.sop_uid)
    for series_uid, sop_uids in series.items():
        if len(sop_uids) == sizes[series_uid]:
            yield Wanted(study_uid, series_uid, sop_classes=classes)
            continue
        for start in range(0, len(sop_uids), AT_ONCE):
            yield Wanted(study_uid, series_uid, tuple(sop_uids[start : start + AT_ONCE]), classes)


def _made(to: Path, study_uid: str) -> Path:
    folder = to / study_uid
    try:
        to.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {error.strerror or error}.", folder) from None
    return folder
