"""DICOM reading, inference, archive, search and drafts. Does not know Qt or torch."""

import os

# onnxruntime sends telemetry from its first import on. This file runs before any module that imports it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
