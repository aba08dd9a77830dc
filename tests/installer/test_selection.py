"""What an installer holds of the libraries: nothing that is GPL, that the app does not use, or that the system has."""

from pathlib import Path

import pytest

from installer.selection import EXCLUDED_MODULES, SAMPLES, nvidia_libraries, unwanted


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("PySide6/Qt/plugins/platforms/libqvnc.so", "/venv/PySide6/Qt/plugins/platforms/libqvnc.so"),
        ("PySide6/Qt/plugins/platformthemes/libqgtk3.so", "/venv/PySide6/Qt/plugins/platformthemes/libqgtk3.so"),
        ("PySide6/Qt/translations/qt_de.qm", "/venv/PySide6/Qt/translations/qt_de.qm"),
        ("libgnutls.so.30", "/usr/lib/x86_64-linux-gnu/libgnutls.so.30"),
        ("libz.so.1", "/lib/x86_64-linux-gnu/libz.so.1"),
        ("libreadline.so.8", "/lib/x86_64-linux-gnu/libreadline.so.8"),
        ("kindred_radiology-0.1.0.dist-info/direct_url.json", "/venv/direct_url.json"),
    ],
)
def test_these_stay_out(name: str, source: str) -> None:
    assert unwanted(name, source)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("PySide6/Qt/plugins/platforms/libqxcb.so", "/venv/PySide6/Qt/plugins/platforms/libqxcb.so"),
        ("PySide6/Qt/plugins/platforms/libqoffscreen.so", "/venv/PySide6/Qt/plugins/platforms/libqoffscreen.so"),
        ("PySide6/Qt/lib/libQt6Core.so.6", "/venv/PySide6/Qt/lib/libQt6Core.so.6"),
        ("libsqlite3.so.0", "/usr/lib/x86_64-linux-gnu/libsqlite3.so.0"),
        ("resources/starter-bundle/manifest.json", "/checkout/resources/starter-bundle/manifest.json"),
    ],
)
def test_these_are_packed(name: str, source: str) -> None:
    assert not unwanted(name, source)


def test_readline_is_left_out_since_it_is_gpl() -> None:
    assert "readline" in EXCLUDED_MODULES


def test_the_sample_study_of_the_first_steps_is_packed() -> None:
    from desktop.state.first_steps.sample import FALLBACK, STUDIES

    assert {STUDIES[0], FALLBACK} <= set(SAMPLES)


def test_the_files_of_the_self_test_are_packed() -> None:
    from engine.cli.self_test import LOSSY, PLAIN, SAME_PIXELS, STUDY

    assert {STUDY, PLAIN, *SAME_PIXELS.values(), *LOSSY.values()} <= set(SAMPLES)


def test_libraries_of_nvidia_are_packed_where_onnxruntime_looks_for_them(tmp_path: Path) -> None:
    folder = tmp_path / "nvidia/cu13/lib"
    folder.mkdir(parents=True)
    for name in ("libcublas.so.13", "libnvblas.so.13", "libcudart_static.a"):
        (folder / name).touch()
    assert nvidia_libraries([str(tmp_path)]) == [("nvidia/cu13/lib/libcublas.so.13", str(folder / "libcublas.so.13"))]
    assert nvidia_libraries([str(tmp_path / "nowhere")]) == []
