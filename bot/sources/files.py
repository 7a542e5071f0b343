"""Prediction logs and training sets in files: Parquet or CSV, one file or a folder of them, here or in an object store."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from bot.core.errors import ConfigError, SourceUnavailable
from bot.core.models import Model
from bot.core.ports import SourceKind
from bot.core.profiles import Profiles
from bot.core.readings import Reading, Sample
from bot.core.windows import Window
from bot.sources.columns import MANY
from bot.sources.parquet import columns_of_pieces, pieces_of, table_of_pieces
from bot.sources.places import Place, first_line, place_of, suffix
from bot.sources.readings import reading_of
from bot.sources.slices import reading_of_slices
from bot.sources.table import ends_of, of_the_log, required, sample_of, wanted, within

CSV = ds.CsvFileFormat(convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True))
"""An empty field is a missing value in columns of text, too."""

FORMATS = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv"}

SLICE = 1_048_576
"""So many rows at most are read as one slice of a longer window, but no less than a row group; pyarrow writes as many into each."""

Rows = Any
"""An Arrow table, or `Columns`: what a reading is made of."""


class FileSource:
    """The log in files of one format."""

    def __init__(self, path: Path | str) -> None:
        self.name, self._path = Path(path).name, path

    def reading(
        self, model: Model, window: Window, like: Profiles | None = None, *, as_of: datetime | None = None, whole_rows: bool = True
    ) -> Reading:
        """Profile one window (see `bot.core.ports.Source`)."""
        place = place_of(self._path)
        with _said(place):
            slices = self._slices(place, model, window, SLICE)
            if len(slices) == 1:
                return reading_of(model, window, slices[0], like, as_of, whole_rows=whole_rows)
            return reading_of_slices(model, window, slices, like, as_of, whole_rows=whole_rows)

    def sample(self, model: Model, window: Window, limit: int, version: str | None = None) -> Sample:
        """Return some labelled rows (see `bot.core.ports.Source`)."""
        place = place_of(self._path)
        with _said(place):
            return sample_of(model, self._slices(place, model, window, sys.maxsize)[0], limit, version)

    def span(self, model: Model) -> tuple[datetime, datetime]:
        """Return the times of the oldest and the newest row.

        Raises:
            SourceUnavailable: there is no row with a time, or the log cannot be read.
        """
        place, time = place_of(self._path), model.columns.time
        with _said(place):
            data, _ = _known(place, model)
            return ends_of(data.to_table(columns=[time]).column(time), time)

    def rows(self, model: Model, window: Window) -> pa.Table:
        """Return the window's rows in memory, only the columns that the model names."""
        place, time = place_of(self._path), model.columns.time
        with _said(place):
            data, keep = _known(place, model)
            return within(data.to_table(columns=keep, filter=_between(data.schema, time, window)), window, time)

    def _slices(self, place: Place, model: Model, window: Window, most: int) -> list[Rows]:
        """Return the window's rows, in slices of at most so many; there is always one."""
        time, (data, keep) = model.columns.time, _known(place, model)
        rows, kinds = _between(data.schema, time, window), pa.schema([data.schema.field(name) for name in keep])
        parts = list(pieces_of(data, rows, kinds, most))
        if not parts:
            return [within(data.to_table(columns=keep, filter=rows), window, time)]
        if sum(len(piece) for part in parts for piece in part) < MANY:
            return [within(table_of_pieces([piece for part in parts for piece in part], keep), window, time)]
        slices = [within(columns_of_pieces(part, kinds), window, time) for part in parts]
        filled = [part for part in slices if len(part)] or slices[:1]
        return filled if len(filled) > 1 else [filled[0].remembering(of_the_log(model))]


def _known(place: Place, model: Model) -> tuple[ds.Dataset, list[str]]:
    """Return the data, unread, and which of the columns that the model names it has."""
    data = _opened(place)
    required(data.schema.names, model.columns, place.name)
    return data, [name for name in wanted(model) if data.schema.names.count(name) == 1]


@contextmanager
def _said(place: Place) -> Iterator[None]:
    """Make what Arrow cannot read one sentence."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise SourceUnavailable(f"{place.name} cannot be read: {first_line(error)}") from error


def _between(schema: pa.Schema, time: str, window: Window) -> pc.Expression | None:
    """Return a filter that lets Parquet skip row groups; only for real timestamps. Whole seconds, outwards."""
    kind = schema.field(time).type
    if not pa.types.is_timestamp(kind):
        return None
    outwards = window.start.replace(microsecond=0), window.end.replace(microsecond=0) + timedelta(seconds=1)
    start, end = (pa.scalar(moment.replace(tzinfo=None), pa.timestamp(kind.unit)) for moment in outwards)
    if kind.tz:
        start, end = (pc.assume_timezone(moment, "UTC").cast(kind) for moment in (start, end))
    return (ds.field(time) >= start) & (ds.field(time) < end)


def table_of(path: Path | str) -> pa.Table:
    """Return a whole file (or folder) as a table.

    Raises:
        SourceUnavailable: it is not there, or is no Parquet or CSV.
    """
    place = place_of(path)
    with _said(place):
        return _opened(place).to_table()


def opened(path: Path | str) -> ds.Dataset:
    """Return the dataset at this path, unread. Raises as `table_of` does."""
    place = place_of(path)
    with _said(place):
        return _opened(place)


def _opened(place: Place) -> ds.Dataset:
    """Return the dataset at this place, unread."""
    inside = place.inside(tuple(FORMATS))
    formats = {FORMATS.get(suffix(file)) for file in inside}
    if len(formats) != 1 or None in formats:
        raise SourceUnavailable(f"{place.name} must be a .parquet or .csv file, or a folder of one of these kinds.")
    kind = CSV if formats == {"csv"} else _parquet(place, inside[0])
    return ds.dataset(inside, format=kind, filesystem=place.files)


def _parquet(place: Place, file: str) -> ds.ParquetFileFormat:
    """Return how to read Parquet: texts stay dictionaries, which halves the reading and makes counting levels cheap."""
    schema = pq.read_schema(file, filesystem=place.files)
    texts = {field.name for field in schema if pa.types.is_string(field.type)}
    return ds.ParquetFileFormat(read_options=ds.ParquetReadOptions(dictionary_columns=texts))


OPTIONS = {"path": "a .parquet or .csv file, or a folder of them; also in an object store: s3://bucket/folder, gs://…, abfs://…"}


def make(options: Mapping[str, object]) -> FileSource:
    """Build one from its options.

    Raises:
        ConfigError: an option is missing or unknown.
    """
    if strange := [name for name in options if name not in OPTIONS]:
        raise ConfigError(f"A source of kind files has no option '{strange[0]}'; it has path.")
    if not options.get("path"):
        raise ConfigError(f"A source of kind files needs the option 'path': {OPTIONS['path']}.")
    return FileSource(str(options["path"]))


source = SourceKind("files", make, OPTIONS, "Parquet or CSV: one file, or a folder of them, here or in an object store")
