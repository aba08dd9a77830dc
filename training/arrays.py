"""Names for the array types that all of training uses. Knows no shapes: each docstring gives those of its arguments."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]
"""Any floating-point precision: what a metric accepts."""
Float32Array = NDArray[np.float32]
"""What networks return: embeddings and features, one row per image or text."""
Float64Array = NDArray[np.float64]
"""What a metric returns."""
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
IndexArray = NDArray[np.intp]
"""Row numbers of a split."""
