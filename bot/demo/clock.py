"""The time that the replayed data have reached, shared between processes through one small file.

When the clock says t, every prediction made and every label known before t is in the log: readers may judge windows that end at t.
The replayer writes it, by renaming a finished file over the old one, so that nobody ever reads half a time.
"""

import os
from datetime import UTC, datetime
from pathlib import Path


class DataClock:
    """Implements `Clock` for whoever reads; `advance` is for the one who replays."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def starting(cls, path: Path, at: datetime) -> "DataClock":
        """Return a new clock that stands at this time."""
        clock = cls(path)
        clock._write(at)
        return clock

    def now(self) -> datetime:
        """Return the time that the data have reached, UTC."""
        return datetime.fromisoformat(self._path.read_text("ascii")).astimezone(UTC)

    def advance(self, to: datetime) -> None:
        """Move on; time never runs backwards, so an earlier time changes nothing."""
        if to > self.now():
            self._write(to)

    def _write(self, at: datetime) -> None:
        new = self._path.with_suffix(".new")
        new.write_text(at.astimezone(UTC).isoformat(), "ascii")
        os.replace(new, self._path)  # noqa: PTH105 - atomic on every system
