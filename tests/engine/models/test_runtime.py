import dataclasses

import pytest

from engine.errors import UserError
from engine.models import runtime


def test_the_provider_is_one_that_really_started() -> None:
    machine = runtime.detect()
    assert machine.provider in {runtime.CPU, runtime.CUDA}
    assert machine.package in {"onnxruntime", "onnxruntime-gpu"}
    assert machine.threads >= 1


def test_the_cpu_can_be_required() -> None:
    assert runtime.detect("cpu").provider == runtime.CPU


def test_two_conflicting_packages_are_refused_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "installed_packages", lambda: ["onnxruntime", "onnxruntime-gpu"])
    with pytest.raises(UserError, match="pip uninstall onnxruntime onnxruntime-gpu"):
        runtime.detect()


def test_one_package_is_installed_here() -> None:
    assert len(runtime.installed_packages()) == 1


def test_a_gpu_that_cannot_start_falls_back_to_the_cpu_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime.onnxruntime, "get_available_providers", lambda: [runtime.CUDA, runtime.CPU])
    monkeypatch.setattr(runtime, "_probe", lambda provider: runtime.CPU)
    runtime._detect.cache_clear()
    try:
        machine = runtime.detect()
        assert machine.provider == runtime.CPU
        assert "CUDA cannot start; install" in machine.describe()
        with pytest.raises(UserError, match="cannot start; install the driver"):
            runtime.detect("cuda")
        monkeypatch.setattr(runtime.sys, "frozen", True, raising=False)
        runtime._detect.cache_clear()
        assert "CUDA cannot start; install NVIDIA's driver to use the GPU." in runtime.detect().describe()
    finally:
        runtime._detect.cache_clear()


def test_the_description_for_doctor_names_provider_and_package() -> None:
    machine = runtime.Runtime(runtime.CPU, "onnxruntime", "1.32.0", 2)
    assert machine.describe() == "Models run on the CPU with 2 threads, onnxruntime 1.32.0."
    on_gpu = dataclasses.replace(machine, provider=runtime.CUDA)
    assert on_gpu.describe() == "Models run on the GPU (CUDA), onnxruntime 1.32.0."


def test_an_unknown_provider_is_refused() -> None:
    with pytest.raises(UserError, match="choose cpu or cuda"):
        runtime.detect("tpu")


def test_the_libraries_of_nvidia_are_loaded_before_a_gpu_is_tried(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[str] = []

    def preload() -> None:
        print("Failed to load libcublas.so.13")  # noqa: T201
        done.append("loaded")

    def probe(provider: str) -> str:
        done.append("tried")
        return provider

    monkeypatch.setattr(runtime.onnxruntime, "get_available_providers", lambda: [runtime.CUDA, runtime.CPU])
    monkeypatch.setattr(runtime.onnxruntime, "preload_dlls", preload)
    monkeypatch.setattr(runtime, "_probe", probe)
    runtime._detect.cache_clear()
    try:
        assert runtime.detect().provider == runtime.CUDA
        assert done == ["loaded", "tried"]
        assert capsys.readouterr().out == ""
        done.clear()
        runtime.detect("cpu")
        assert done == []
    finally:
        runtime._detect.cache_clear()
