"""How often backups are made, and which of them are kept. Pure; knows no files."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Policy:
    """The newest backup of each of the last hours, days and weeks that have one."""

    hours: int = 24
    days: int = 7
    weeks: int = 4
    every: timedelta = timedelta(hours=1)
    """Least time between two backups that nobody asked for."""
    large: int = 256 << 20
    """Bytes of a database from which it is backed up daily instead: each backup is a full copy."""
    most_bytes: int = 20 << 30
    """Of all backups of one database together; the oldest beyond it are dropped, the newest never."""

    def is_due(self, newest: datetime | None, now: datetime, size: int) -> bool:
        """Whether it is time for another backup of a database of `size` bytes; a clock that was put back counts."""
        every = timedelta(days=1) if size >= self.large else self.every
        return newest is None or not newest <= now < newest + every

    def kept(self, made: Sequence[datetime], sizes: Sequence[int]) -> set[int]:
        """Which backups stay.

        Args:
            made: when each was made, in UTC; of two at one moment the later one is the newer.
            sizes: bytes of each.

        Returns:
            their positions in `made`.
        """
        order = sorted(range(len(made)), key=lambda at: (made[at], at), reverse=True)
        stay = {
            *_newest_of(order, [(one.date(), one.hour) for one in made], self.hours),
            *_newest_of(order, [one.date() for one in made], self.days),
            *_newest_of(order, [one.isocalendar()[:2] for one in made], self.weeks),
        }
        total = 0
        for at in [one for one in order if one in stay]:
            total += sizes[at]
            if total > self.most_bytes and at != order[0]:
                stay.discard(at)
        return stay


def _newest_of(order: Sequence[int], periods: Sequence[object], most: int) -> Collection[int]:
    """The newest of each of the latest `most` periods; `order` is of positions, newest first."""
    newest: dict[object, int] = {}
    for at in order:
        newest.setdefault(periods[at], at)
    return list(newest.values())[:most]


POLICY = Policy()
