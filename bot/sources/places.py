"""Where files lie: on this machine, or in an object store that pyarrow knows (`s3://bucket/log`, `gs://…`, `abfs://…`, `file://…`).

Credentials come from the store's own chain (environment, instance role, workload identity), never from the address.
"""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from bot.core.errors import SourceUnavailable


@dataclass(frozen=True, slots=True)
class Place:
    """A file or a folder: what people call it, and where a file system finds it."""

    name: str
    files: Any
    path: str

    def inside(self, suffixes: tuple[str, ...]) -> list[str]:
        """Return the file itself, or the files of these kinds in the folder, sorted.

        Raises:
            SourceUnavailable: there is nothing at this place, or its store does not answer.
        """
        try:
            here = self.files.get_file_info(self.path)
            if here.type == fs.FileType.NotFound:
                raise SourceUnavailable(f"There is no file {self.name}.")
            if here.type != fs.FileType.Directory:
                return [self.path]
            found = self.files.get_file_info(fs.FileSelector(self.path, recursive=True))
        except (pa.ArrowException, OSError) as error:
            raise SourceUnavailable(f"{self.name} cannot be read: {first_line(error)}") from error
        return sorted(one.path for one in found if one.type == fs.FileType.File and one.path.endswith(suffixes))


def place_of(where: Path | str) -> Place:
    """Return the place of a path or an address.

    Raises:
        SourceUnavailable: nobody here can open such an address.
    """
    if isinstance(where, Path) or "://" not in where:
        return Place(str(where), fs.LocalFileSystem(), str(where))
    name = told(where)
    if not where.partition("://")[2].strip("/"):  # Arrow would ask the cloud for seconds before it says so
        raise SourceUnavailable(f"{name} names nothing to open; write an address like s3://bucket/logs.")
    try:
        files, path = fs.FileSystem.from_uri(where)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SourceUnavailable(f"{name} cannot be opened: {first_line(error)}") from error
    return Place(name, files, path)


def told(address: str) -> str:
    """Return an address as it may be shown: without anybody's credentials or options."""
    try:
        parts = urlsplit(address)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    except ValueError:
        return "The address of the log"


def suffix(path: str) -> str:
    """Return the kind of file that a path's name ends with, e.g. ".parquet"."""
    return PurePosixPath(path).suffix.lower()


def first_line(error: Exception) -> str:
    """Return the reason without Arrow's way to it, and without the address that it may repeat with credentials."""
    line = str(error).strip().partition("\n")[0].rpartition("file?: ")[2]
    return " ".join(told(word) if "://" in word else word for word in line.split(" "))[:300]
