"""A window that is read a column at a time, when asked: of an Arrow table just what a reading needs.

A million rows of thirty columns are half a gigabyte; one column of them is eight megabytes. Whoever looks at one column after the
other never holds more than that, and reading it is part of the work that two threads share.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pyarrow as pa

MANY, THREADS = 100_000, 2
"""From so many rows on columns are worked on by so many threads."""

T = TypeVar("T")
Read = Callable[[str], pa.ChunkedArray]


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


def side_by_side(do: Callable[[str], T], names: Iterable[str], *, parallel: bool) -> dict[str, T]:
    """Return what `do` makes of each name; two at a time where that pays: reading, sorting and counting let the other one work."""
    if not parallel:
        return {name: do(name) for name in names}
    names = list(names)
    with ThreadPoolExecutor(THREADS, "columns") as pool:
        return dict(zip(names, pool.map(do, names), strict=True))
