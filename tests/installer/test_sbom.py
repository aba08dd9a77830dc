"""The bill of materials names every part with its licence, and nothing under the GPL is packed."""

import importlib.metadata
import json
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from installer import freeze
from installer.components import Component, components
from installer.licensing import LIBRARIES, is_allowed, licence_of
from installer.release import Release
from installer.sbom import require_allowed, write_licences, write_sbom

RELEASE = Release("1.2.3", "cpu", "abc", 1_700_000_000)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def needed_by(name: str, extras: set[str]) -> set[str]:
    """Every package that one needs at run time, itself included."""
    found, waiting = set(), [(normal(name), frozenset(extras))]
    while waiting:
        package, wanted = waiting.pop()
        found.add(package)
        for text in importlib.metadata.requires(package) or ():
            one = Requirement(text)
            applies = one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in wanted or {""})
            if applies and normal(one.name) not in found:
                waiting.append((normal(one.name), frozenset(one.extras)))
    return found


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("LGPL-3.0-only", True),
        ("MPL-2.0 AND MIT", True),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", True),
        ("GPL-2.0-or-later WITH Bootloader-exception", True),
        ("LGPL-3.0-only OR GPL-2.0-only", True),
        ("GPL-3.0-only", False),
        ("AGPL-3.0-or-later", False),
        ("MIT AND GPL-2.0-only", False),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
    ],
)
def test_only_exceptions_made_for_it_let_gpl_code_in(licence: str, allowed: bool) -> None:
    assert is_allowed(licence) is allowed


def test_no_package_that_kindred_needs_at_run_time_is_gpl() -> None:
    packages = needed_by("kindred-radiology", {"cpu"}) - {"kindred-radiology"}
    assert len(packages) > 20
    licences = {
        name: licence_of(importlib.metadata.distribution(name)) for name in packages if name != "onnxruntime-gpu"
    }
    assert {name: one for name, one in licences.items() if not is_allowed(one)} == {}


def test_no_library_inside_of_a_package_is_gpl() -> None:
    assert [one.name for one in LIBRARIES if not is_allowed(one.licence)] == []


def test_gpl_code_stops_the_build() -> None:
    with pytest.raises(PermissionError, match="readline"):
        require_allowed([Component("numpy", "2", "BSD-3-Clause"), Component("readline", "8", "GPL-3.0-or-later")])


def test_a_library_of_unknown_origin_stops_the_build() -> None:
    with pytest.raises(LookupError, match=r"libreadline\.so\.8"):
        components([("libreadline.so.8", "/usr/lib/libreadline.so.8")], RELEASE)


@pytest.fixture
def parts() -> list[Component]:
    import numpy
    import onnxruntime

    sources = [("numpy/__init__.py", numpy.__file__), ("onnxruntime/__init__.py", onnxruntime.__file__)]
    blas = next((Path(numpy.__file__).parent.parent / "numpy.libs").glob("libscipy_openblas*"), None)
    return components([*sources, *([(blas.name, str(blas))] if blas else [])], RELEASE)


def test_the_file_names_packages_libraries_models_and_data(parts: list[Component], tmp_path: Path) -> None:
    content = json.loads(write_sbom(parts, tmp_path, RELEASE).read_text())
    assert content["bomFormat"] == "CycloneDX"
    assert content["metadata"]["component"]["name"] == "Kindred"
    by_name = {one["name"]: one for one in content["components"]}
    assert by_name["numpy"]["purl"].startswith("pkg:pypi/numpy@")
    assert by_name["Kindred starter bundle"]["type"] == "machine-learning-model"
    assert {"Python", "onnxruntime", "Kindred sample archive"} <= by_name.keys()
    assert all(one["licenses"] for one in by_name.values())


def test_the_same_parts_give_the_same_file(parts: list[Component], tmp_path: Path) -> None:
    first = write_sbom(parts, tmp_path, RELEASE).read_bytes()
    assert write_sbom(parts, tmp_path, RELEASE).read_bytes() == first


def test_the_texts_of_the_licences_are_packed(parts: list[Component], tmp_path: Path) -> None:
    folder = write_licences(parts, tmp_path, RELEASE)
    assert "Lesser General Public License" in (folder / "QT-NOTICE.txt").read_text()
    assert any(path.name == "ThirdPartyNotices.txt" for path in folder.glob("onnxruntime-*/*"))
    assert any(folder.glob("numpy-*/LICENSE*"))
    assert "starter bundle" in (folder / "LIST.txt").read_text()
    assert not (folder / "NVIDIA-NOTICE.txt").exists()
    gpu = Release("1.2.3", "gpu", "abc", 0)
    assert (write_licences(parts, tmp_path, gpu) / "NVIDIA-NOTICE.txt").exists()


def test_the_list_of_origins_is_that_of_this_recipe(tmp_path: Path) -> None:
    work = tmp_path / freeze.SPEC.stem  # as PyInstaller calls it
    work.mkdir()
    (work / "sources.json").write_text('[["numpy", "/venv/numpy/__init__.py"]]')
    assert freeze.SPEC.is_file()
    assert freeze.origins(tmp_path) == [("numpy", "/venv/numpy/__init__.py")]
