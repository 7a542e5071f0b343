"""A window that is read a column at a time, when asked: of an Arrow table just what a reading needs.

A million rows of thirty columns are half a gigabyte; one column of them is eight megabytes. Whoever looks at one column after the
other never holds more than that, and reading it is part of the work that two threads share.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.dataset as ds

MANY, THREADS = 100_000, 2
"""From so many rows on columns are worked on by so many threads."""

T = TypeVar("T")
Read = Callable[[str], pa.ChunkedArray]

BUFFERED = ds.ParquetFragmentScanOptions(use_buffered_stream=True, buffer_size=1 << 18, pre_buffer=False)
"""A column is decoded while it is read; by default every column's bytes would lie in memory first."""


class Columns:
    """Rows whose columns are read on demand; `filter` and `take` choose among them without reading any.

    Args:
        read: returns a whole column of shape (n,).
        kinds: the columns' names and types.
        rows: n.
        kept: the columns that are looked at more than once: read once, then remembered.
    """

    def __init__(self, read: Read, kinds: pa.Schema, rows: int, kept: Iterable[str] = ()) -> None:
        self.schema, self.column_names = kinds, kinds.names
        self._read, self._rows, self._kept = read, rows, frozenset(kept)
        self._known: dict[str, pa.ChunkedArray] = {}

    def __len__(self) -> int:
        return self._rows

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column, shape (n,)."""
        if name in self._known:
            return self._known[name]
        column = self._read(name)
        if name in self._kept:
            self._known[name] = column
        return column

    def filter(self, inside: pa.Array) -> "Columns":
        """Return the rows where `inside`, flags of shape (n,), is true."""
        rows = inside.true_count
        return Columns(lambda name: self.column(name).filter(inside), self.schema, rows)

    def take(self, places: pa.Array) -> "Columns":
        """Return the rows at these places, in their order."""
        return Columns(lambda name: self.column(name).take(places), self.schema, len(places))

    def remembering(self, names: Iterable[str]) -> "Columns":
        """Return the same rows; these columns are read once and then kept."""
        return Columns(self.column, self.schema, self._rows, names)


def columns_of(pieces: Sequence[Any], kinds: pa.Schema, rows: int) -> Columns:
    """Return the rows of these fragments of a Parquet dataset, one after the other.

    Args:
        pieces: `pyarrow.dataset.ParquetFileFragment`s, whole or some of their row groups.
        kinds: the dataset's schema; a column that one of the files does not have is missing there.
        rows: how many rows the pieces hold.
    """

    def read(name: str) -> pa.ChunkedArray:
        chunks = [chunk for piece in pieces for chunk in _column(piece, kinds, name).chunks]
        return pa.chunked_array(chunks, type=kinds.field(name).type)

    return Columns(read, kinds, rows)


def _column(piece: Any, kinds: pa.Schema, name: str) -> pa.ChunkedArray:
    found = piece.to_table(schema=kinds, columns=[name], use_threads=False, fragment_scan_options=BUFFERED)
    return found.column(0)


def side_by_side(do: Callable[[str], T], names: Iterable[str], *, parallel: bool) -> dict[str, T]:
    """Return what `do` makes of each name; two at a time where that pays: reading, sorting and counting let the other one work."""
    if not parallel:
        return {name: do(name) for name in names}
    names = list(names)
    with ThreadPoolExecutor(THREADS, "columns") as pool:
        return dict(zip(names, pool.map(do, names), strict=True))
