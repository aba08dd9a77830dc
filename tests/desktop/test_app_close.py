"""The process ends with its window, also when a worker does not end."""

import os
from types import SimpleNamespace

import pytest
from PySide6.QtWidgets import QApplication

from desktop import app, errors


@pytest.mark.parametrize(("ended", "left"), [(True, []), (False, [7])])
def test_the_app_ends_without_waiting_for_a_worker_that_hangs(
    ended: bool, left: list[int], monkeypatch: pytest.MonkeyPatch, qapp: QApplication
) -> None:
    exits: list[int] = []
    desk = SimpleNamespace(
        close=lambda: ended, begin=lambda *paths: None, messages=SimpleNamespace(show=lambda text: None)
    )
    window = SimpleNamespace(show=lambda: None)
    monkeypatch.setattr(app, "build", lambda user: SimpleNamespace(desk=desk, window=window))
    monkeypatch.setattr(app, "make_application", lambda: SimpleNamespace(exec=lambda: 7))
    monkeypatch.setattr(errors, "install", lambda show: None)
    monkeypatch.setattr(os, "_exit", exits.append)
    assert app.main([]) == 7
    assert exits == left
