"""Measures which errors the checks before signing find, and how often they alarm on reports as they were written.

    python -m benchmarks.report_checks --data FOLDER [--split val] [--markdown FILE.md]

FOLDER holds `pairs-iu/pairs.csv`, `pairs/pairs.csv` and `pairs-roco/pairs.csv` (image-text pairs with a
column `split`). Errors are planted by rule into real reports of one split; the rules of the checks were written with
the train split only.
"""

import argparse
import csv
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks._section import put
from engine.reports.checks.check import Check, Kind, Known
from engine.reports.checks.negations import FORMER, OF_A_KIND, ONE_OF_A_KIND
from engine.reports.checks.priors import COMPARED
from engine.reports.checks.run import checks
from engine.reports.checks.sex import FEMALE, MALE
from engine.reports.document import Document
from engine.reports.insertion import taken_over
from engine.reports.links import Link
from engine.text.findings import findings, together
from engine.text.sentences import sentences

CLEAN = 100
OTHER = {"left": "right", "right": "left"}
REGIONS = {
    "Brain and Neuro": "head",
    "Chest, Pulmonary": "chest",
    "Gastrointestinal": "abdomen",
    "Spine": "spine",
    "Abdomen": "abdomen",
}
"""Location of a MedPix case -> region of its images; other locations say too little."""
SEX = {"female": "F", "F": "F", "male": "M", "M": "M"}
LIMB = re.compile(r"\b(?:knee|hip|shoulder|ankle|wrist|elbow|femur|tibia|humerus|foot|hand)\b", re.IGNORECASE)
PLANTED: dict[Kind, tuple[int, str]] = {
    "header side": (6, "the header has the other side than a text about a limb"),
    "text side": (9, "the side of a finding is swapped in the impression"),
    "negation": (8, "a sentence of another impression that excludes a finding, or reports an excluded one, is added"),
    "sex": (6, "the header has the other sex than the organs of the text"),
    "region": (7, "a sentence from a report of another region is added"),
    "prior": (5, "a text that compares, no earlier study"),
    "taken over": (4, "a sentence with numbers or sides is taken over from another report"),
    "field": (3, "a required or advised field of a template stays empty"),
}
INTRODUCTION = """Made by `python -m benchmarks.report_checks --data FOLDER --markdown docs/reliability.md`. Errors were
planted by rule into real reports of the validation splits (chest radiographs of Indiana University, captions of MedPix
and ROCO); all rules of the checks were written with the train splits only. An error counts as found when its own
check says so at a place in the sentence that holds it. Clean reports are those of the validation splits as they were
written, with the region and sex that their source states, and an earlier study known. Their authors may
have erred too."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report, what is known of its study, and where an error was planted."""

    document: Document
    known: Known
    error: str = ""
    """The sentence with the error; "" for none."""

    @property
    def found(self) -> tuple[Check, ...]:
        """What the checks say."""
        return checks(self.document, self.known)


def rows(path: Path, split: str) -> list[dict[str, str]]:
    """The rows of a split, one for each text."""
    with path.open(encoding="utf-8") as file:
        every = {row["text"]: row for row in csv.DictReader(file) if row["split"] == split}
    return list(every.values())


def chest_reports(data: Path, split: str) -> list[Report]:
    """Reports of chest radiographs with both sections."""
    known = Known(regions=frozenset({"chest"}), prior=True)
    return [
        Report(Document(f"Findings: {row['findings']}\nImpression: {row['impression']}"), known)
        for row in rows(data / "pairs-iu" / "pairs.csv", split)
        if row["findings"] and row["impression"]
    ]


def captions(data: Path, split: str) -> list[Report]:
    """Descriptions of images, with region and sex where they are stated."""
    found = [Report(Document(row["text"]), Known(prior=True)) for row in rows(data / "pairs-roco" / "pairs.csv", split)]
    for row in rows(data / "pairs" / "pairs.csv", split):
        region = REGIONS.get(row["location"], "")
        regions = frozenset({region} - {""})
        found.append(Report(Document(row["text"]), Known(SEX.get(row["sex"], ""), regions, prior=True)))
    return found


def header_side(report: Report) -> Report | None:
    """A text about a limb that names one side, and a header with the other."""
    text, sides = report.document.text, {side.lower() for side in _sides(report.document.text)}
    if not LIMB.search(text) or len(sides) != 1 or report.known.regions:
        return None
    known = replace(report.known, regions=frozenset({"limb"}), side=OTHER[sides.pop()])
    return replace(report, known=known, error=next(one for one in sentences(text) if _sides(one)))


def text_side(report: Report) -> Report | None:
    """The first affirmed finding of one side in the impression gets the other one."""
    body, _, impression = report.document.text.partition("\nImpression: ")
    for sentence in sentences(impression):
        said, sides = findings(sentence), _sides(sentence)
        if said.affirmed and len(sides) == 1 and any(findings(one).affirmed & said.affirmed for one in sentences(body)):
            wrong = re.sub(rf"\b{sides[0]}\b", OTHER[sides[0].lower()], sentence)
            text = f"{body}\nImpression: {' '.join(sentences(impression)).replace(sentence, wrong)}"
            return replace(report, document=Document(text), error=wrong)
    return None


def contradicted(reports: list[Report]) -> Iterator[Report]:
    """Reports with a sentence of another impression: alternately one that reports what the findings exclude, and one
    that excludes what they report. Neither names anything else, nor only a part of what the finding may be."""
    said = [one for report in reports for one in sentences(report.document.text.partition("\nImpression: ")[2])]
    for number, report in enumerate(reports):
        before = [one for one in sentences(report.document.text.partition("\nImpression: ")[0]) if not _qualified(one)]
        body = together([findings(one) for one in before])
        wanted = body.negated - body.doubted if number % 2 else body.affirmed
        fitting = []
        for one in said:
            found = findings(one)
            names, others = (found.affirmed, found.negated) if number % 2 else (found.negated, found.affirmed)
            if len(names) == 1 and names <= wanted and not (others or found.doubted or _qualified(one)):
                fitting.append(one)
        if fitting:
            one = fitting[number % len(fitting)]
            yield replace(report, document=Document(f"{report.document.text.rstrip(' .')}. {one}"), error=one)


def _qualified(sentence: str) -> bool:
    return "XXXX" in sentence or any(one.search(sentence) for one in (OF_A_KIND, ONE_OF_A_KIND, FORMER))


def other_sex(report: Report) -> Report | None:
    """Organs of one sex, and a header with the other."""
    text = report.document.text
    for pattern, sex in ((FEMALE, "M"), (MALE, "F")):
        if pattern.search(text) and report.known.sex not in ("", sex):
            error = next(one for one in sentences(text) if pattern.search(one))
            return replace(report, known=replace(report.known, sex=sex), error=error)
    return None


def no_prior(report: Report) -> Report | None:
    """A text that compares, without an earlier study."""
    error = next((one for one in sentences(report.document.text) if COMPARED.search(one)), "")
    return replace(report, known=replace(report.known, prior=False), error=error) if error else None


def other_region(report: Report, others: list[Report]) -> Iterator[Report]:
    """The report with a sentence about another region, as its source states it, at the end."""
    for other in others:
        far = other.known.regions | report.known.regions
        said = sentences(other.document.text)
        if len(far) == 2 and not far & {"spine"} and "abdomen" not in far and findings(said[0]).organs:
            yield replace(report, document=Document(f"{report.document.text}\n{said[0]}"), error=said[0])


def taken(report: Report, others: list[Report]) -> Iterator[Report]:
    """The report with a sentence of another one that has a number or a side, taken over and left as it is."""
    for other in others:
        for said in sentences(other.document.text):
            if _sides(said) or re.search(r"\d\s*(?:mm|cm)", said):
                document, _ = taken_over(report.document, len(report.document.text), [said], "case 1")
                yield replace(report, document=document, error=said)


def unfilled(report: Report) -> Report:
    """The report in a template whose field for the history is empty."""
    text = f"History: [History]\n{report.document.text}"
    link = Link(9, 18, "field", "History", "[History]", rule="required")
    return replace(report, document=Document(text, links=(link,)), error="History: [History]")


def planted(data: Path, split: str) -> dict[Kind, list[Report]]:
    """The errors of each kind, drawn with a fixed seed."""
    draw = random.Random(1)
    chest, others = chest_reports(data, split), captions(data, split)
    for reports in (chest, others):
        draw.shuffle(reports)

    def made(rule: Callable[[Report], Report | None], reports: list[Report]) -> list[Report]:
        return [one for report in reports if (one := rule(report)) is not None]

    found: dict[Kind, list[Report]] = {
        "header side": made(header_side, others),
        "text side": made(text_side, chest),
        "negation": list(contradicted(chest)),
        "sex": made(other_sex, others),
        "region": list(zip_first(other_region, chest, others)),
        "prior": made(no_prior, chest),
        "taken over": list(zip_first(taken, chest, others)),
        "field": [unfilled(report) for report in chest],
    }
    return {kind: found[kind][:count] for kind, (count, _) in PLANTED.items()}


def zip_first(
    rule: Callable[[Report, list[Report]], Iterator[Report]], reports: list[Report], others: list[Report]
) -> Iterator[Report]:
    """One planted report for each other one that the rule can use."""
    for report, made in zip(reports, rule(reports[0], others)):
        extra = made.document.text.removeprefix(reports[0].document.text)
        if made.document.marks:
            document, _ = taken_over(report.document, len(report.document.text), [made.error], "case 1")
            yield replace(report, document=document, error=made.error)
        else:
            yield replace(report, document=Document(report.document.text + extra), error=made.error)


def is_found(report: Report, kind: Kind) -> bool:
    """Whether the check of this kind points into the sentence with the error."""
    text = report.document.text
    start = text.find(report.error)
    inside = [one for one in report.found if one.kind == kind and start <= one.span[0] < start + len(report.error)]
    return bool(inside)


def clean_reports(data: Path, split: str) -> list[Report]:
    """Reports as they were written: half of chest radiographs, half of other images with a known region."""
    draw = random.Random(2)
    chest = chest_reports(data, split)
    others = [report for report in captions(data, split) if report.known.regions]
    return [*draw.sample(chest, CLEAN // 2), *draw.sample(others, CLEAN // 2)]


def table(data: Path, split: str) -> str:
    """Both tables in Markdown."""
    lines = ["| check | planted by rule | planted | found |", "|---|---|---|---|"]
    total, hits, missed = 0, 0, []
    for kind, reports in planted(data, split).items():
        found = sum(is_found(report, kind) for report in reports)
        missed += [kind for report in reports if not is_found(report, kind)]
        lines.append(f"| {kind} | {PLANTED[kind][1]} | {len(reports)} | {found} |")
        total, hits = total + len(reports), hits + found
    lines.append(f"| **all** | | {total} | {hits} |")
    clean = clean_reports(data, split)
    alarms = Counter(check.kind for report in clean for check in report.found)
    with_alarm = sum(bool(report.found) for report in clean)
    unknown = [replace(report, known=replace(report.known, prior=False)) for report in clean]
    without = sum(any(check.kind == "prior" for check in report.found) for report in unknown)
    every = [*chest_reports(data, split), *captions(data, split)]
    alarmed = sum(bool(report.found) for report in every)
    named = ", ".join(f"{count} {kind}" for kind, count in alarms.items()) or "none"
    lines += [
        "",
        "| reports as they were written | reports | with an alarm |",
        "|---|---|---|",
        f"| 50 of chest radiographs, 50 of other images | {len(clean)} | {with_alarm} ({named}) |",
        f"| the same, no earlier study known: texts that compare | {len(clean)} | {without} |",
        f"| every report of the split | {len(every)} | {alarmed} |",
    ]
    return "\n".join(lines)


def _sides(text: str) -> list[str]:
    return re.findall(r"\b(?:left|right)\b", text, re.IGNORECASE)


def main() -> None:
    """Print the tables, and write them into a document if one is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the pairs")
    parser.add_argument("--split", default="val", help="which reports; the rules were written with train")
    parser.add_argument("--misses", action="store_true", help="print what was missed, for the train split only")
    parser.add_argument("--markdown", type=Path, help="document whose section is replaced")
    options = parser.parse_args()
    body = table(options.data, options.split)
    print(body)
    if options.misses and options.split == "train":
        for kind, reports in planted(options.data, options.split).items():
            for report in reports:
                if not is_found(report, kind):
                    print(f"\n{kind}: {report.error!r} in {report.document.text!r}")
        for report in clean_reports(options.data, options.split):
            for check in report.found:
                print(f"\nalarm {check.message}: {report.document.text!r}")
    if options.markdown:
        put(options.markdown, "Checks before signing", f"{INTRODUCTION}\n\n{body}")


if __name__ == "__main__":
    main()
