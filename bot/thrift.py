"""One heap for the whole process: memory that one column leaves to the next.

A window is read a column at a time, eight megabytes a million rows. Arrow's own allocator keeps what was freed for itself, and
glibc keeps it for the thread that freed it: a process that never holds more than 50 MB of columns grows by 180. From one heap for
all of them it grows by a hundred less, at the same speed. Giving each block back to the system at once would save as much again and
take half as long again: the system hands memory out a clean page at a time.
"""

import ctypes
import sys
from contextlib import suppress

import pyarrow as pa

M_ARENA_MAX = -8


def be_thrifty() -> None:
    """Let Arrow, numpy and all threads of this process share one heap; begin with it, because threads that have theirs keep it."""
    pa.set_memory_pool(pa.system_memory_pool())
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # musl has no such knob, and one heap anyway
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
