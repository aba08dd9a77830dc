"""pydicom's warnings: collected in the reading thread, with other warnings left alone."""

import logging
import threading
import warnings

import pytest
from pydicom.config import WARN
from pydicom.valuerep import validate_value

from engine.dicom.parser_warnings import collect_warnings


def complain(value: str) -> None:
    """Make pydicom warn about a value that is no UID."""
    validate_value("UI", value, WARN)


def test_warnings_of_pydicom_are_collected_and_not_shown() -> None:
    with collect_warnings() as collected:
        complain("odd value")
    (message,) = collected
    assert message.startswith("Invalid value for VR UI: 'odd value'")


def test_a_nested_block_collects_its_own_warnings() -> None:
    with collect_warnings() as outer:
        with collect_warnings() as inner:
            complain("inner")
        complain("outer")
    assert [len(outer), len(inner)] == [1, 1]
    assert "'outer'" in outer[0]
    assert "'inner'" in inner[0]


def test_after_the_block_warnings_are_what_they_were() -> None:
    filters = warnings.filters[:]
    with collect_warnings():
        pass
    assert warnings.filters == filters
    with pytest.raises(UserWarning, match="odd value"):
        complain("odd value")


def test_other_code_still_warns_within_the_block() -> None:
    with collect_warnings(), pytest.raises(DeprecationWarning, match="ours"):
        warnings.warn("ours", DeprecationWarning, stacklevel=1)


def test_values_of_a_file_do_not_reach_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with collect_warnings():
        complain("Doe^Jane")
    assert caplog.records == []
    assert logging.getLogger("pydicom").propagate


def test_readers_in_many_threads_get_their_own_warnings_and_restore_the_filters() -> None:
    filters = warnings.filters[:]
    found: dict[int, list[str]] = {}
    started = threading.Barrier(8)

    def read(number: int) -> None:
        started.wait()
        for _ in range(50):
            with collect_warnings() as collected:
                complain(f"note {number}")
            found.setdefault(number, []).extend(message.split("'")[1] for message in collected)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: [f"note {number}"] * 50 for number in range(8)}
    assert warnings.filters == filters
