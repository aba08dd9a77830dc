"""Turns a training checkpoint into an ONNX bundle and proves that both say the same."""
