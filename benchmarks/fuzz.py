"""Measures how the viewer handles damaged files: `python -m benchmarks.fuzz --seed 1 --count 5000`.

Claim: no damaged file causes a crash, a hang or an unexpected error.

Each case damages one real file of pydicom or pydicom-data by its seed, lists it, reads its header's elements,
decodes its first and last frame and renders them and their thumbnails as the viewport does, in a worker process.
Counted: crashes (the worker died), hangs (no answer in time) and bugs (any exception but UserError). The exit status is
1 if there was one; `--again SEED` repeats one case.
"""

import argparse
import json
import queue
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks._section import put
from benchmarks.fuzz_worker import answer, sources

TITLE = "Damaged files"
TIMEOUT = 60.0
"""Seconds without an answer that count as a hang."""


@dataclass
class Outcome:
    """Counts of how the cases ended, and the failures."""

    ends: Counter[str] = field(default_factory=Counter)
    """"shown", "refused", "bug", "crash", "hang", each with its count."""
    findings: list[dict[str, Any]] = field(default_factory=list)
    """The cases that ended as bug, crash or hang: seed, file, end, detail."""

    def add(self, answer: dict[str, Any]) -> None:
        """Count one answer of a worker."""
        self.ends[answer["end"]] += 1
        if answer["end"] not in ("shown", "refused"):
            self.findings.append(answer)


class Worker:
    """One worker process."""

    def __init__(self) -> None:
        command = [sys.executable, "-X", "faulthandler", "-m", "benchmarks.fuzz_worker"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True)
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def ask(self, seed: int, timeout: float) -> dict[str, Any]:
        """The worker's answer, or a crash or hang, after which the worker must be replaced."""
        assert self._process.stdin is not None
        output = ""
        try:
            self._process.stdin.write(f"{seed}\n")
            self._process.stdin.flush()
            while True:
                line = self._lines.get(timeout=timeout)
                if line is None:
                    break
                if line.startswith('{"seed"'):
                    found: dict[str, Any] = json.loads(line)
                    return found
                output += line  # output of a library or of faulthandler
        except queue.Empty:
            return {"seed": seed, "end": "hang", "detail": output}
        except (BrokenPipeError, ValueError):
            pass
        return {"seed": seed, "end": "crash", "detail": f"{output}exit status {self._process.wait()}"}

    def close(self) -> None:
        """Kill the process and close its pipes."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                continue


def run(first: int, count: int, timeout: float = TIMEOUT, every: int = 0) -> Outcome:
    """Run the cases `first` to `first + count - 1`; print the counts every `every` cases, 0 for never."""
    outcome, worker = Outcome(), Worker()
    try:
        for number in range(count):
            found = worker.ask(first + number, timeout)
            outcome.add(found)
            if found["end"] in ("crash", "hang"):
                worker.close()
                worker = Worker()
            if every and (number + 1) % every == 0:
                print(number + 1, dict(outcome.ends), flush=True)
    finally:
        worker.close()
    return outcome


def table(outcome: Outcome, seed: int) -> str:
    """The section of the document."""
    count = outcome.ends.total()
    ends = [f"| {end} | {outcome.ends[end]:,} |" for end in ("shown", "refused", "bug", "crash", "hang")]
    return (
        f"{count:,} cases, seeds {seed:,} to {seed + count - 1:,}: each damages one of {len(sources())} real files of "
        "pydicom and pydicom-data, lists it, reads its elements, decodes its first and last frame, and renders both "
        "at full and reduced size, in a worker process. Made by "
        f"`python -m benchmarks.fuzz --seed {seed} --count {count} --markdown "
        "docs/benchmarks.md`.\n\n" + "\n".join(["| outcome | cases |", "|---|---|", *ends])
    )


def main() -> None:
    """Run the cases, print the failures and the counts; exit status 1 if there was a failure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=1, help="seed of the first case; the others follow")
    options.add_argument("--count", type=int, default=1000)
    options.add_argument("--timeout", type=float, default=TIMEOUT, help="seconds")
    options.add_argument("--again", type=int, metavar="SEED", help="one case, in this process")
    options.add_argument("--markdown", type=Path, metavar="FILE", help="write the counts to this file")
    chosen = options.parse_args()
    if chosen.again is not None:
        with tempfile.TemporaryDirectory() as folder:
            found = answer(chosen.again, Path(folder))
        print(found["file"], found["end"], found["detail"])
        return
    outcome = run(chosen.seed, chosen.count, chosen.timeout, every=200)
    for finding in outcome.findings:
        print(json.dumps(finding))
    print(f"{outcome.ends.total()} cases from seed {chosen.seed}: {dict(outcome.ends)}")
    if chosen.markdown:
        put(chosen.markdown, TITLE, table(outcome, chosen.seed))
    sys.exit(1 if outcome.findings else 0)


if __name__ == "__main__":
    main()
