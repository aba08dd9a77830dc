"""Each kind of change by hand is found or not, as the documents say; more of it: benchmarks.audit."""

import random
from pathlib import Path

import pytest

from benchmarks import audit
from benchmarks._audit_changes import KINDS, Kind

PAIRS = [(kind, of) for kind in KINDS for of in audit.DATABASES if getattr(kind, of) is not None]


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("templates")
    audit.fill_archive(folder / "archive")
    audit.fill_workspace(folder / "workspace")
    return folder


@pytest.mark.parametrize(("kind", "of"), PAIRS, ids=[f"{of}: {kind.name}" for kind, of in PAIRS])
def test_what_is_changed_without_the_key_is_found(
    kind: Kind, of: str, templates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINDRED_HOME", "")  # which the change sets to that of its copy
    row = audit.Row(kind.name)
    audit.changed(kind, of, templates, tmp_path, random.Random(1), row)
    assert row.found or kind.name in audit.NOT_FOUND


@pytest.mark.parametrize("name", audit.USES)
@pytest.mark.parametrize("of", audit.DATABASES)
def test_what_kindred_itself_does_is_not_blamed(
    of: str, name: str, templates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINDRED_HOME", "")
    folder = audit.copied(of, templates, tmp_path)
    audit.verify(of, folder)
    audit.USES[name](of, folder)
    assert audit.verify(of, folder) == (False, False)
