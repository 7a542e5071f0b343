"""Some rows of a window, whole: picked from each column while it is in hand, so that no column of a large log is read twice."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bot.core.joint import JointRows
from bot.core.models import Model
from bot.core.profiles import Counts, Floats
from bot.core.readings import RANKING, REGRESSION
from bot.sources.columns import Columns
from bot.sources.outcomes import arrived, labels_of, said_of
from bot.sources.spread import evenly, picked
from bot.sources.values import kind_of, numbers, texts

MOST_JOINT = 5_000
"""Whole rows of a window that are kept: enough to tell two windows apart to within a hundredth of AUC."""


class Picking:
    """Rows that remember some of every feature that is read of them through `passing`.

    What is remembered has its place from the beginning: a few kilobytes kept beside every column that passes by would tear a heap
    of whole columns to pieces (ten million rows held 350 MB more).

    Args:
        model: whose log it is.
        part: the rows, a table or `Columns`.
        at: their times in epoch seconds, shape (n,).
        ids: the requests' ids, which order rows of one second; without them these come as they stand.
        most: how many rows are kept.
    """

    def __init__(
        self, model: Model, part: pa.Table | Columns, at: Counts, ids: pa.ChunkedArray | None = None, most: int = MOST_JOINT
    ) -> None:
        self._model, self._part, self._place = model, part, evenly(at, ids, most)
        self._at = at[self._place]  # not all of them: a long window has many slices
        self._kinds = {feature.name: feature.kind for feature in model.features if feature.name in part.column_names}
        self._values = np.full((len(self._place), len(self._kinds)), np.nan)
        self._levels: dict[str, tuple[str, ...]] = {}

    @property
    def passing(self) -> Columns:
        """The same rows; a circle if they were kept here, and a circle holds its columns until somebody collects garbage."""
        return Columns(self._read, self._part.schema, len(self._part))

    def _read(self, name: str) -> pa.ChunkedArray:
        column = self._part.column(name)
        if name in self._kinds:
            self._keep(name, picked(column, self._place))
        return column

    def _keep(self, name: str, some: pa.ChunkedArray) -> None:
        mine = self._values[:, list(self._kinds).index(name)]
        if self._kinds[name] == "numeric" and kind_of(some.type, "numeric") == "numeric":
            mine[:] = numbers(some)
        else:
            mine[:], self._levels[name] = _places(some)

    def told(self, as_of: datetime | None) -> JointRows:
        """Return the rows of which every feature has passed by, with what the log's own columns say of them."""
        self._values[~np.isfinite(self._values)] = np.nan
        log, task = self._model.columns, self._model.task
        asked = {log.score, log.label, log.label_time, log.prediction} & set(self._part.column_names)
        rows = pa.table({name: picked(self._part.column(name), self._place) for name in asked})
        said, labels = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
        if task != RANKING:  # a row of a ranking says nothing without its group
            known = arrived(rows, log, as_of, task)
            said = said_of(rows, log, task).scores
            if known.any():
                labels[known] = (numbers(rows.column(log.label)) if task == REGRESSION else labels_of(rows, log, task))[known]
        levels = {name: self._levels[name] for name in self._kinds if name in self._levels}
        return JointRows(tuple(self._kinds), self._values, levels, said, labels, self._at, len(self._part))


def _places(column: pa.ChunkedArray) -> tuple[Floats, tuple[str, ...]]:
    """Return a column as places in its levels, shape (n,), missing NaN; and the levels, sorted."""
    found = pc.dictionary_encode(texts(column).combine_chunks())
    order = np.asarray(pc.sort_indices(found.dictionary), dtype=np.int64)  # as Python sorts: UTF-8 keeps the order of code points
    place = np.empty(len(order) + 1)
    place[order], place[-1] = np.arange(len(order)), np.nan
    return place[np.asarray(pc.fill_null(found.indices, -1), dtype=np.int64)], tuple(found.dictionary.take(order).to_pylist())
