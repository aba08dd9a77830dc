"""Work that several processes do for one archive, handed out by leases. Does not know what the work is.

A unit is leased to one worker until a time, which the worker prolongs while it works. When the time is over, another
worker gets it: the first one was killed, or lost the server. Work must therefore be such that doing it twice changes
nothing. Statements here are transactions of their own that wait for no writer of the archive, and skip each other's
units (FOR UPDATE SKIP LOCKED). One job follows the other: units of the next are leased when none of the first waits.
"""

from dataclasses import dataclass
from typing import Any

from engine.store.server.server_database import ServerDatabase
from engine.store.shared_sql import now

MOST = 5
"""Times that a unit is tried."""
LEASE = 120.0
"""Seconds of a lease; longer than the longest step of a unit, since it is prolonged between steps."""
FINISH = "finish"
"""The last unit of a job, leased when no other one waits."""
OLDEST = "SELECT min(job) FROM work WHERE state = 'waiting'"
CLAIM = f"""UPDATE work SET worker = ?, tries = tries + 1, until = now() + make_interval(secs => ?) WHERE id = (
        SELECT id FROM work AS unit WHERE state = 'waiting' AND (until IS NULL OR until < now()) AND job = ({OLDEST})
            AND (kind <> '{FINISH}' OR NOT EXISTS (SELECT FROM work AS other WHERE other.job = unit.job
                AND other.state = 'waiting' AND other.kind <> '{FINISH}'))
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, job, kind, first, last"""
GIVE_UP = f"""UPDATE work SET state = 'failed', reason = 'Its worker ended each of {MOST} times.'
    WHERE state = 'waiting' AND tries >= {MOST} AND until < now()"""
MINE = "id = ? AND worker = ? AND state = 'waiting'"
SHOW = """SELECT jobs.id, jobs.kind, jobs.what, created, count(*),
        count(*) FILTER (WHERE state = 'done'), count(*) FILTER (WHERE state = 'failed'),
        count(*) FILTER (WHERE state = 'waiting' AND until >= now())
    FROM jobs JOIN work ON job = jobs.id GROUP BY jobs.id ORDER BY jobs.id"""
IN_UNITS = """SELECT min(id), max(id)
    FROM (SELECT id, (row_number() OVER (ORDER BY id) - 1) / ? AS unit FROM {}) AS numbered GROUP BY unit ORDER BY 1"""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done."""

    job_id: int
    kind: str
    what: str
    """What the worker needs to know, as JSON. Nothing that identifies anybody."""
    bundle_id: str
    """The models that it is done with."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One part of a job, leased to this worker."""

    unit_id: int
    job_id: int
    kind: str
    first: int
    last: int
    """What its kind says: ids, or the numbers of parts."""
    worker: str


@dataclass(frozen=True, slots=True)
class JobState:
    """How far a job is."""

    job_id: int
    kind: str
    what: str
    created: str
    units: int
    done: int
    failed: int
    leased: int
    """Being worked on now."""

    @property
    def is_over(self) -> bool:
        """Whether nothing of it waits."""
        return self.done + self.failed == self.units


class WorkQueue:
    """The work of one archive."""

    def __init__(self, database: ServerDatabase) -> None:
        self._database = database

    def add(self, kind: str, what: str, bundle_id: str, parts: int = 0) -> int:
        """Queue a job with `parts` units of its own kind and the one that finishes it, and return its id."""
        units = [(kind, n, parts) for n in range(parts)]
        return self._add(kind, what, bundle_id, units)

    def add_rows(self, kind: str, what: str, bundle_id: str, size: int) -> int:
        """Queue a job with units of `size` images or reports each, by their ids, and return its id."""
        units = [
            (name, first, last)
            for name, table in (("image", "images"), ("report", "reports"))
            for first, last in self._database.read(IN_UNITS.format(table), [size])
        ]
        return self._add(kind, what, bundle_id, units)

    def _add(self, kind: str, what: str, bundle_id: str, units: list[tuple[str, int, int]]) -> int:
        with self._database.write() as db:
            new = "INSERT INTO jobs (kind, what, bundle_id, created) VALUES (?, ?, ?, ?) RETURNING id"
            job = int(db.execute(new, [kind, what, bundle_id, now()]).fetchone()[0])
            rows = [(job, *unit) for unit in (*units, (FINISH, 0, 0))]
            db.execute_many("INSERT INTO work (job, kind, first, last) VALUES (?, ?, ?, ?)", rows)
        return job

    def next_job(self) -> Job | None:
        """The job whose units are leased now; None when nothing waits. Units that were tried too often are given up."""
        self._execute(GIVE_UP)
        rows = self._execute(f"SELECT id, kind, what, bundle_id FROM jobs WHERE id = ({OLDEST})")
        return Job(*rows[0]) if rows else None

    def lease(self, worker: str, seconds: float = LEASE) -> Unit | None:
        """Lease the next unit; None when all that wait are leased to others."""
        rows = self._execute(CLAIM, [worker, seconds])
        if not rows:
            return None
        unit_id, job_id, kind, first, last = rows[0]
        return Unit(unit_id, job_id, kind, first, last, worker)

    def prolong(self, unit: Unit, seconds: float = LEASE) -> bool:
        """Prolong a lease from now on; False when it was over and another worker has got the unit."""
        changed = f"UPDATE work SET until = now() + make_interval(secs => ?) WHERE {MINE} RETURNING id"
        return bool(self._execute(changed, [seconds, unit.unit_id, unit.worker]))

    def done(self, unit: Unit, result: str = "") -> bool:
        """Note that a unit is done; False when another worker has got it, so that its result counts."""
        changed = f"UPDATE work SET state = 'done', reason = '', result = ? WHERE {MINE} RETURNING id"
        return bool(self._execute(changed, [result, unit.unit_id, unit.worker]))

    def failed(self, unit: Unit, reason: str) -> None:
        """Note why a unit could not be done. It is tried again, at most MOST times."""
        state = f"CASE WHEN tries >= {MOST} THEN 'failed' ELSE 'waiting' END"
        changed = f"UPDATE work SET state = {state}, until = NULL, reason = ? WHERE {MINE}"
        self._execute(f"{changed} RETURNING id", [reason, unit.unit_id, unit.worker])

    def give_back(self, unit: Unit) -> None:
        """End a lease of a worker that stops, so that others need not wait for its end."""
        changed = f"UPDATE work SET tries = tries - 1, until = NULL WHERE {MINE} RETURNING id"
        self._execute(changed, [unit.unit_id, unit.worker])

    def results(self, job_id: int) -> list[str]:
        """What the done units of a job have reported."""
        return [row[0] for row in self._execute("SELECT result FROM work WHERE job = ? AND state = 'done'", [job_id])]

    def jobs(self) -> list[JobState]:
        """All jobs, oldest first."""
        return [JobState(*row) for row in self._execute(SHOW)]

    def reasons(self, job_id: int) -> list[tuple[str, int]]:
        """Why units of a job failed so far, each reason with how many."""
        asked = "SELECT reason, count(*) FROM work WHERE job = ? AND reason <> '' GROUP BY reason ORDER BY 2 DESC, 1"
        return [(reason, count) for reason, count in self._execute(asked, [job_id])]

    def retry(self) -> int:
        """Let all failed units wait again; how many it were."""
        again = "UPDATE work SET state = 'waiting', tries = 0, until = NULL WHERE state = 'failed' RETURNING id"
        return len(self._execute(again))

    def drop(self, job_id: int) -> bool:
        """Remove a job, done or not. What its units have done stays."""
        return bool(self._execute("DELETE FROM jobs WHERE id = ? RETURNING id", [job_id]))

    def _execute(self, sql: str, parameters: list[Any] | None = None) -> list[Any]:
        with self._database.reading() as db:
            cursor = db.execute(sql, parameters or [])
            return cursor.fetchall() if cursor.description else []
