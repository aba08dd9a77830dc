"""What a draft of each validation picture could rest on, traced once so that any threshold can be tried afterwards.

An archive of training rows of all sources, each row a case with its picture and its report; queries are validation
rows, one of each group, once as a bare picture and once with the modality and region that their columns say, as a DICOM
header would. Does not know scores or tables.
"""

import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks._cached_models import CachedModels
from engine.archive import Archive
from engine.facts.fact import Fact, FactKind, Facts
from engine.facts.from_words import facts_of_words
from engine.image.renditions import picture_renditions
from engine.models.burned_in import without_text
from engine.models.familiarity import check_familiarity
from engine.models.text_detector import text_detector
from engine.reports.agreement import Agreement, agreement
from engine.reports.draft import embedded, most_familiar
from engine.reports.nearest_report import near_reports, undivided
from engine.store.case import NewCase, NewImage, NewReport
from engine.text.findings import Findings, findings, together
from engine.text.sentences import sentences
from training.data import known_facts
from training.data.pairs import Pair, read_pairs

SOURCES = ("pairs", "pairs-iu", "pairs-roco", "pairs-vqamed")
MODES = ("picture", "header")
WINDOWS = ((0.0, 1.0), (0.1, 1.0), (0.0, 0.8), (0.05, 0.9), (-0.1, 1.15))
"""Five windows of a picture: the shares of its range that become black and white."""
MESH = "pairs-iu"
"""The source whose column `finding` lists MeSH terms."""
VETO: tuple[FactKind, ...] = ("modality", "region")


@dataclass(frozen=True)
class Trace:
    """What a draft of one picture could rest on, and what its real report says."""

    source: str
    picture: str
    """Source and file name."""
    mode: str
    report: str
    truth: dict[FactKind, str]
    """Modality and region, where its columns or words say them."""
    said: Findings
    """By the words of the report, and on IU also by its MeSH terms."""
    mesh: Findings | None = None
    familiar: bool = True
    undivided: bool = False
    """Whether the near reports say one modality and one region."""
    score: float = -np.inf
    start: int | None = None
    start_facts: dict[FactKind, str] = field(default_factory=dict)
    sentences: tuple[tuple[str, Agreement], ...] = ()
    """Of the nearest report, with what the other near reports say about each."""
    copied: str = ""
    """The nearest report of all, as every draft copied it until now."""
    copied_facts: dict[FactKind, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Material:
    """The rows and pictures of one source."""

    name: str
    rows: list[Pair]
    images: Sequence[NDArray[np.uint8]]

    def archived(self, most: int) -> Iterator[tuple[Pair, NDArray[np.uint8]]]:
        """At most `most` training rows with their pictures, in a fixed random order: fewer are the first of more."""
        return self._shown(self._shuffled("train")[:most])

    def queries(self, most: int | None) -> Iterator[tuple[Pair, NDArray[np.uint8]]]:
        """The same of validation rows, one of each group: two films of one study are no two observations."""
        first = {self.rows[index].group: index for index in reversed(self._shuffled("val"))}
        return self._shown(list(reversed(first.values()))[:most])

    def _shuffled(self, split: str) -> list[int]:
        chosen = [index for index, row in enumerate(self.rows) if row.split == split and row.text.strip()]
        return random.Random(0).sample(chosen, len(chosen))

    def _shown(self, chosen: Sequence[int]) -> Iterator[tuple[Pair, NDArray[np.uint8]]]:
        return ((self.rows[index], self.images[index]) for index in chosen)

    def key(self, row: Pair) -> str:
        """Source and file name of a row."""
        return f"{self.name}/{row.path.name}"


def read(data: Path) -> list[Material]:
    """The sources below a folder; pictures are decoded when they are needed."""
    found = []
    for name in SOURCES:
        pairs = read_pairs([data / name / "pairs.csv"], stream=True)
        found.append(Material(name, pairs.rows, pairs.images))
    return found


def fill(
    archive: Archive, models: CachedModels, material: Sequence[Material], most: int
) -> dict[int, dict[FactKind, str]]:
    """Archive at most `most` training rows of each source; the true facts of each case."""
    truth = {}
    for source in material:
        for number, (row, shown) in enumerate(source.archived(most)):
            gray = without_text(shown, text_detector())[0]  # as an import does
            image = NewImage(gray, models.embed_images([gray])[0])
            report = NewReport(row.text, models.embed_texts([row.text])[0])
            facts = case_facts(row)
            case = NewCase(
                key=source.key(row),
                modality=row.values.get("modality", ""),
                source=source.name,
                patient=f"{source.name}/{row.patient}",
                facts=facts,
                images=(image,),
                report=report,
            )
            truth[archive.add_case(case)] = true_facts(row)
            if number % 300 == 299:
                models.save()
    models.save()
    return truth


def case_facts(row: Pair) -> Facts:
    """Modality and region of an archived case: by its columns, else by the words of its report."""
    return {kind: Fact(value, "header") for kind, value in known_facts.of(row).items() if value}  # type: ignore[misc]


def header_facts(row: Pair) -> Facts:
    """The modality and region that a header would say: by the columns only, since the report is yet to be written."""
    return case_facts(replace(row, text=""))


def true_facts(row: Pair) -> dict[FactKind, str]:
    """Modality and region by the columns, else by the words of the report."""
    facts = {**facts_of_words(row.text), **case_facts(row)}
    return {kind: facts[kind].value for kind in VETO if kind in facts}


def said_by(text: str) -> Findings:
    """The findings of a report."""
    return together([findings(sentence) for sentence in sentences(text)])


def mesh_findings(row: Pair) -> Findings:
    """The MeSH terms of a row as findings: "Pulmonary Atelectasis/base/left" affirms "atelectasis"."""
    terms = row.values.get("finding", "").split(";")
    return together([findings(term.replace("/", " ").replace(",", " ")) for term in terms])


def traces(
    archive: Archive,
    models: CachedModels,
    truth: dict[int, dict[FactKind, str]],
    material: Sequence[Material],
    most: int | None,
) -> Iterator[Trace]:
    """One trace of each validation row in each mode."""
    for source in material:
        for number, (row, gray) in enumerate(source.queries(most)):
            pictures = picture_renditions(gray)
            familiar = most_familiar([check_familiarity(models, one) for one in pictures]).familiar
            vector = embedded(models, pictures)
            said, mesh = said_by(row.text), None
            if source.name == MESH:
                mesh = mesh_findings(row)
                said = together([said, mesh])
            for mode in MODES:
                facts = header_facts(row) if mode == "header" else {}
                near = near_reports(archive, models, vector, (), facts).reports
                plain = near if mode == "picture" else ()
                base = Trace(source.name, source.key(row), mode, row.text, true_facts(row), said, mesh, familiar)
                if not near:
                    yield base
                    continue
                start = near[0]
                yield replace(
                    base,
                    undivided=undivided(near),
                    score=start.score,
                    start=start.case_id,
                    start_facts=truth[start.case_id],
                    sentences=tuple((text, agreement(text, near, start)) for text in start.sentences),
                    copied=" ".join(plain[0].sentences) if plain else "",
                    copied_facts=truth[plain[0].case_id] if plain else {},
                )
            if number % 50 == 49:
                models.save()
    models.save()


def windowed(gray: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """A picture at five windows, uint8 [H, W] each."""
    levels = np.arange(256) / 255
    return [
        np.round(255 * np.clip((levels - low) / (high - low), 0, 1)).astype(np.uint8)[gray] for low, high in WINDOWS
    ]


@contextmanager
def temporary_archive(bundle_id: str) -> Iterator[Archive]:
    """An empty archive that is deleted in the end."""
    with tempfile.TemporaryDirectory() as folder, Archive.create(Path(folder) / "archive", bundle_id) as archive:
        yield archive
