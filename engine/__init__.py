"""DICOM reading, inference, archive, search and drafts. Does not know Qt or torch."""

import os
import sys
from importlib.abc import MetaPathFinder
from typing import Any

# onnxruntime sends telemetry from its first import on. This file runs before any module that imports it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"


class _NoDownloads(MetaPathFinder):
    """Keeps pydicom from importing requests to download test files: it takes 50 ms, and nothing here does that."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        downloads = sys.modules.get("pydicom.data.download")
        if name == "requests" and downloads is not None and not hasattr(downloads, "HAVE_REQUESTS"):
            raise ModuleNotFoundError(name)


sys.meta_path.insert(0, _NoDownloads())
