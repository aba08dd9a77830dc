"""Templates and macros of the report on screen, and the Tab key that expands and fills them. Knows no widgets."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, as_work
from desktop.state.report.checking import CheckingState
from desktop.state.report.inserting import InsertingState
from desktop.state.report.report import ReportState
from desktop.state.settings import SettingsState
from desktop.state.studies.studies import StudiesState
from engine.facts.fact import value_of
from engine.reports.change import Span
from engine.reports.document import Document
from engine.reports.links import Link
from engine.reports.templates import library
from engine.reports.templates.notation import parts_of
from engine.reports.templates.template import Template, with_parts, with_template

SEXES = {"M": "male", "F": "female"}
EXAMINATIONS = {"CR": "Radiograph", "US": "Ultrasound", "MG": "Mammography", "XA": "Angiography", "NM": "Scintigraphy"}


class WritingState(QObject):
    """The library of templates, the one that suits the selected study, and what Tab does."""

    changed = Signal()
    """Another template suits, or the library has changed."""

    def __init__(
        self,
        background: Background,
        report: ReportState,
        checking: CheckingState,
        inserting: InsertingState,
        studies: StudiesState,
        settings: SettingsState,
        folder: Path | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background, self._report, self._checking = background, report, checking
        self._inserting, self._studies, self._settings, self._folder = inserting, studies, settings, folder
        self.templates: tuple[Template, ...] = ()
        """Own ones first."""
        studies.selected.connect(self.changed)

    # -- library

    def load(self) -> None:
        """Read the library in the background."""
        self._background.start(as_work(library.templates, self._folder), self._take, key="templates", lane=Lane.STORE)

    def save(self, template: Template) -> None:
        """Keep an own template."""
        self._change(partial(library.save, template, self._folder))

    def delete(self, name: str) -> None:
        """Delete an own template."""
        self._change(partial(library.delete, name, self._folder))

    def import_file(self, path: Path) -> None:
        """Add a template in HTML (MRRT) to the own ones."""
        self._change(partial(library.import_template, path, self._folder))

    def _change(self, work: Callable[[], object]) -> None:
        self._background.start(as_work(work), lambda _: self.load(), lane=Lane.STORE)

    def _take(self, templates: tuple[Template, ...]) -> None:
        self.templates = templates
        self.changed.emit()

    # -- templates

    @property
    def suggested(self) -> Template | None:
        """The template for the selected study, by its modality and region."""
        facts = self._checking.known.facts
        return library.best(self.templates, value_of(facts, "modality"), value_of(facts, "region"))

    def by_fit(self) -> list[Template]:
        """Every template, those for the modality of the selected study first."""
        modality = value_of(self._checking.known.facts, "modality")
        return sorted(self.templates, key=lambda one: (one is not self.suggested, one.modality not in (modality, "")))

    def can_insert(self) -> bool:
        """Whether there is a template, and a report that can be changed."""
        page = self._report.page
        return page is not None and not page.closed and bool(self.templates)

    def insert(self, template: Template) -> None:
        """Put a template below the text, filled as far as is known, and go to its first empty field."""
        page = self._report.page
        if page is None or page.closed:
            return
        start = len(page.text) if page.text.strip() else 0
        document = with_template(page.document, template, self._values())
        field = next((one for one in document.links if _named(one, "measurements") and one.start >= start), None)
        if field is not None and field.is_empty(document.text):
            document = self._inserting.with_measurements(document, field.start)
        self._report.change(document)
        self._go(start - 1, only_empty=True)

    def _values(self) -> Mapping[str, str]:
        """What is known of the study, by the lower-case names of fields."""
        study, known = self._studies.study, self._checking.known
        if study is None:
            return {}
        modality, region = value_of(known.facts, "modality"), value_of(known.facts, "region")
        contrast = value_of(known.facts, "contrast")
        technique = EXAMINATIONS.get(modality, modality) + (f" of the {region}" if region else "")
        technique += f", {contrast} contrast." if contrast else "."
        priors = self._inserting.prior_dates()
        found = {
            "side": known.side,
            "laterality": known.side,
            "region": region,
            "modality": modality,
            "contrast": f"{contrast} contrast" if contrast else "",
            "technique": technique if modality else "",
            "comparison": priors[0] if priors else "None." if known.prior is False else "",
            "sex": SEXES.get(study.patient.sex, ""),
            "age": "" if study.patient.age is None else str(study.patient.age),
        }
        return {name: value for name, value in found.items() if value}

    # -- Tab

    def tab(self, position: int, *, back: bool = False, selected: bool = False) -> bool:
        """What Tab does in the text: expand a macro, begin with the template, or go to the next field.

        Args:
            position: characters before the cursor.
            back: whether Shift is held.
            selected: whether words are selected.

        Returns:
            whether it did something; otherwise the keyboard moves on.
        """
        page = self._report.page
        if page is None or page.closed:
            return False
        if not back and not selected and self._expand(page.document, position):
            return True
        if not page.text.strip():
            template = self.suggested
            if back or template is None:
                return False
            self.insert(template)
            return True
        return self._go(position, back=back)

    def choices(self, position: int) -> tuple[Link, int] | None:
        """The field with choices at a position, and its number among the links; None for none."""
        page = self._report.page
        links = () if page is None or page.closed else page.document.links
        found = (
            (link, number)
            for number, link in enumerate(links)
            if link.kind == "field" and link.choices and link.start <= position <= link.end
        )
        return next(found, None)

    def choose(self, number: int, value: str) -> None:
        """Fill a field with one of its choices."""
        page = self._report.page
        if page is None or page.closed or number >= len(page.document.links):
            return
        field = page.document.links[number]
        self._report.change(page.document.edited(page.text[: field.start] + value + page.text[field.end :]))
        self._report.editing.emit(field.start + len(value), field.start + len(value))

    def _expand(self, document: Document, position: int) -> bool:
        """Expand the macro whose word ends at a position."""
        before = document.text[:position]
        word = before.split()[-1] if before and not before[-1].isspace() else ""
        text = self._settings.now.macros.get(word, "")
        if not text:
            return False
        start = position - len(word)
        document = document.edited(before[:start] + document.text[position:])
        parts = parts_of(text)
        made = with_parts(document, start, parts, self._values())
        self._report.change(made)
        end = start + len(made.text) - len(document.text)
        if any(not isinstance(part, str) for part in parts):
            self._go(start - 1, only_empty=True, before=end)
        else:
            self._report.editing.emit(end, end)
        return True

    def _go(self, position: int, *, back: bool = False, only_empty: bool = False, before: int | None = None) -> bool:
        """Select the next field after a position, or the one before it."""
        page = self._report.page
        assert page is not None
        fields = [link for link in page.document.links if link.kind == "field"]
        if only_empty:
            fields = [link for link in fields if link.is_empty(page.text)] or fields
        if back:
            spans: list[Span] = [(one.start, one.end) for one in reversed(fields) if one.end < position]
        else:
            spans = [(one.start, one.end) for one in fields if one.start > position]
        if not spans or (before is not None and spans[0][0] > before):
            return False
        self._report.editing.emit(*spans[0])
        return True


def _named(link: Link, name: str) -> bool:
    return link.kind == "field" and link.target.lower() == name
