"""The address of an archive: what is typed, kept and shown, without a password, and with TLS off this computer."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import UserError
from engine.store.address import Address, parse_address, place_of

NAMES = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=8).filter(lambda text: text != "/")


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("postgresql://anna@db.hospital.example/kindred", Address("db.hospital.example", 5432, "kindred", "anna")),
        ("postgres://DB.Hospital.example:6432/kindred", Address("db.hospital.example", 6432, "kindred", "")),
        ("POSTGRESQL://localhost/kindred", Address("localhost", 5432, "kindred", "")),
        ("postgresql://anna@[2001:db8::7]:6432/kindred", Address("2001:db8::7", 6432, "kindred", "anna")),
        ("postgresql://[::1]/kindred?sslmode=disable", Address("::1", 5432, "kindred", "", (("sslmode", "disable"),))),
        ("postgresql://a%40b@h/my%20archive", Address("h", 5432, "my archive", "a@b")),
        ("postgresql:///kindred?host=/run/Postgres", Address("/run/Postgres", 5432, "kindred", "")),
        ("postgresql://%2Frun%2FPostgres/kindred", Address("/run/Postgres", 5432, "kindred", "")),
        ("postgresql://anna@/kindred?host=/tmp/x&port=6432", Address("/tmp/x", 6432, "kindred", "anna")),
        (
            "postgresql://h/kindred?sslrootcert=/etc/our%20ca.pem&sslmode=verify-full",
            Address("h", 5432, "kindred", "", (("sslmode", "verify-full"), ("sslrootcert", "/etc/our ca.pem"))),
        ),
    ],
)
def test_an_address_is_read_and_shown_as_one_that_reads_the_same(typed: str, address: Address) -> None:
    assert parse_address(typed) == address
    assert parse_address(str(address)) == address


@given(NAMES, NAMES, st.sampled_from(["h", "10.0.0.7", "2001:db8::7", "/run/a b"]), st.integers(1, 65535))
def test_whatever_an_account_and_a_database_are_called_their_address_reads_the_same(
    user: str, database: str, host: str, port: int
) -> None:
    address = Address(host, port, database.strip("/") or "d", user)
    if "/" not in address.database:
        assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("postgresql://anna:geheim@h/kindred", "A password does not belong in an address"),
        ("postgresql://anna:@h/kindred", "A password does not belong in an address"),
        ("postgresql://h/kindred?password=geheim", "A password does not belong in an address"),
        ("postgresql:///kindred", "names no server"),
        ("postgresql://h", "names no database"),
        ("postgresql://h/a/b", "names no database"),
        ("postgresql://h:port/kindred", "cannot be read"),
        ("postgresql://h:0/kindred", "cannot be read"),
        ("postgresql://h:99999/kindred", "cannot be read"),
        ("postgresql://h/kindred?port=-1", "cannot be read"),
        ("postgresql://[2001:db8::7/kindred", "cannot be read"),
        ("postgresql://h%00/kindred", "cannot be read"),
        ("postgresql://h/kin%0Adred", "cannot be read"),
        ("postgresql://h/kindred?options=-c%20search_path=x", "an option that Kindred does not use: options"),
        ("postgresql://h/kindred?service=x", "an option that Kindred does not use: service"),
        ("postgresql://h/kindred?sslmode=require", "with a checked certificate only; leave out sslmode=require"),
        ("postgresql://localhost.evil.example/kindred?sslmode=disable", "with a checked certificate only"),
        ("postgresql://127.0.0.1,evil.example/kindred?sslmode=disable", "cannot be read"),
        ("postgresql:///kindred?host=/run/postgresql,evil.example", "cannot be read"),
        ("https://archive.example/kindred", "cannot be read"),
        ("postgresql://h/kindred?host=evil.example&sslmode=prefer", "with a checked certificate only"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence_without_the_password(typed: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as raised:
        parse_address(typed)
    assert "geheim" not in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1", "/run/postgresql"])
def test_on_this_computer_nothing_has_to_be_encrypted(host: str) -> None:
    assert Address(host, 5432, "d", "").is_local


@pytest.mark.parametrize("host", ["10.0.0.1", "0.0.0.0", "localhost.example", "db", "2001:db8::7", "127.0.0.1.example"])
def test_other_computers_are_not_taken_for_this_one(host: str) -> None:
    assert not Address(host, 5432, "d", "").is_local


def test_a_folder_is_no_address() -> None:
    for folder in ("archive", "C:\\archive", "/data/postgresql", "./postgresql:/x"):
        assert place_of(folder) == Path(folder)
