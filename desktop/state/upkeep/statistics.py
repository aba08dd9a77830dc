"""What the open archive holds, as charts of bars. Read only while it is shown; knows no widgets."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

from PySide6.QtCore import QObject

from desktop.background import Background, as_work
from desktop.state.similar.archive import ArchiveState
from desktop.state.upkeep.while_shown import WhileShown
from engine.store.case import Statistics
from engine.text.words import counted

MOST = 9
"""Bars of a chart; what is left is summed up in one more."""
UNKNOWN = "Not known"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar."""

    label: str
    value: int
    text: str
    """What is written beside it."""
    part: int | None = None
    """How much of `value` is filled; None for all."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars under a title; their lengths compare within the chart."""

    title: str
    bars: tuple[Bar, ...]


class StatisticsState(WhileShown):
    """Reads the statistics again whenever the archive changes, between `show` and `hide`."""

    def __init__(self, background: Background, archive: ArchiveState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background, self._archive = background, archive
        self.found: Statistics | None = None
        self.problem = ""
        """Why they cannot be read; "" while they can."""
        archive.changed.connect(self._read)

    @property
    def sizes(self) -> str:
        """How large the archive is, in one line; "" while it is not known."""
        found = self.found
        if found is None:
            return ""
        parts = (
            counted(found.cases, "case"),
            counted(found.patients, "known patient"),
            counted(found.images, "image"),
            counted(found.reports, "report"),
            counted(found.embeddings, "vector"),
            f"{size(found.bytes_on_disk)} on disk",
        )
        return "  ·  ".join(parts)

    @property
    def charts(self) -> list[Chart]:
        """The charts, none while nothing is known or archived."""
        return charts(self.found) if self.found is not None and self.found.cases else []

    def _read(self) -> None:
        archive = self._archive.archive
        if archive is None:
            self._take(None)
        elif self._shown:
            self._background.start(as_work(archive.statistics), self._take, key="statistics", failed=self._fail)

    def _take(self, found: Statistics | None) -> None:
        self.found, self.problem = found, ""
        self.changed.emit()

    def _fail(self, error: BaseException) -> None:
        """Show what was read before for no longer, since it may be of another archive."""
        self.found, self.problem = None, str(error)
        self.changed.emit()


def charts(found: Statistics) -> list[Chart]:
    """The charts of an archive."""
    reported = [
        Bar(
            modality or UNKNOWN,
            cases,
            f"{found.reported.get(modality, 0):,} of {cases:,}",
            found.reported.get(modality, 0),
        )
        for modality, cases in list(found.modalities.items())[:MOST]
    ]
    decades = {f"{decade} to {decade + 9}": cases for decade, cases in found.decades.items()}
    if unknown := found.cases - sum(decades.values()):
        decades[UNKNOWN] = unknown
    return [
        Chart("Cases by modality", _bars(found.modalities)),
        Chart("Cases by region", _bars(found.regions)),
        Chart("Cases with a report, by modality", tuple(reported)),
        Chart("Cases by age in years", _bars(decades, most=12)),
        Chart("Growth: cases in all", tuple(Bar(label, total, f"{total:,}") for label, total in growth(found.added))),
    ]


def _bars(counts: Mapping[str, int], most: int = MOST) -> tuple[Bar, ...]:
    rows = [(name or UNKNOWN, cases) for name, cases in counts.items()]
    if len(rows) > most + 1:
        rows = [*rows[:most], ("Others", sum(cases for _, cases in rows[most:]))]
    return tuple(Bar(name[:1].upper() + name[1:], cases, f"{cases:,}") for name, cases in rows)


def growth(added: Mapping[str, int]) -> list[tuple[str, int]]:
    """Cases in all at the end of the last days, months or years, whichever show the whole history in few steps.

    Args:
        added: cases by day, "YYYY-MM-DD", ascending.
    """
    for length in (10, 7, 4):  # of the part of a date that names a day, a month, a year
        steps: dict[str, int] = {}
        for day, cases in added.items():
            steps[day[:length]] = steps.get(day[:length], 0) + cases
        if len(steps) <= MOST:
            break
    named = [_named(step) for step in steps]
    return list(zip(named, accumulate(steps.values()), strict=True))[-MOST:]


def _named(step: str) -> str:
    return f"{date.fromisoformat(f'{step}-01'):%b %Y}" if len(step) == 7 else step


def size(count: int) -> str:
    """A number of bytes as MB or GB."""
    megabytes = count / 1e6
    return f"{megabytes / 1000:,.1f} GB" if megabytes >= 1000 else f"{megabytes:,.{0 if megabytes >= 10 else 1}f} MB"
