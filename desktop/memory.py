"""Returns freed memory to the operating system. Does not know what the memory was used for.

The C library keeps freed blocks for later requests. After a stack is decoded, these take half as much again as the
frames themselves, because each frame passed through temporary blocks of its size.
"""

import ctypes
import sys


def release_memory() -> None:
    """Ask the C library to return free pages; does nothing unless it has malloc_trim, which only glibc does."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
