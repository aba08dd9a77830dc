"""Nothing is ever sent to a PACS: the code does not name what could send, change or delete an object there."""

import ast
from pathlib import Path

import pytest

from tests.paths import ROOT

SENDS = {
    *("send_c_store", "send_n_create", "send_n_set", "send_n_action", "send_n_delete", "send_n_event_report"),
    *("store_instances", "delete_study", "delete_series", "delete_instance", "stow_url_prefix", "delete_url_prefix"),
    *("_http_post", "_http_delete", "post", "patch", "C_STORE", "StorageCommitmentPushModel"),
}
"""Of pynetdicom, dicomweb-client and requests."""
FILES = [*(ROOT / "engine/pacs").rglob("*.py"), *(ROOT / "engine/cli/pacs").rglob("*.py")]
FILES += [*(ROOT / "desktop").rglob("*pacs*/*.py"), *(ROOT / "desktop").rglob("*pacs*.py")]


def names(path: Path) -> set[str]:
    """Every name that a file imports, calls or mentions, without its docstrings and messages."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            found |= {alias.name.rsplit(".", 1)[-1] for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            found.add(node.value)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_service_that_sends_is_named(path: Path) -> None:
    found = names(path) & SENDS
    assert found == set()


def test_the_names_of_such_services_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "sending.py").write_text("association.send_c_store(dataset)\ngetattr(client, 'store_instances')([])\n")
    assert {"send_c_store", "store_instances"} <= names(tmp_path / "sending.py")


def test_of_storage_this_workstation_is_only_the_provider() -> None:
    text = (ROOT / "engine/pacs/dimse/storage.py").read_text()
    assert "scp_role=True" in text
    assert "scu_role" not in text
