"""Row groups of Parquet files, read a column at a time and by no more machinery than that takes.

A scan of a dataset costs two milliseconds of threads and queues before it has read anything, a column of it half as much again as
reading it from its file. So a dataset says which row groups there are, and the file itself is read.
"""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from bot.sources.columns import Columns

BUFFER = 1 << 18
"""Bytes: a column is decoded while it is read; by default all of its bytes would lie in memory first."""


class Piece:
    """Some row groups of one file of a dataset.

    Args:
        fragment: the file, and which of its row groups.
        kinds: the dataset's columns; one that the file does not have is missing there.
    """

    def __init__(self, fragment: ds.ParquetFileFragment, kinds: pa.Schema) -> None:
        self._fragment, self._kinds, self._groups = fragment, kinds, [group.id for group in fragment.row_groups]
        self._rows: int = sum(group.num_rows for group in fragment.row_groups)
        self._texts = [field.name for field in kinds if pa.types.is_dictionary(field.type)]

    def __len__(self) -> int:
        return self._rows

    def table(self, names: Sequence[str]) -> pa.Table:
        """Return some columns."""
        with self._fragment.filesystem.open_input_file(self._fragment.path) as file:
            known = self._fragment.metadata
            reader = pq.ParquetFile(file, metadata=known, read_dictionary=self._texts, buffer_size=BUFFER, pre_buffer=False)
            there = set(names).intersection(reader.schema_arrow.names)
            found = reader.read_row_groups(self._groups, columns=[name for name in names if name in there], use_threads=False)
        return pa.table({name: self._told(found.column(name) if name in there else None, name) for name in names})

    def _told(self, column: pa.ChunkedArray | None, name: str) -> pa.ChunkedArray:
        """Return a column as the dataset has it."""
        kind = self._kinds.field(name).type
        if column is None:
            return pa.chunked_array([pa.nulls(len(self), kind)])
        return column if column.type == kind else column.cast(kind)


def pieces_of(data: ds.Dataset, rows: pc.Expression | None, kinds: pa.Schema, most: int) -> Iterator[list[Piece]]:
    """Yield row groups that may hold such rows, together as many as have at most so many; of other files than Parquet nothing."""
    pieces: list[Piece] = []
    room = most
    for fragment in data.get_fragments():
        if not isinstance(fragment, ds.ParquetFileFragment):
            return
        chosen = fragment if rows is None else fragment.subset(filter=rows, schema=data.schema)
        groups: list[int] = []
        for group in chosen.row_groups:
            if room < most and group.num_rows > room:
                yield [*pieces, *_piece(fragment, groups, kinds)]
                pieces, groups, room = [], [], most
            groups.append(group.id)
            room -= group.num_rows
        pieces += _piece(fragment, groups, kinds)
    if pieces:
        yield pieces


def _piece(fragment: ds.ParquetFileFragment, groups: list[int], kinds: pa.Schema) -> list[Piece]:
    return [Piece(fragment.subset(row_group_ids=groups), kinds)] if groups else []


def table_of_pieces(pieces: Sequence[Piece], names: Sequence[str]) -> pa.Table:
    """Return some columns of all pieces, at least one, one after the other."""
    return pa.concat_tables([piece.table(names) for piece in pieces])


def column_of_pieces(pieces: Sequence[Piece], field: pa.Field) -> pa.ChunkedArray:
    """Return one column of all pieces, one after the other; of none no rows."""
    return pa.chunked_array([chunk for piece in pieces for chunk in piece.table([field.name]).column(0).chunks], type=field.type)


def columns_of_pieces(pieces: Sequence[Piece], kinds: pa.Schema) -> Columns:
    """Return the rows of all pieces, one after the other; their columns are read when asked for."""
    return Columns(lambda name: column_of_pieces(pieces, kinds.field(name)), kinds, sum(map(len, pieces)))
