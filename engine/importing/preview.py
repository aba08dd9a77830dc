"""Says what an import would do with reports and studies, and changes nothing: matched, unmatched, ambiguous."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.archive import Archive
from engine.errors import Rejected, exists, missing
from engine.importing.importer import read_all
from engine.importing.joining import BY, archived_matches, matches_beside, studies_by_join
from engine.importing.source import FoundCase
from engine.progress import IsCancelled, Progress, ignore, never
from engine.store.safety.join_keys import Join
from engine.text.words import counted


@dataclass(frozen=True, slots=True)
class Match:
    """A report, or the images of a study, with what it would be joined to."""

    name: str
    others: tuple[str, ...]
    """Files, or "case N" of the archive; several when it is not clear which."""
    by: str
    """In words, such as "Accession Number"."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"name": self.name, "with": list(self.others), "by": self.by}

    def __str__(self) -> str:
        return f"{self.name} with {', '.join(self.others)} ({self.by})"


@dataclass(slots=True)
class ImportPreview:
    """What an import would do."""

    studies: int = 0
    """Cases with images."""
    archived: int = 0
    """Cases and reports that are archived already."""
    matched: list[Match] = field(default_factory=list)
    ambiguous: list[Match] = field(default_factory=list)
    """They would become cases of their own."""
    unmatched: list[str] = field(default_factory=list)
    """Reports without a study; they would be archived as cases of their own until it comes."""
    rejected: list[Rejected] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "studies": self.studies,
            "archived": self.archived,
            "matched": [one.as_dict() for one in self.matched],
            "ambiguous": [one.as_dict() for one in self.ambiguous],
            "unmatched": self.unmatched,
            "rejected": [one.as_dict() for one in self.rejected],
        }

    def lines(self, shown: int) -> list[str]:
        """The counts, then the reports that match, match several, or match nothing, and what is rejected.

        Args:
            shown: entries of each kind; the others are counted.
        """
        lines = [
            f"{counted(self.studies, 'case')} with images. Reports and studies: {len(self.matched):,} matched, "
            f"{len(self.ambiguous):,} ambiguous, {len(self.unmatched):,} unmatched, {self.archived:,} archived already."
        ]
        for title, found in (
            ("Matched:", self.matched),
            ("Ambiguous, to be archived apart:", self.ambiguous),
            ("Unmatched, to be archived without images:", self.unmatched),
            ("Rejected:", [f"{one.path}: {one.reason}" for one in self.rejected]),
        ):
            if found:
                lines += [title, *(f"    {one}" for one in found[:shown])]
                lines += [f"    ... and {len(found) - shown:,} more."] if len(found) > shown else []
        return [*lines, "Nothing was imported."]


def preview_import(
    archive: Archive | None,
    path: Path,
    reports: Path | Sequence[Path] | None = None,
    progress: Progress = ignore,
    cancelled: IsCancelled = never,
) -> ImportPreview:
    """What `import_path` with the same arguments would do; no pixels are read and no model is needed.

    Args:
        archive: None for one that does not exist yet.

    Raises:
        UserError and Cancelled: as `import_path`.
    """
    if not exists(path):
        raise missing(path)
    _, found, extra = read_all(path, reports, progress, cancelled)
    items = [item for some in extra.beside(found) for item in some]
    preview = ImportPreview(rejected=[one for one in items if isinstance(one, Rejected)])
    for table in extra.tables:
        preview.matched += [Match(row, (case,), "row of the CSV file") for row, case in table.matched]
    cases = [one for one in items if isinstance(one, FoundCase)]
    studies = studies_by_join(cases)
    for one in cases:
        preview.studies += bool(one.images)
        if archive is not None and archive.find_case(one.key) is not None:
            preview.archived += 1
        else:
            _match(preview, archive, one, studies)
    return preview


def _match(
    preview: ImportPreview, archive: Archive | None, one: FoundCase, studies: dict[Join, list[FoundCase]]
) -> None:
    """Put what is not archived yet into one of the lists; a study that matches nothing is in none."""
    incoming = [] if one.images else matches_beside(one, studies)
    archived = archived_matches(archive, one) if archive is not None else {}
    known = {archive.find_case(study.key) for study, _ in incoming} if archive is not None else set()
    others = [study.name for study, _ in incoming] + [f"case {number}" for number in archived if number not in known]
    if others:
        by = BY[next(iter((*(role for _, role in incoming), *archived.values())))]
        (preview.matched if len(others) == 1 else preview.ambiguous).append(Match(one.name, tuple(others), by))
    elif not one.images:
        preview.unmatched.append(one.name)
