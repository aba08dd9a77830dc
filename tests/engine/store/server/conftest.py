"""Fixtures of the tests of an archive on a server: an empty one, and accounts with its three roles."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from engine.store.address import Address
from tools.department_server import DepartmentServer

ROLES = ("reader", "writer", "administrator")


@pytest.fixture
def address(server: DepartmentServer, template: str) -> Iterator[Address]:
    """An archive that is bound to the word encoder, as its owner, who is a superuser, opens it."""
    made = server.empty_database(template)
    yield made
    server.drop(made)


@pytest.fixture
def place(server: DepartmentServer) -> Iterator[Address]:
    """An empty database."""
    made = server.empty_database()
    yield made
    server.drop(made)


@pytest.fixture
def account(server: DepartmentServer, address: Address) -> Iterator[Callable[[str], Address]]:
    """account(role): the archive as a new account opens it that has this role; "" for none."""
    made: list[str] = []

    def make(role: str) -> Address:
        name = f"{role or 'nobody'}_{uuid4().hex[:8]}"
        server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'geheim'")
        made.append(name)
        if role:
            server.execute(f"GRANT kindred_{role} TO {name}")
        return replace(address, user=name)

    yield make
    for name in made:
        server.execute(f"DROP ROLE {name}")
