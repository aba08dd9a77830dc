"""Fixtures: an archive with all that a folder can hold, passphrases that are stretched less, no key in memory."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.archive import Archive
from engine.store.encryption import key_file, unlocked
from engine.store.folder.sources import SourceLinks

PASSPHRASE = "correct horse battery"
OTHER = "another horse entirely"


@pytest.fixture(autouse=True)
def quick_and_locked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stretching takes a millisecond here, and no test has the keys of another one."""
    monkeypatch.setattr(key_file, "COST", 1 << 10)
    monkeypatch.delenv(unlocked.VARIABLE, raising=False)
    forget_keys()
    yield
    forget_keys()


def forget_keys() -> None:
    """As a new process begins."""
    unlocked._keys.clear()
    unlocked._forms.clear()
    unlocked._ask.clear()


@pytest.fixture
def folder(archive: Archive, make_case: Callable[..., object], encoder: object) -> Path:
    """A closed archive of twelve cases with its derived files and local paths."""
    fill(archive, make_case, encoder)
    return archive.folder


def fill(archive: Archive, make_case: Callable[..., object], encoder: object) -> None:
    """Twelve cases with reports and images, a vector index, a score scale and local paths; then close."""
    links = SourceLinks(archive.folder)
    for number in range(12):
        text = f"Zwiebelschale number {number}, left effusion." if number % 2 else "No pneumothorax."
        case_id = archive.add_case(make_case(str(number), text, [number]), encoder.id)  # type: ignore[arg-type, attr-defined]
        links.remember(case_id, f"/media/Quastenflosser/{number}.dcm")
    links.close()
    archive.index.refresh(save=True)
    archive.score_scale.current(encoder.score_scale, encoder.id)  # type: ignore[attr-defined]
    archive.close()
