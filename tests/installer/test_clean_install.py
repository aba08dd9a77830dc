"""The clean installation finds what a package leaves behind; `.ci/run` does it whole."""

from pathlib import Path

from installer.clean_install import files_in, names


def test_of_alternatives_the_older_debian_has_the_last() -> None:
    assert names("libc6 (>= 2.35), libglib2.0-0t64 | libglib2.0-0") == ["libc6", "libglib2.0-0"]


def test_what_is_left_or_changed_is_seen_and_records_of_dpkg_are_not(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    before = files_in(tmp_path)
    (tmp_path / "var/lib/dpkg/status").write_text("Package: kindred")
    assert files_in(tmp_path) == before
    (tmp_path / "etc/kindred.conf").write_text("left")
    assert files_in(tmp_path).keys() - before.keys() == {"etc/kindred.conf"}
