"""Prediction logs and training sets in files: Parquet or CSV, one file or a folder of them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from bot.core.errors import ConfigError, SourceUnavailable
from bot.core.models import Model
from bot.core.ports import SourceKind
from bot.core.profiles import ColumnProfile
from bot.core.readings import Reading, Sample
from bot.core.windows import Window
from bot.sources.table import ends_of, reading_of, required, sample_of, wanted, within

CSV = ds.CsvFileFormat(convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True))
"""An empty field is a missing value in columns of text, too."""

FORMATS = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv"}


class FileSource:
    """The log in files of one format."""

    def __init__(self, path: Path) -> None:
        self.name, self._path = path.name, path

    def reading(
        self, model: Model, window: Window, like: Mapping[str, ColumnProfile] | None = None, *, as_of: datetime | None = None
    ) -> Reading:
        """Profile one window (see `bot.core.ports.Source`)."""
        return reading_of(model, window, self.rows(model, window), like, as_of)

    def sample(self, model: Model, window: Window, limit: int, version: str | None = None) -> Sample:
        """Return some labelled rows (see `bot.core.ports.Source`)."""
        return sample_of(model, self.rows(model, window), limit, version)

    def span(self, model: Model) -> tuple[datetime, datetime]:
        """Return the times of the oldest and the newest row.

        Raises:
            SourceUnavailable: there is no row with a time, or the log cannot be read.
        """
        data, time = opened(self._path), model.columns.time
        required(data.schema.names, model.columns, str(self._path))
        return ends_of(_read(data, self._path, [time], None).column(time), time)

    def rows(self, model: Model, window: Window) -> pa.Table:
        """Return the window's rows, only the columns that the model names."""
        names, data = model.columns, opened(self._path)
        required(data.schema.names, names, str(self._path))
        keep = [name for name in wanted(model) if data.schema.names.count(name) == 1]
        return within(_read(data, self._path, keep, _between(data.schema, names.time, window)), window, names.time)


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


def table_of(path: Path) -> pa.Table:
    """Return a whole file (or folder) as a table.

    Raises:
        SourceUnavailable: it is not there, or is no Parquet or CSV.
    """
    return _read(opened(path), path, None, None)


def opened(path: Path) -> ds.Dataset:
    """Return the dataset at this path, unread.

    Raises:
        SourceUnavailable: it is not there, or is no Parquet or CSV.
    """
    if not path.exists():
        raise SourceUnavailable(f"There is no file {path}.")
    inside = sorted(p for p in path.rglob("*") if p.suffix in FORMATS) if path.is_dir() else [path]
    formats = {FORMATS.get(file.suffix.lower()) for file in inside}
    if len(formats) != 1 or None in formats:
        raise SourceUnavailable(f"{path} must be a .parquet or .csv file, or a folder of one of these kinds.")
    try:
        return ds.dataset([str(file) for file in inside], format=CSV if formats == {"csv"} else _parquet(inside[0]))
    except (pa.ArrowException, OSError) as error:
        raise SourceUnavailable(f"{path} cannot be read: {_first_line(error)}") from error


def _parquet(file: Path) -> ds.ParquetFileFormat:
    """Return how to read Parquet: texts stay dictionaries, which halves the reading and makes counting levels cheap."""
    schema = pq.read_schema(file)
    texts = {field.name for field in schema if pa.types.is_string(field.type)}
    return ds.ParquetFileFormat(read_options=ds.ParquetReadOptions(dictionary_columns=texts))


def _read(data: ds.Dataset, path: Path, columns: list[str] | None, rows: pc.Expression | None) -> pa.Table:
    try:
        return data.to_table(columns=columns, filter=rows)
    except (pa.ArrowException, OSError) as error:
        raise SourceUnavailable(f"{path} cannot be read: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    """Return the reason without Arrow's way to it."""
    return str(error).strip().partition("\n")[0].rpartition("file?: ")[2][:300]


OPTIONS = {"path": "a .parquet or .csv file, or a folder of them"}


def make(options: Mapping[str, object]) -> FileSource:
    """Build one from its options.

    Raises:
        ConfigError: an option is missing or unknown.
    """
    if strange := [name for name in options if name not in OPTIONS]:
        raise ConfigError(f"A source of kind files has no option '{strange[0]}'; it has path.")
    if not options.get("path"):
        raise ConfigError(f"A source of kind files needs the option 'path': {OPTIONS['path']}.")
    return FileSource(Path(str(options["path"])))


source = SourceKind("files", make, OPTIONS, "Parquet or CSV: one file, or a folder of them")
