"""The ONNX models of a bundle: encoding, captioning, and checks of their results."""
