"""The models in use: card, figures, how they lie on this archive, and changing to others and back. Knows no widgets."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from desktop.background import Background, Lane, as_work
from desktop.state.settings import SettingsState
from desktop.state.similar.archive import ArchiveState
from desktop.state.upkeep.while_shown import WhileShown
from engine.adapt.on_archive import ArchiveFigures, Space, on_archive
from engine.archive import Archive
from engine.bundle import Bundle
from engine.models.manifest import FILE_NAME
from engine.resources import resource_path
from engine.text.words import counted

CARD = "MODEL_CARD.md"
FIGURES = (
    ("Gap over its floor", "gap_over_floor", 1, "0"),
    ("Other kind among the 10 nearest, %", "calibrated_other_share", 100, "50.0"),
    ("Own report among the first 10, %", "recall@10_image_to_text", 100, ""),
    ("Own image among the first 10, %", "recall@10_text_to_image", 100, ""),
    ("Same modality among the first 5, %", "modality@5", 100, ""),
    ("Same region among the first 5, %", "region@5", 100, ""),
)
"""Label, name in the manifest, factor, and chance where the manifest does not say it."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the table of figures, as text."""

    label: str
    models: str
    """Of the models, on the held-out pairs of their training data, with the 95% interval."""
    baseline: str
    chance: str
    archive: str
    """On the open archive."""


class ModelState(WhileShown):
    """What is known of the models in use, read between `show` and `hide`; and the folders to change between."""

    def __init__(
        self,
        background: Background,
        archive: ArchiveState,
        settings: SettingsState,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background, self._archive, self._settings = background, archive, settings
        self._asked: Path | None = None
        self.card = ""
        """The model card as Markdown."""
        self.found: ArchiveFigures | None = None
        """Measured on the open archive; None while that is not known, or it has too few pairs."""
        archive.changed.connect(self._on_archive)

    @property
    def bundle(self) -> Bundle | None:
        """The models that search and draft."""
        return self._archive.bundle

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Name and value of what the models are."""
        bundle = self.bundle
        if bundle is None:
            return [("Models", self._archive.bundle_failure or "Loading…")]
        content = bundle.manifest
        about = ", ".join(
            filter(None, (bundle.variant, f"{bundle.embedding_size} dimensions", str(content.get("created", ""))[:10]))
        )
        rows = [("Models", str(content["name"])), ("Made", about), ("Provider", bundle.runtime.describe())]
        if self._archive.outdated:
            rows.append(("Archive", "The archive is indexed with other models than the current ones. Re-index it."))
        return rows

    @property
    def figures(self) -> list[Figure]:
        """The table of figures; a figure that nobody measured is left out."""
        return figures(self.bundle.manifest if self.bundle else {}, self.found)

    @property
    def measured_on(self) -> str:
        """On what the figures were measured."""
        content = self.bundle.manifest if self.bundle else {}
        pool = (content.get("metrics") or {}).get("pool") or {}
        parts = []
        if pool:
            baseline = next((f"; baseline: {name}" for name in content.get("baselines") or {}), "")
            parts.append(f"Models: {pool['images']:,} held-out images with {pool['texts']:,} texts{baseline}")
        if (content.get("adapted") or {}).get("pairs"):
            parts.append("Models: taught; the page Teach says what that changed")
        if self.found is not None:
            parts.append(f"This archive: {counted(self.found.pairs, 'case')} with an image and a report")
        return ". ".join(parts) + "." if parts else ""

    @property
    def space(self) -> Space | None:
        """The picture of this archive; None for none."""
        return self.found.space if self.found else None

    # -- changing the models

    @property
    def folder(self) -> Path | None:
        """The folder of the current models."""
        return self._archive.current_bundle.folder if self._archive.current_bundle else None

    @property
    def starter(self) -> Path:
        """The folder of the models that ship with Kindred."""
        return resource_path("starter-bundle")

    @property
    def before(self) -> Path | None:
        """The folder of the models before the current ones, to change back to; None for none."""
        before = self._settings.now.models_before
        return Path(before) if before and Path(before) != self.folder else None

    def remembered(self) -> Path | None:
        """The folder that was chosen last, if it is still there; None for the starter models."""
        folder = self._settings.now.models
        return Path(folder) if folder and (Path(folder) / FILE_NAME).is_file() else None

    def use(self, folder: Path) -> None:
        """Change to the models of a folder; those in use stay if it cannot be loaded."""
        self._asked = folder
        self._archive.load_bundle(folder)

    def back(self) -> None:
        """Change back to the models before."""
        if self.before is not None:
            self.use(self.before)

    def _on_archive(self) -> None:
        current = self._archive.current_bundle
        if current is not None and current.folder == self._asked:
            before, self._asked = self._settings.now.models or str(self.starter), None
            if before != str(current.folder):
                self._settings.change(models=str(current.folder), models_before=before)
        self._read()

    def _read(self) -> None:
        bundle, archive = self._archive.bundle, self._archive.archive
        if self._shown and bundle is not None:
            work = as_work(_read, bundle, None if self._archive.importing else archive)
            self._background.start(work, self._take, key="models", lane=Lane.LONG)
        self.changed.emit()

    def _take(self, read: tuple[str, ArchiveFigures | None]) -> None:
        self.card, self.found = read
        self.changed.emit()


def _read(bundle: Bundle, archive: Archive | None) -> tuple[str, ArchiveFigures | None]:
    """The card, and the figures on an archive that these models have indexed."""
    card = bundle.folder / CARD
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    fits = archive is not None and archive.bundle_id == bundle.id
    return text, on_archive(archive, bundle) if archive is not None and fits else None


def figures(content: Mapping[str, Any], found: ArchiveFigures | None) -> list[Figure]:
    """The rows for the manifest of some models and what was measured on an archive."""
    metrics = content.get("metrics") or {}
    baseline: Mapping[str, Any] = next(iter((content.get("baselines") or {}).values()), {})
    own: dict[str, float] = {}
    if found is not None:
        own = {"gap_over_floor": found.gap - found.floor, "calibrated_other_share": found.other_share}
    rows = []
    for label, name, factor, chance in FIGURES:
        by_chance = (metrics.get("chance") or {}).get(name)
        cells = (
            _value(metrics.get(name), factor, interval=True),
            _value(baseline.get(name), factor),
            chance if by_chance is None else _value({"value": by_chance}, factor),
            _value({"value": own[name]}, factor) if name in own else "",
        )
        if cells[0] or cells[3]:
            rows.append(Figure(label, *cells))
    return rows


def _value(measured: Any, factor: int, interval: bool = False) -> str:
    if not isinstance(measured, Mapping) or "value" not in measured:
        return ""
    digits = 3 if factor == 1 else 1
    numbers = [f"{factor * float(measured[name]):.{digits}f}" for name in ("value", "low", "high") if name in measured]
    return f"{numbers[0]} ({numbers[1]} to {numbers[2]})" if interval and len(numbers) == 3 else numbers[0]
