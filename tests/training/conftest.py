"""Fixtures of the tests of training."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Tiny networks on several threads spend more time waiting than computing, above all on a busy machine."""
    torch.set_num_threads(1)
