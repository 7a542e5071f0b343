"""Some rows of a window, whole: picked from each column while it is in hand, so that no column of a large log is read twice."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bot.core.joint import JointRows
from bot.core.models import Model
from bot.core.profiles import Counts, Floats
from bot.sources.columns import Columns
from bot.sources.outcomes import UNBOUNDED, arrived, labels_of
from bot.sources.spread import evenly, picked
from bot.sources.values import kind_of, numbers, scores, texts

MOST_JOINT = 5_000
"""Whole rows of a window that are kept: enough to tell two windows apart to within a hundredth of AUC."""


class Picking:
    """Rows that remember some of every column that is read of them through `passing`.

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
        self._kept: dict[str, pa.ChunkedArray] = {}

    @property
    def passing(self) -> Columns:
        """The same rows; a circle if they were kept here, and a circle holds its columns until somebody collects garbage."""
        return Columns(self._read, self._part.schema, len(self._part))

    def _read(self, name: str) -> pa.ChunkedArray:
        column = self._part.column(name)
        self._kept[name] = picked(column, self._place)
        return column

    def told(self, as_of: datetime | None) -> JointRows:
        """Return the rows of which every feature has passed by, with what the log's own columns say of them."""
        log = self._model.columns
        asked = {log.score, log.label, log.label_time, log.prediction} & set(self._part.column_names)
        rest = {name: picked(self._part.column(name), self._place) for name in asked if name not in self._kept}
        return _together(self._model, pa.table({**self._kept, **rest}), self._at, len(self._part), as_of)


def _together(model: Model, kept: pa.Table, at: Counts, of: int, as_of: datetime | None) -> JointRows:
    """Return the rows of a small table as numbers; `at` are their times, shape (n,), `of` is how many rows they stand for."""
    log = model.columns
    kinds = {f.name: f.kind for f in model.features if f.name in kept.column_names}
    levels: dict[str, tuple[str, ...]] = {}
    values = np.full((len(kept), len(kinds)), np.nan)
    for i, (name, kind) in enumerate(kinds.items()):
        if kind == "numeric" and kind_of(kept.column(name).type, kind) == "numeric":
            values[:, i] = numbers(kept.column(name))
        else:
            values[:, i], levels[name] = _places(kept.column(name))
    values[~np.isfinite(values)] = np.nan
    labels, judged = np.full(len(kept), np.nan), model.task not in UNBOUNDED  # whole rows are judged by shares, never by distances
    known = arrived(kept, log, as_of, model.task)
    if judged and known.any():
        labels[known] = labels_of(kept, log, model.task)[known]
    said_of = scores(kept.column(log.score)) if judged else labels.copy()
    return JointRows(tuple(kinds), values, levels, said_of, labels, at, of)


def _places(column: pa.ChunkedArray) -> tuple[Floats, tuple[str, ...]]:
    """Return a column as places in its levels, shape (n,), missing NaN; and the levels, sorted."""
    found = pc.dictionary_encode(texts(column).combine_chunks())
    order = np.asarray(pc.sort_indices(found.dictionary), dtype=np.int64)  # as Python sorts: UTF-8 keeps the order of code points
    place = np.empty(len(order) + 1)
    place[order], place[-1] = np.arange(len(order)), np.nan
    return place[np.asarray(pc.fill_null(found.indices, -1), dtype=np.int64)], tuple(found.dictionary.take(order).to_pylist())
