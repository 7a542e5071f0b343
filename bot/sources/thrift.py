"""Memory that goes back to the system as soon as a column is done with.

A window is read a column at a time, eight megabytes a million rows, each into new memory. Arrow's own allocator keeps what was
freed for later, and glibc learns from the first large block to keep large blocks too: a process that never holds more than 50 MB of
columns grows by 180. What is larger than a megabyte comes from the system alone here, and goes back to it at once.
"""

import ctypes
import sys
from contextlib import suppress
from functools import cache

import pyarrow as pa

M_MMAP_THRESHOLD = -3
LARGE = 1 << 20


@cache
def be_thrifty() -> None:
    """Let this process give large blocks back at once; where there is no glibc, Arrow's blocks only."""
    pa.set_memory_pool(pa.system_memory_pool())
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # musl has no such knob, and no such habit
            ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)
