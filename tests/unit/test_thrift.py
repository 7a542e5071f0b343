"""What one column took is there for the next: one heap, whichever thread reads."""

import subprocess
import sys

import pytest

READ = """
import ctypes, sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
import numpy as np, pyarrow as pa
{begin}
together = Barrier(3)

def read(_):
    together.wait()
    return float(np.ones(4_000).sum())

with ThreadPoolExecutor(3) as pool:
    list(pool.map(read, range(3)))
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
told = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, told)
libc.fclose(told)
print(open(sys.argv[1]).read().count("<heap nr="), pa.default_memory_pool().backend_name)
"""


@pytest.mark.parametrize(("begin", "thrifty"), [("from bot.thrift import be_thrifty; be_thrifty()", True), ("", False)])
def test_all_threads_take_from_one_heap_and_so_does_arrow(tmp_path, begin, thrifty):
    command = [sys.executable, "-c", READ.format(begin=begin), tmp_path / "heaps.xml"]
    heaps, pool = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    assert (int(heaps) <= 2) is thrifty  # Arrow begins a thread of its own before anybody can say something
    assert (pool == "system") is thrifty
