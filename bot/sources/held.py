"""A log read ahead: many windows of one stretch are cut from rows that are read once.

A replay looks at thousands of windows that overlap almost wholly. Held are the rows of one stretch, sorted by time; a window that
leaves it makes the next stretch be read, so memory is bounded by the longest window, not by the log.
"""

from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
import pyarrow as pa

from bot.core.models import Model
from bot.core.profiles import Profiles
from bot.core.readings import Reading, Sample
from bot.core.windows import Window
from bot.sources.readings import reading_of
from bot.sources.table import sample_of
from bot.sources.values import moments

LEAST_AHEAD = timedelta(days=7)


class Rows(Protocol):
    """A log that hands out a window's rows."""

    name: str

    def rows(self, model: Model, window: Window) -> pa.Table:
        """Return the rows of a window, with the columns that the model names."""
        ...


class HeldSource:
    """One model's log, read a stretch at a time; `longest` is the longest window that will be asked for."""

    def __init__(self, log: Rows, longest: timedelta) -> None:
        self.name, self._log, self._longest = log.name, log, longest
        self._stretch: Window | None = None
        self._table, self._at = pa.table({}), np.empty(0, np.int64)

    def reading(
        self, model: Model, window: Window, like: Profiles | None = None, *, as_of: datetime | None = None, whole_rows: bool = True
    ) -> Reading:
        """Profile one window (see `bot.core.ports.Source`)."""
        return reading_of(model, window, self._rows(model, window), like, as_of, whole_rows=whole_rows)

    def sample(self, model: Model, window: Window, limit: int, version: str | None = None) -> Sample:
        """Return some labelled rows (see `bot.core.ports.Source`)."""
        return sample_of(model, self._rows(model, window), limit, version)

    def _rows(self, model: Model, window: Window) -> pa.Table:
        hours_of_the_reference = self._stretch is not None and window.end <= min(self._stretch.start, model.reference.end)
        if hours_of_the_reference or window.length > self._longest:  # longer: the reference itself; both are asked for once
            return self._log.rows(model, window)
        if self._stretch is None or window.start < self._stretch.start or window.end > self._stretch.end:
            self._hold(model, Window(window.end - self._longest, window.end + max(self._longest, LEAST_AHEAD)))
        first, last = np.searchsorted(self._at, np.ceil([window.start.timestamp(), window.end.timestamp()]))
        return self._table.slice(first, last - first)

    def _hold(self, model: Model, stretch: Window) -> None:
        table = self._log.rows(model, stretch)
        at = moments(table.column(model.columns.time), model.columns.time)
        order = np.argsort(at, kind="stable")
        self._table, self._at, self._stretch = table.take(pa.array(order)).combine_chunks(), at[order], stretch
