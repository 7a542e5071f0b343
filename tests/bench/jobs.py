"""What is measured, each job in a process of its own: `python -m tests.bench.jobs JOB FOLDER ROUNDS` prints one line of JSON.

The process is warm (everything imported, one small round done) before the clock runs; its peak memory is the whole process's, imports
included. CPU is user + system, so that threads cannot hide work.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
from scipy import stats

from bot import checks
from bot.app import registries
from bot.core.checks import Check
from bot.core.findings import judge
from bot.core.readings import Reading
from bot.core.registry import discover
from bot.sources.compare import compare_tables
from bot.sources.files import FileSource
from bot.store.codec import dumps, loads, pack, unpack
from tests.bench import columns

ROUNDS_S = 0.0
FOUND = discover(checks, Check)


def read(folder: Path) -> object:
    """The limit: pyarrow reads the window's columns."""
    return pq.read_table(folder / "current.parquet")


def kept(folder: Path) -> Reading:
    """Return the reference as it is stored; made and kept by the job `reference`."""
    return loads(Reading, (folder / "reference.json").read_text(), unpack((folder / "reference.npz").read_bytes()))


def reference(folder: Path) -> None:
    """The reference is profiled and written as the store keeps it."""
    arrays: dict = {}
    made = FileSource(folder / "reference.parquet").reading(columns.a_model(), columns.WINDOW)
    (folder / "reference.json").write_text(dumps(made, arrays))
    (folder / "reference.npz").write_bytes(pack(arrays))


def window(folder: Path, like: Reading) -> Reading:
    """The window is profiled at the reference's cut points."""
    return FileSource(folder / "current.parquet").reading(columns.a_model(), columns.WINDOW, like.columns)
