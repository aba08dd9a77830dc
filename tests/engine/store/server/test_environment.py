"""Nothing in the environment sends an archive to another server than its address names."""

import pytest

from engine.archive import Archive
from engine.errors import UserError
from engine.store.address import Address


@pytest.mark.parametrize("name", ["PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE"])
def test_a_variable_that_names_another_server_is_refused(
    address: Address, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as changed:
        changed.setenv(name, "203.0.113.1")
        with pytest.raises(UserError, match=f"{name} would send the archive elsewhere; unset it"):
            Archive.open(address)
