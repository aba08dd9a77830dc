"""Turns a training checkpoint into an ONNX bundle and proves that both say the same."""

import engine  # noqa: F401 - turns off onnxruntime's telemetry before export.quantize imports onnxruntime
