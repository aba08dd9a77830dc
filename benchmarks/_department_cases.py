"""What the processes of `benchmarks.department_faults` do in an archive on a server, and what must hold afterwards.

A check says "lost", "doubled" or "broken" with what it is about. Every report has a text of its own, so that a text
that is not there is a lost report, and one that is there twice a doubled one. The models are doubles.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks._fault_cases import Doubles
from benchmarks._processes import Say, Work
from engine.archive import Archive
from engine.errors import UnreachableError
from engine.importing.importer import import_path
from engine.reports.outbox import archive_waiting
from engine.reports.stored_report import ReportFacts, Submission
from engine.reports.workspace import Workspace
from engine.store.address import Address
from engine.store.case import NewCase, NewImage

MODELS = Doubles()
REPORTS, PICTURES = 36, 4
"""Of one import."""
PAUSE = 0.05
"""Seconds until a desk or an import tries again to reach the server."""


def _text(what: str, number: int) -> str:
    """A text of its own, in letters: a long number would be taken for an identifier, and removed."""
    letters = "".join("abcdefghij"[int(digit)] for digit in str(number))
    return f"The {what} that is called {letters} in the department"


@dataclass(frozen=True)
class Importing:
    """A process that imports a folder of its own."""

    address: Address
    folder: Path
    number: int

    def prepare(self) -> None:
        """Write what is imported."""
        self.folder.mkdir(parents=True)
        rows = ["image,text"]
        for n in range(PICTURES):
            gray = np.random.default_rng([self.number, n]).integers(0, 256, (96, 96), np.uint8)
            Image.fromarray(gray).save(self.folder / f"{self.number}.{n}.png")
            rows.append(f"{self.number}.{n}.png,{_text('picture', 100 * self.number + n)}")
        (self.folder / "cases.csv").write_text("\n".join(rows) + "\n")
        texts = [_text("caption", 100 * self.number + n) for n in range(REPORTS)]
        captions = [f"R{self.number}.{n},{text}" for n, text in enumerate(texts)]
        (self.folder / "captions.csv").write_text("\n".join(["id,text", *captions]) + "\n")

    def work(self, say: Say) -> None:
        """Import, again from the start when the server is lost; say the text of each case once it is archived."""
        while True:
            try:
                with Archive.open(self.address) as archive:
                    add = archive.add_case

                    def told(case: NewCase, made_by: str | None = None, add: Callable[..., int] = add) -> int:
                        case_id = add(case, made_by)
                        if case.report is not None:
                            say(f"archived {case.report.text}")
                        return case_id

                    archive.add_case = told  # type: ignore[method-assign]
                    import_path(archive, MODELS, self.folder, keep_text=True)
                    say("done")
                    return
            except UnreachableError:
                say("unreachable")
                time.sleep(PAUSE)

    def finish(self, archive: Archive, say: Say) -> list[str]:
        """Import again, and return the texts that must be there then."""
        result = import_path(archive, MODELS, self.folder, keep_text=True)
        for one in result.rejected:
            say(f"broken import: {one}")
        pictures = [_text("picture", 100 * self.number + n) for n in range(PICTURES)]
        return pictures + [_text("caption", 100 * self.number + n) for n in range(REPORTS)]


@dataclass(frozen=True)
class Desk:
    """A process that archives the image of a study, then signs its report and delivers it from its own workspace."""

    address: Address
    folder: Path
    number: int

    def prepare(self) -> None:
        """Nothing: its workspace begins empty."""

    def work(self, say: Say) -> None:
        """Sign without end; say what is signed, which needs no server, and what is delivered."""
        with Workspace.open(self.folder) as workspace:
            for n in range(1, 1000):
                study, text = f"1.2.{self.number}.{n}", _text("report", 1000 * self.number + n)
                try:
                    with Archive.open(self.address) as archive:
                        if n % 2:  # every other study is archived before, so that its report is set, which is audited
                            archive.add_case(self._study(study), MODELS.id)
                        self._sign(workspace, study, text, say)
                        delivered = archive_waiting(workspace, archive, MODELS).archived
                except UnreachableError:
                    say("unreachable")
                    self._sign(workspace, study, text, say)
                    time.sleep(PAUSE)
                    continue
                for one in delivered:
                    said = workspace.load(one.study_uid)
                    say(f"archived {said.text if said else one.study_uid}")

    def _study(self, study: str) -> NewCase:
        gray = np.random.default_rng(self.number).integers(0, 256, (64, 64), np.uint8)
        return NewCase(study, images=(NewImage(gray, MODELS.embed_images([gray])[0], study),))

    def _sign(self, workspace: Workspace, study: str, text: str, say: Say) -> None:
        known = workspace.load(study)
        if known is None or known.state != "signed":
            workspace.save_edit(study, text)
            workspace.sign(study, "reader", Submission(ReportFacts("CR")))
            say(f"signed {text}")

    def finish(self, archive: Archive, say: Say) -> list[str]:
        """Deliver the rest, and return the texts that must be there then."""
        with Workspace.open(self.folder) as workspace:
            for refused in archive_waiting(workspace, archive, MODELS).refused:
                say(f"broken delivery: {refused}")
            for study in workspace.waiting():
                say(f"lost {study} is still in the queue")
            for problem in workspace.audit_problems():
                say(f"broken workspace: {problem}")
            signed = [str(row["study_uid"]) for row in workspace.audit() if row["state"] == "signed"]
            return [report.text for study in signed if (report := workspace.load(study))]


def check(address: Address, parts: Sequence[Importing | Desk], said: Sequence[str], before: Sequence[str]) -> Work:
    """Look for what was acknowledged, let everyone finish, and look at everything again.

    Args:
        address: of the archive.
        parts: whose work was interrupted.
        said: what they said.
        before: the texts that were in the archive before they began.
    """

    def work(say: Say) -> None:
        with Archive.open(address) as archive:
            there = _look(archive, say)
            for line in said:
                word, _, text = line.partition(" ")
                if word == "archived" and text not in there:
                    say(f"lost {text}")
            wanted = [*before]
            for part in parts:
                wanted += part.finish(archive, say)
            signed = [line.partition(" ")[2] for line in said if line.startswith("signed ")]
            there = _look(archive, say)
            for text in {*wanted, *signed} - {*there}:
                say(f"lost {text}")
            for text in {*there} - {*wanted}:
                say(f"broken nobody wrote {text}")
            for text in there:
                say(f"text {text}")

    return work


def _look(archive: Archive, say: Say) -> Counter[str]:
    """Say what contradicts itself, and return the texts of all reports."""
    for problem in [*archive.problems(deep=True), *archive.audit_problems()]:
        say(f"broken {problem}")
    there = Counter(archive.reports_of(archive.case_ids(limit=100_000)).values())
    for text in [one for one, times in there.items() if times > 1]:
        say(f"doubled {text}")
    return there
