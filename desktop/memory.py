"""Hands memory that was freed back to the system. Knows nothing of what it was used for.

The C library keeps freed blocks for the next request. After decoding a stack that is half as much again as the frames
themselves, since each frame went through temporary blocks of its size.
"""

import ctypes
import sys


def give_back() -> None:
    """Ask the C library to return free pages; does nothing where it offers no way (only glibc has malloc_trim)."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
