"""Fixtures of the training room."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Tiny networks on several threads wait for each other longer than they compute, above all on a busy machine."""
    torch.set_num_threads(1)
