"""The ONNX models of a bundle and what is known about their answers."""
