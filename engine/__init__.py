"""DICOM reading, inference, archive, search and draft. Knows neither Qt nor torch."""

import os

# onnxruntime sends telemetry from its first import on. Python runs this file before any module that can import it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
