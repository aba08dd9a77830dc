"""Who may import whom beyond what import-linter can say, and how large a wing or a file may be."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from tests.paths import ROOT

ENGINE_FOR_TRAINING = {
    *("engine.errors", "engine.facts", "engine.preprocess", "engine.tokenizer", "engine.text.sentences"),
    "engine.facts",
    *("engine.models.captioner", "engine.models.copy_guard", "engine.models.familiarity", "engine.models.manifest"),
    *("engine.models.heads", "engine.models.bundle_folder", "engine.store.safety.whole_file"),
}
"""One preprocessing, tokenizer, beam search, copy guard, form of the projections and meaning of facts."""
ENGINE_FOR_BUNDLES = {"engine.bundle", "engine.models.runtime"}
"""Only for what makes, measures or starts from a finished bundle."""
OF_BUNDLES = {
    *("training/metrics/embedders.py", "export/add_facts.py", "export/add_texts.py", "export/build.py"),
    *("export/parity.py", "export/remeasure.py", "export/variants.py", "training/networks/bundle_towers.py"),
}
PURE_ENGINE = {
    "engine.facts.fact",
    "engine.dicom.documents.presentation_state",
    *("engine.errors", "engine.study", "engine.geometry", "engine.measure", "engine.reports.draft"),
    *("engine.reports.agreement", "engine.reports.change", "engine.reports.nearest_report"),
    "engine.reports.stored_report",
    *("engine.reports.checks.check", "engine.reports.document"),
    *("engine.reports.templates.template", "engine.reports.templates.notation"),
    *("engine.image.color_maps", "engine.image.marks", "engine.image.overlays", "engine.image.shutters"),
    *("engine.image.voi", "engine.text.words", "engine.retrieval.space", "engine.retrieval.strength"),
    *("engine.retrieval.case_text", "engine.retrieval.hit", "engine.pacs.address"),
}
"""Values and pure functions that a view may show; whatever reads files, databases or models goes through a state."""


SQL = re.compile(r"(SELECT\s.+\sFROM|INSERT\s.*INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+\w+|PRAGMA)\s", re.DOTALL)
WITH_DATABASE = {
    "engine/archive.py",
    "engine/reports/workspace.py",
    "engine/reports/workspace_audit.py",
    "engine/reports/workspace_patients.py",
    "engine/reports/workspace_schema.py",
}
"""Besides engine/store: the archive and the workspace, which has a database of its own."""


def files(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, also inside functions: `from a import b` counts as a.b where b is a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = ROOT / node.module.replace(".", "/") / alias.name
                is_module = inner.is_dir() or inner.with_suffix(".py").is_file()
                yield f"{node.module}.{alias.name}" if is_module else node.module


def within(module: str, allowed: set[str]) -> bool:
    return any(module == name or module.startswith(name + ".") for name in allowed)


def offences(path: Path, allowed: set[str]) -> list[str]:
    return [name for name in imports(path) if name.startswith("engine.") and not within(name, allowed)]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", files("training") + files("export"), ids=relative)
def test_training_and_export_share_only_what_serving_must_share_with_them(path: Path) -> None:
    allowed = ENGINE_FOR_TRAINING | (ENGINE_FOR_BUNDLES if relative(path) in OF_BUNDLES else set())
    assert offences(path, allowed) == []


@pytest.mark.parametrize("path", files("desktop/state"), ids=relative)
def test_state_knows_no_widget(path: Path) -> None:
    assert [name for name in imports(path) if within(name, {"PySide6.QtWidgets", "desktop.views"})] == []


@pytest.mark.parametrize("path", files("desktop/views"), ids=relative)
def test_views_read_no_file_no_database_and_no_model(path: Path) -> None:
    assert offences(path, PURE_ENGINE) == []


def test_a_command_line_module_is_never_imported_by_its_own_room() -> None:
    found = [
        relative(path)
        for room in ("training", "export")
        for path in files(room)
        if any(name.endswith(".__main__") for name in imports(path))
    ]
    assert found == []


@pytest.mark.parametrize("room", ["engine", "desktop", "training", "export", "benchmarks"])
def test_only_the_archive_and_its_store_know_sql(room: str) -> None:
    def has_sql(path: Path) -> bool:
        return any(
            isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value)
            for node in ast.walk(ast.parse(path.read_text()))
        )

    found = {relative(path) for path in files(room) if has_sql(path)}
    other = {
        *("benchmarks/_vector_baselines.py", "benchmarks/_table_sizes.py"),  # what the archive is measured by
        "benchmarks/_department_archive.py",  # many rows at once
        *("benchmarks/_audit_changes.py", "benchmarks/audit.py"),  # changes by hand, which an audit shall find
    }
    assert {name for name in found if not name.startswith("engine/store/")} - other <= WITH_DATABASE
    assert room != "engine" or found > WITH_DATABASE  # the pattern finds SQL where it is


def test_nothing_reaches_around_the_archive_to_its_database() -> None:
    asked = [
        relative(path)
        for room in ("engine", "desktop", "training", "export", "benchmarks")
        for path in files(room)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr == "_database"
        and not (isinstance(node.value, ast.Name) and node.value.id == "self")
    ]
    assert asked == []


def test_the_engine_has_few_rooms_and_no_wing_is_crowded() -> None:
    rooms = [path for path in (ROOT / "engine").iterdir() if (path / "__init__.py").is_file() or path.suffix == ".py"]
    assert len(rooms) - 1 <= 23  # __init__.py is none; the 23rd is pacs: the one wing that connects to others
    modules = [path for room in ("engine", "desktop", "training", "export") for path in files(room)]
    wings = {path.parent for path in modules}
    crowded = [relative(wing) for wing in wings if len([*wing.glob("*.py")]) - 1 > 18]
    assert crowded == []
    assert median(len(path.read_text().splitlines()) for path in modules if path.name != "__init__.py") <= 150
