"""Measures how many planted identifiers de-identification removes, and how many clinical words it removes by mistake.

    python -m benchmarks.privacy [--tuned] [--reports FILE.csv ...] [--markdown FILE.md]

Rules are tuned on one half of sentences and values; the table is about the other half (_planted.py). An identifier with
one word or number left counts as missed.
"""

import argparse
import csv
import gzip
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks._planted import HELD_OUT, LANGUAGES, TUNED, PlantedReport, lines, planted
from benchmarks._section import put
from engine.text.deidentify import clean

KINDS = ("person", "date", "number", "phone", "email", "address", "hospital")
Cleaner = Callable[[str], str]


def recall(reports: list[PlantedReport], cleaner: Cleaner) -> tuple[Counter[str], Counter[str], list[str]]:
    """Identifiers planted and removed by language and by kind, and the misses."""
    planted_, removed, missed = Counter[str](), Counter[str](), list[str]()
    for report in reports:
        cleaned = cleaner(report.text)
        rest = cleaned.removeprefix(report.before).removesuffix(report.after)
        for one in report.identifiers:
            keys = (report.language, one.kind, "all")
            planted_.update(keys)
            if one.left(rest):
                missed.append(f"{report.language} {one.kind}: {one.text!r} in {rest.strip()!r}")
            else:
                removed.update(keys)
    return planted_, removed, missed


def false_removals(texts: list[str], cleaner: Cleaner) -> tuple[int, int, list[str]]:
    """Words in all, words removed, and each text that lost one, as it is now."""
    every = lost = 0
    changed = []
    for text in texts:
        cleaned = cleaner(text)
        before, after = Counter(re.findall(r"\w+", text)), Counter(re.findall(r"\w+", cleaned))
        every += before.total()
        if gone := (before - after).total():
            lost += gone
            changed.append(f"{sorted((before - after).elements())}: {cleaned}")
    return every, lost, changed


def real_reports(path: Path) -> Iterator[str]:
    """The texts of a CSV of reports (columns text, caption, or findings and impression)."""
    csv.field_size_limit(1 << 24)
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield " ".join(filter(None, (row.get(name) for name in ("text", "caption", "findings", "impression"))))


def table(part: str, reports: list[Path], cleaner: Cleaner) -> str:
    """Both tables in Markdown, with the misses."""
    planted_, removed, missed = recall(planted(part), cleaner)
    rows = ["| planted identifiers | planted | removed | recall |", "|---|---|---|---|"]
    for key, name in (*LANGUAGES.items(), *((kind, kind) for kind in KINDS), ("all", "**all**")):
        rows.append(f"| {name} | {planted_[key]} | {removed[key]} | {removed[key] / planted_[key]:.1%} |")
    rows += ["", "| text without identifiers | words | removed | share |", "|---|---|---|---|"]
    clinical = lines("privacy_clinical.txt", part)
    sources = [(f"clinical sentences with eponyms, {LANGUAGES[one]}", clinical[one]) for one in LANGUAGES]
    sources += [(path.name.split(".")[0], list(real_reports(path))) for path in reports]
    notes = []
    for name, texts in sources:
        every, lost, changed = false_removals(texts, cleaner)
        rows.append(f"| {name} | {every:,} | {lost} | {lost / every:.2%} |")
        notes += changed
    if part == TUNED:
        print(*notes, sep="\n", file=sys.stderr)
    return "\n".join([*rows, "", f"Missed ({len(missed)}):", "", *(f"- {miss}" for miss in missed)])


def main() -> None:
    """Print the tables, and write them into a document if one is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tuned", action="store_true", help="the half that rules are tuned on")
    parser.add_argument("--reports", type=Path, nargs="*", default=[], help="CSVs of real reports without identifiers")
    parser.add_argument("--markdown", type=Path, help="document whose section is replaced")
    options = parser.parse_args()
    body = table(TUNED if options.tuned else HELD_OUT, options.reports, lambda text: clean(text).text)
    print(body)
    if options.markdown:
        put(options.markdown, "Privacy of reports", body)


if __name__ == "__main__":
    main()
