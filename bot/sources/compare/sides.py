"""One of the two files, read a column at a time: memory holds two columns, not two tables."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow import csv

from bot.core.errors import SourceUnavailable
from bot.sources.files import opened, table_of
from bot.sources.parquet import column_of_pieces, pieces_of

SLICE = 1_000_000


class Side:
    """The columns of a table that lies in memory."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self.rows = len(table)
        self.schema: pa.Schema = table.schema

    @property
    def names(self) -> list[str]:
        """Every name once, in the file's order."""
        return list(dict.fromkeys(self.schema.names))

    def type(self, name: str) -> pa.DataType:
        """Return the type of a column; of a doubled name the first."""
        return self.schema.types[self.schema.names.index(name)]

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a whole column."""
        return self._table.column(self.schema.names.index(name))

    def slices(self, name: str) -> Iterator[pa.ChunkedArray]:
        """Yield a column in parts of about a million rows."""
        whole = self.column(name)
        yield from (whole.slice(first, SLICE) for first in range(0, max(len(whole), 1), SLICE))


class ParquetSide(Side):
    """The columns of Parquet files, each read when it is asked for."""

    def __init__(self, path: Path, data: ds.Dataset) -> None:
        self._path, self._data, self.schema = path, data, data.schema
        self._pieces = _tried(path, lambda: [*chain(*pieces_of(data, None, data.schema, sys.maxsize))])
        self.rows = sum(map(len, self._pieces))

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a whole column."""
        return _tried(self._path, lambda: column_of_pieces(self._pieces, self.schema.field(name)))

    def slices(self, name: str) -> Iterator[pa.ChunkedArray]:
        """Yield a column in parts of about a million rows: row groups are read as they are needed."""
        scanner = self._data.scanner(columns={name: ds.field(name)}, batch_size=SLICE, batch_readahead=1, fragment_readahead=1)
        batches = scanner.to_batches()
        while (batch := _tried(self._path, lambda: next(batches, None))) is not None:
            yield pa.chunked_array([batch.column(0)])


def side_of(path: Path) -> Side:
    """Return a file or folder to compare.

    Raises:
        SourceUnavailable: it is not there, or is no Parquet or CSV.
    """
    if path.is_file() and path.suffix.lower() in (".parquet", ".pq") and _doubled(path):
        return Side(_tried(path, lambda: pq.ParquetFile(path).read()))  # a dataset cannot tell two columns of one name apart
    data = opened(path)
    if isinstance(data, ds.FileSystemDataset) and data.format.default_extname == "parquet":
        return ParquetSide(path, data)
    return Side(_guessed(path) if path.is_file() else table_of(path))


def _guessed(path: Path) -> pa.Table:
    """Return a CSV file; where its first rows have led Arrow to guess a type that a later row refutes, every row is asked."""
    try:
        return table_of(path)
    except SourceUnavailable:
        try:
            names = csv.open_csv(path).schema.names
            as_text = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True)
            table = csv.read_csv(path, convert_options=as_text)
        except (pa.ArrowException, OSError):
            table = None
        if table is None:
            raise
    return pa.table({name: _numbers_or_text(table.column(name)) for name in table.column_names})


def _numbers_or_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return column.cast(pa.float64())
    except pa.ArrowInvalid:
        return column


def _doubled(path: Path) -> bool:
    try:
        names = pq.read_schema(path).names
    except (pa.ArrowException, OSError) as error:
        raise SourceUnavailable(f"{path} cannot be read: {_first_line(error)}") from error
    return max(Counter(names).values(), default=0) > 1


def _tried(path: Path, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (pa.ArrowException, OSError) as error:
        raise SourceUnavailable(f"{path} cannot be read: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]
