"""Exports training checkpoints as an ONNX bundle and checks that both give the same results."""

import engine  # noqa: F401 - turns off onnxruntime's telemetry before export.quantize imports onnxruntime
