"""Creates ONNX sessions and finds the execution provider really in use. Does not know bundles, images or texts.

onnxruntime and onnxruntime-gpu install into the same folder: with both, the CPU build silently wins. And a GPU build
without CUDA libraries lists CUDA as available, fails to load it and falls back to the CPU. Therefore the provider is
read from a real session.
"""

import contextlib
import functools
import importlib.metadata
import io
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import build_and_package_info

from engine.errors import UserError

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
NAMES = {"cpu": CPU, "cuda": CUDA}

# y = Identity(x) on one float: the smallest model that shows whether a provider can start.
_PROBE = bytes.fromhex(
    "080812003a3b0a100a017812017922084964656e74697479120570726f62655a0f0a0178120a0a08080112040a020801620f0a0179120a0a0808"
    "0112040a02080142040a001012"
)


@dataclass(frozen=True, slots=True)
class Runtime:
    """The onnxruntime build and execution provider in use."""

    provider: str
    """The execution provider of a probe session."""
    package: str
    version: str
    threads: int
    """CPU threads per session."""
    note: str = ""
    """Why a faster provider is not in use and what to do about it; "" for nothing."""

    def describe(self) -> str:
        """One sentence for `kindred doctor`, and the note."""
        where = "the GPU (CUDA)" if self.provider == CUDA else f"the CPU with {self.threads} threads"
        return f"Models run on {where}, {self.package} {self.version}.{' ' + self.note if self.note else ''}"


def installed_packages() -> list[str]:
    """Which of the two onnxruntime distributions are installed."""
    found = []
    for name in ("onnxruntime", "onnxruntime-gpu"):
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        found.append(name)
    return found


def detect(wanted: str | None = None) -> Runtime:
    """Find a working provider: CUDA if it starts, else the CPU.

    Args:
        wanted: "cpu" or "cuda" to require one; None for the fastest.

    Raises:
        UserError: both onnxruntime packages are installed, or the wanted provider cannot start.
    """
    if wanted is not None and wanted not in NAMES:
        raise UserError(f"Unknown provider '{wanted}'; choose cpu or cuda.")
    packages = installed_packages()
    if len(packages) > 1:
        raise UserError(
            "onnxruntime and onnxruntime-gpu are both installed and conflict; run "
            "`pip uninstall onnxruntime onnxruntime-gpu` and then install one of them."
        )
    return _detect(wanted)


@functools.lru_cache(maxsize=8)
def _detect(wanted: str | None) -> Runtime:
    # A frozen app has no package metadata, so the name is read from the build.
    package, version = build_and_package_info.package_name, onnxruntime.__version__
    offered = CUDA in onnxruntime.get_available_providers()
    if offered and wanted != "cpu":
        _load_cuda()
    provider = _probe(CUDA) if offered and wanted != "cpu" else CPU
    if wanted == "cuda" and provider != CUDA:
        raise UserError("CUDA cannot start; install the driver and `onnxruntime-gpu[cuda,cudnn]`, or choose cpu.")
    note = ""
    if offered and wanted is None and provider != CUDA:
        carried = getattr(sys, "frozen", False)  # the GPU edition has the libraries, never the driver
        missing = "NVIDIA's driver" if carried else "the driver and `onnxruntime-gpu[cuda,cudnn]`"
        note = f"CUDA cannot start; install {missing} to use the GPU."
    return Runtime(provider, package, version, cpu_threads(), note)


def _load_cuda() -> None:
    """Load the CUDA and cuDNN libraries of NVIDIA's Python packages, which onnxruntime does not find by itself."""
    with contextlib.redirect_stdout(io.StringIO()):  # it prints what is missing, and stdout may be a JSON document
        onnxruntime.preload_dlls()


def _probe(provider: str) -> str:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # failure is an expected result here
    session = onnxruntime.InferenceSession(_PROBE, options, providers=[provider, CPU])
    return str(session.get_providers()[0])


@functools.lru_cache(maxsize=1)
def cpu_threads() -> int:
    """Number of physical cores available to this process: hyperthreads slow matrix products down."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    cores = set()
    for cpu in allowed:
        siblings = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        cores.add(siblings.read_text().strip() if siblings.is_file() else str(cpu))
    return max(1, len(cores))


class Model:
    """One ONNX graph whose session is created at first use. Threads may share it."""

    def __init__(self, path: Path, runtime: Runtime, many_shapes: bool = False) -> None:
        """Nothing is read yet.

        Args:
            path: the graph.
            runtime: where it runs.
            many_shapes: inputs seldom have the same shape twice; a plan of the memory for each shape, which
                onnxruntime makes and keeps otherwise, takes a third more memory and no less time.
        """
        self._many_shapes = many_shapes
        self._path = path
        self._runtime = runtime
        self._lock = threading.Lock()
        self._session: onnxruntime.InferenceSession | None = None

    @property
    def provider(self) -> str:
        """The provider in use; creates the session."""
        return str(self._ready().get_providers()[0])

    def run(self, outputs: Sequence[str], inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Run the graph: the named outputs for the named inputs.

        Raises:
            UserError: the graph does not fit these inputs, such as a token that its table of words does not have.
        """
        session = self._ready()
        try:
            return list(session.run(list(outputs), dict(inputs)))
        except Exception as error:  # as in _make
            raise UserError(
                f"{self._path} cannot be run with the other files of its bundle; export it again."
            ) from error

    def _ready(self) -> onnxruntime.InferenceSession:
        with self._lock:
            if self._session is None:
                self._session = self._make()
            return self._session

    def _make(self) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._runtime.threads
        options.enable_mem_pattern = not self._many_shapes
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        providers = [CUDA, CPU] if self._runtime.provider == CUDA else [CPU]
        try:
            return onnxruntime.InferenceSession(str(self._path), options, providers=providers)
        except Exception as error:  # onnxruntime raises its own classes, one per status code, without a common base
            raise UserError(f"{self._path} cannot be loaded ({error}); export the bundle again.") from error
