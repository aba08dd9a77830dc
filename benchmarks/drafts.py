"""Measures when a draft is right, and chooses from that when there is one.

    python -m benchmarks.drafts --data DATA [--bundle DIR] [--markdown docs/drafts.md] [--write]

Claim: of the drafts on validation pictures alone at least 90 % start from a report of the right modality and region, by
the lower end of the 95 % interval. Beside them: the rule until now (the nearest report copied), the decoder, and one
fixed normal report. Vectors are kept in --cache, so that a second run is quick. Prints the entry `draft`; --write puts
it into the manifest of the bundle, whose models and id stay.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _section
from benchmarks._cached_models import CachedModels
from benchmarks._draft_traces import (
    MESH,
    MODES,
    VETO,
    Material,
    Trace,
    fill,
    read,
    said_by,
    temporary_archive,
    traces,
    windowed,
)
from engine.archive import Archive
from engine.bundle import Bundle
from engine.facts.from_words import facts_of_words
from engine.image.renditions import picture_renditions
from engine.models.confidence import NEVER
from engine.reports.draft import draft
from engine.text.sentences import restore_formatting
from export import bundle_writer
from training.captions.scores import term_counts
from training.tables.caption_reliability import wilson
from training.tables.table import grid

TITLE = "When a draft is right"
WANTED = {"modality": 0.9, "region": 0.9, "affirmed": 0.5, "negated": 0.95, "normal": 0.8}
"""What the lower ends of the 95 % intervals must reach: drafts of the right modality and region, affirmed findings that
the real report has, negated ones that it lacks, and drafts that call the whole normal of pictures without any
finding."""
NEARS = np.arange(0, 0.8, 0.05)
"""Quantiles of the scores of the nearest reports that are tried as `near`."""
SHARES = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, NEVER)
NORMALS = (0.6, 0.75, 0.9, 1.0, NEVER)
NORMAL_REPORT = (
    "The heart is normal in size. The lungs are clear. No pleural effusion or pneumothorax. No acute abnormality."
)


@dataclass(frozen=True, order=True)
class Thresholds:
    """As in `engine.models.confidence.DraftSettings`."""

    near: float
    share: float
    normal: float

    def kept(self, trace: Trace) -> list[str]:
        """The sentences of the draft, as `engine.reports.draft` chooses them; none when it is silent."""
        if not trace.familiar or not trace.undivided or trace.score < self.near:
            return []
        return [text for text, found in trace.sentences if found.enough(self.share, self.normal)]


@dataclass
class Count:
    """How many of how many."""

    right: int = 0
    of: int = 0

    def add(self, right: int, of: int) -> None:
        """Count further ones."""
        self.right, self.of = self.right + right, self.of + of

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the share (Wilson 1927); anything for none."""
        low, high = wilson(self.right / self.of, self.of) if self.of else (0.0, 1.0)
        return max(low, 0.0), min(high, 1.0)

    def __str__(self) -> str:
        low, high = (100 * end for end in self.interval)
        return f"{self.right} of {self.of} ({low:.0f} to {high:.0f} %)" if self.of else ""


COLUMNS = {
    "drafted": "drafted",
    "modality": "right modality",
    "region": "right region",
    "affirmed": "affirmed findings right",
    "recall": "findings found",
    "negated": "negated findings right",
    "normal": "called normal, and is",
    "terms": "clinical terms right",
    "term_recall": "clinical terms found",
    "mesh": "MeSH right",
    "mesh_recall": "MeSH found",
}


class Scores(dict[str, Count]):
    """One count for each column."""

    def __init__(self) -> None:
        super().__init__({name: Count() for name in COLUMNS})

    def add(self, trace: Trace, text: str, facts: dict[Any, str], terms: bool = True) -> None:
        """Count one draft; "" for silence. Where the header chose the near reports, they have its modality and region
        by construction, which are not judged."""
        self["drafted"].add(bool(text), 1)
        drafted = said_by(text)
        self["recall"].add(len(drafted.affirmed & trace.said.affirmed), len(trace.said.affirmed))
        if trace.mesh is not None:
            self["mesh"].add(len(drafted.affirmed & trace.mesh.affirmed), len(drafted.affirmed))
            self["mesh_recall"].add(len(drafted.affirmed & trace.mesh.affirmed), len(trace.mesh.affirmed))
        if terms:
            right, wrong, missed = term_counts(text, trace.report)
            self["terms"].add(right, right + wrong)
            self["term_recall"].add(right, right + missed)
        if not text:
            return
        for kind in VETO:
            if trace.mode == "picture" and kind in facts and kind in trace.truth:
                self[kind].add(facts[kind] == trace.truth[kind], 1)
        self["affirmed"].add(len(drafted.affirmed & trace.said.affirmed), len(drafted.affirmed))
        negated = {name for name in drafted.negated if not name.endswith("abnormality")}
        judged = negated & (trace.said.affirmed | (negated if trace.said.normal else trace.said.negated))
        self["negated"].add(len(judged - trace.said.affirmed), len(judged))
        if "abnormality" in drafted.negated:
            self["normal"].add(not trace.said.affirmed, 1)


def measure(chosen: Thresholds, found: Iterable[Trace], terms: bool = True) -> Scores:
    """The scores of the drafts at some thresholds."""
    scores = Scores()
    for trace in found:
        scores.add(trace, " ".join(chosen.kept(trace)), trace.start_facts, terms)
    return scores


def reached(scores: Scores) -> bool:
    """Whether drafts are right often enough. What no draft says, none says wrongly."""
    return all(not scores[name].of or scores[name].interval[0] >= least for name, least in WANTED.items())


Tried = list[tuple[Thresholds, Scores]]


def choose(found: Iterable[Trace]) -> tuple[Thresholds, Tried]:
    """The thresholds with the most drafts of pictures alone among those that reach what they must, else the strictest.

    Returns:
        these, the strictest of equals; and all that were tried, with their scores.
    """
    alone = [trace for trace in found if trace.mode == "picture"]
    known = [trace.score for trace in alone if np.isfinite(trace.score)]
    nears = [float(np.round(np.quantile(known, q), 2)) for q in NEARS] if known else [0.0]
    grid_of = product(nears, SHARES, NORMALS)
    tried = [(one, measure(one, alone, terms=False)) for one in (Thresholds(*values) for values in grid_of)]
    enough = [(scores["drafted"].right, one) for one, scores in tried if reached(scores)]
    return max(enough)[1] if enough else max(one for one, _ in tried), tried


def held_out(found: Sequence[Trace]) -> Scores:
    """The scores of pictures alone, at thresholds that the other half of them chose."""
    alone = [trace for trace in found if trace.mode == "picture"]
    halves, scores = (alone[::2], alone[1::2]), Scores()
    for half, other in (halves, halves[::-1]):
        for name, count in measure(choose(half)[0], other, terms=False).items():
            scores[name].add(count.right, count.of)
    return scores


def shown(share: float) -> str:
    """A threshold in words."""
    return "never" if share == NEVER else str(share)


CURVE = ("drafted", "modality", "region", "affirmed", "negated", "normal")


def curve(tried: Tried, chosen: Thresholds, other: Scores) -> str:
    """Precision over coverage as the share of agreeing reports rises, and that of held-out pictures."""
    lines = [["share of near reports", *(COLUMNS[name] for name in CURVE)]]
    for one, scores in tried:
        if (one.near, one.normal) == (chosen.near, chosen.normal):
            mark = f"**{shown(one.share)}**" if one.share == chosen.share else shown(one.share)
            lines.append([mark, *(str(scores[name]) for name in CURVE)])
    lines.append(["chosen by the other half", *(str(other[name]) for name in CURVE)])
    return grid(lines)


def decoded(models: CachedModels, material: Sequence[Material], most: int) -> dict[str, str]:
    """The decoder's caption of some of the queries, by picture."""
    texts = {}
    for source in material:
        for row, gray in source.queries(most):
            caption = models.caption_embedding(models.embed_images([gray])[0], beams=3)
            texts[source.key(row)] = restore_formatting(caption.text)
    return texts


def rules(
    chosen: Thresholds, captions: dict[str, str]
) -> dict[str, tuple[str, Callable[[Trace], tuple[str, Any] | None]]]:
    """Each rule with the mode it is measured in, and the draft and facts that it gives; None leaves a trace out."""

    def caption(trace: Trace) -> tuple[str, Any] | None:
        text = captions.get(trace.picture)
        return None if text is None else (text, {kind: fact.value for kind, fact in facts_of_words(text).items()})

    def agreed(trace: Trace) -> tuple[str, Any]:
        return " ".join(chosen.kept(trace)), trace.start_facts

    return {
        "agreement, picture alone": ("picture", agreed),
        "agreement, header known (modality and region not judged)": ("header", agreed),
        "nearest report copied": ("picture", lambda trace: (trace.copied, trace.copied_facts)),
        "decoder": ("picture", caption),
        "always a normal chest": ("picture", lambda trace: (NORMAL_REPORT, {"modality": "CR", "region": "chest"})),
    }


def table(found: Sequence[Trace], chosen: Thresholds, captions: dict[str, str], source: str) -> str:
    """The scores of each rule on one source."""
    shown = [name for name in COLUMNS if source == MESH or not name.startswith("mesh")]
    lines = [["rule", *(COLUMNS[name] for name in shown)]]
    for name, (mode, rule) in rules(chosen, captions).items():
        scores = Scores()
        for trace in found:
            if (trace.source, trace.mode) == (source, mode) and (made := rule(trace)) is not None:
                scores.add(trace, *made)
        lines.append([name, *(str(scores[column]) for column in shown)])
    return grid(lines)


def stability(archive: Archive, models: CachedModels, material: Sequence[Material], most: int) -> tuple[Count, Count]:
    """Pictures with the same start, or none, at five windows; and of those with a draft at one, with one at all."""
    all_of, drafted = Count(), Count()
    for source in material:
        for _, gray in source.queries(most):
            made = [draft(models, archive, picture_renditions(one)) for one in windowed(gray)]
            starts = {None if one.start is None else one.start.case_id for one in made}
            all_of.add(len(starts) == 1, 1)
            if starts != {None}:
                drafted.add(len(starts) == 1, 1)
        models.save()
    return all_of, drafted


def section(
    found: Sequence[Trace],
    choice: tuple[Thresholds, Tried],
    captions: dict[str, str],
    stable: tuple[Count, Count],
    rows: int,
    bundle: str,
) -> str:
    """The section of the document; `choice` is what `choose` says of the traces."""
    chosen, tried = choice
    scores = dict(tried)[chosen]
    drafted = scores["drafted"].right
    verdict = f"With them {'nothing is' if not drafted else f'{drafted} are'} drafted"
    verdict += "; they do not reach" if not reached(scores) else ", and they reach" if drafted else "; no others reach"
    wanted = ", ".join(f"{100 * least:.0f} % {COLUMNS[name]}" for name, least in WANTED.items())
    sources = list(dict.fromkeys(trace.source for trace in found))
    parts = [
        f"Bundle `{bundle}`. Archive: at most {rows} training rows of each of {len(sources)} sources. Queries: "
        f"{len(found) // len(MODES)} validation pictures, one of each group, as bare pictures and with the modality "
        "and region of their columns, as a header would say them. A draft consists of sentences of the nearest report "
        "whose findings other near reports share; all else is silence.",
        "Cells are n of N with the 95 % interval (Wilson), which takes the findings of one report for independent. "
        "Findings are those of `engine/text/findings.py`; an affirmed one is right if the real report (on IU also its "
        "MeSH terms) affirms it. A negated one is judged only if the real report mentions it or is normal. Clinical "
        "terms are those of `training/captions/terms.py`, with negation. Where the header is known, reports that "
        "contradict it are left out, so that modality and region are right by construction and not judged.",
        f"Thresholds chosen on the pictures alone: `near` {chosen.near}, `share` {shown(chosen.share)}, "
        f"`normal` {shown(chosen.normal)}. {verdict} {wanted}, each by the lower end of its interval, "
        "over all sources.",
        *(f"### {source}\n\n{table(found, chosen, captions, source)}" for source in sources),
        "### Precision over coverage\n\nAll sources, pictures alone, at the chosen `near` and `normal`. The thresholds "
        "were chosen on these same pictures, except in the last row: there each half is measured at those that the "
        f"other half chose.\n\n{curve(tried, chosen, held_out(found))}",
        f"### Five windows\n\nThe same start or the same silence at five windows: {stable[0]}; of the pictures with a "
        f"draft at any window, the same start at all: {stable[1] if stable[1].of else 'no draft'}. These are pictures "
        "of 8 bits, of which a window takes values away for good. The draft of a DICOM frame does not depend on the "
        "displayed window (`engine/image/renditions.py`), so its start is always the same.",
    ]
    return "\n\n".join(parts)


def write(bundle: Path, chosen: Thresholds) -> None:
    """Put the thresholds into the entry `draft` of a bundle's manifest, whose other parts stay."""
    with bundle_writer.changed(bundle) as (_, content):
        content["draft"] = {**(content.get("draft") or {}), **asdict(chosen)}


def main() -> None:
    """Trace, choose, measure, and print the section and the manifest entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--bundle", type=Path, help="folder of the models; default: the starter bundle")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="folder for vectors")
    parser.add_argument("--rows", type=int, default=1000, help="training rows of each source in the archive")
    parser.add_argument("--queries", type=int, help="validation rows of each source; default: one of each group")
    parser.add_argument("--captions", type=int, default=60, help="captions of each source")
    parser.add_argument("--windows", type=int, default=15, help="pictures of each source at five windows")
    parser.add_argument("--markdown", type=Path, help="also write the section into this file")
    parser.add_argument("--write", action="store_true", help="also write the thresholds into the manifest of --bundle")
    options = parser.parse_args()
    if options.write and options.bundle is None:
        parser.error("--write needs --bundle")
    models = CachedModels(Bundle.open(options.bundle), options.cache)
    material = read(options.data)
    with temporary_archive(models.id) as archive:
        truth = fill(archive, models, material, options.rows)
        found = list(traces(archive, models, truth, material, options.queries))
        captions = decoded(models, material, options.captions)
        stable = stability(archive, models, material, options.windows)
    chosen, tried = choose(found)
    body = section(found, (chosen, tried), captions, stable, options.rows, models.id)
    print(body)
    print(json.dumps({"draft": asdict(chosen)}))
    if options.markdown:
        _section.put(options.markdown, TITLE, body)
    if options.write:
        write(options.bundle, chosen)


if __name__ == "__main__":
    main()
