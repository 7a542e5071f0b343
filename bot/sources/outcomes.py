"""What was predicted and what came true: which rows of a window are scored, which labels have arrived, by the model's task.

A binary model is read as it is: a score from 0 to 1, a label that is true or false. Of several classes the log holds the chosen one
(`prediction`) and the score that it was given; what comes true is then whether it was the right one. A regression's score is its
predicted number, and its label is kept as a number, too. So is the relevance that a ranking's label is; there a row counts once all
rows of its group have score and label, because half a list says nothing about the order of the whole.
"""

from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from bot.core.errors import SourceUnavailable
from bot.core.models import LogColumns
from bot.core.profiles import Counts, Floats
from bot.core.readings import BINARY, MULTICLASS, RANKING, REGRESSION, Outcomes
from bot.sources.groups import grouped, whole
from bot.sources.values import classes, kind_of, moments, numbers, texts
from bot.sources.values import scores as shares

Flags = npt.NDArray[np.bool_]

UNBOUNDED = (REGRESSION, RANKING)
"""Tasks whose scores and labels are numbers, not shares and flags."""

MOST_REFERENCE = 200_000
"""Labelled rows that a reference keeps: more calibrate no better, and they are stored."""


class Said(NamedTuple):
    """What the model said of each row: `scores` with NaN where it said nothing, and where it `given` one, shape (n,) each."""

    scores: Floats
    given: Flags


def said_of(table: pa.Table, columns: LogColumns, task: str = BINARY) -> Said:
    """Return the scores of a log: from 0 to 1, of numbers and rankings any finite number.

    Raises:
        SourceUnavailable: they are those of one of several classes, and the log does not say which.
    """
    scores = _scores(table.column(columns.score), task)
    given = np.asarray(~np.isnan(scores), dtype=bool)
    if task != MULTICLASS:
        return Said(scores, given)
    if columns.prediction not in table.column_names:
        words = f"has no column '{columns.prediction}'" if columns.prediction else "does not say the chosen class"
        raise SourceUnavailable(f"The log {words}; name it as `prediction` under the model's columns.")
    named = np.array([one is not None for one in classes(table.column(columns.prediction))], dtype=bool)
    return Said(scores, np.asarray(given & named, dtype=bool))


def _scores(column: pa.ChunkedArray, task: str) -> Floats:
    if task not in UNBOUNDED:
        return shares(column)
    if kind_of(column.type, "numeric") != "numeric":
        return np.full(len(column), np.nan)
    found = numbers(column)
    found[~np.isfinite(found)] = np.nan
    return found


def outcomes_of(
    table: pa.Table, columns: LogColumns, said: Said, at: Counts, *, as_of: datetime | None = None, task: str = BINARY
) -> Outcomes | None:
    """Return the rows whose label had arrived before `as_of`; None where the log has no label column.

    Where all have, the arrays are those of `said` and `at` themselves: of a large window each takes eight megabytes a million rows.
    """
    if columns.label not in table.column_names:
        return None
    came = arrived(table, columns, as_of, task)
    known = came & said.given
    groups = np.empty(0, dtype=np.int64)
    if task == RANKING:
        groups, member = grouped(table, columns.group)
        known = whole(groups, known & member)
        groups = groups[known]
    rows, kept = (table, slice(None)) if known.all() else (table.filter(pa.array(known)), known)
    awaited = at[~came]
    return Outcomes(
        scores=said.scores[kept],
        labels=labels_of(rows, columns, task),
        versions=texts_of(rows, columns.version),
        at=at[kept],
        awaited=len(awaited),
        oldest_awaited=datetime.fromtimestamp(int(awaited.min()), UTC) if len(awaited) else None,
        chosen=chosen(rows, columns, task),
        values=numbers(rows.column(columns.label)) if task in UNBOUNDED else np.empty(0),
        groups=groups,
    )


def thinned(outcomes: Outcomes | None, most: int = MOST_REFERENCE) -> Outcomes | None:
    """Return at most so many of the rows, evenly spread in their order, the same ones at every call."""
    return None if outcomes is None else outcomes.thinned(most)


def chosen(table: pa.Table, columns: LogColumns, task: str = BINARY) -> Flags:
    """Return which rows were called true, shape (n,); empty where the log does not say it, or not of every row."""
    if task != BINARY or columns.prediction not in table.column_names:
        return np.empty(0, dtype=bool)
    column = table.column(columns.prediction)
    if kind_of(column.type, "numeric") != "numeric" or column.null_count:
        return np.empty(0, dtype=bool)
    return np.asarray(numbers(column) > 0.5, dtype=bool)


def labels_of(table: pa.Table, columns: LogColumns, task: str = BINARY) -> Flags:
    """Return what came true, shape (n,); of several classes whether the chosen one did, of a ranking what is relevant."""
    if task == REGRESSION:
        return np.zeros(len(table), dtype=bool)
    label = table.column(columns.label)
    if task in (BINARY, RANKING):
        return np.asarray(numbers(label) > (0.5 if task == BINARY else 0.0), dtype=bool)
    predicted = classes(table.column(columns.prediction))
    return np.array([one == other for one, other in zip(predicted, classes(label), strict=True)], dtype=bool)


def arrived(table: pa.Table, columns: LogColumns, as_of: datetime | None, task: str = BINARY) -> Flags:
    """Return which rows have a label that had arrived by then, shape (n,).

    Raises:
        SourceUnavailable: the labels are neither flags nor numbers, where the task needs them to be, or a relevance is below 0.
    """
    if columns.label not in table.column_names:
        return np.zeros(len(table), dtype=bool)
    label = table.column(columns.label)
    if task == MULTICLASS:
        known = np.array([one is not None for one in classes(label)], dtype=bool)
    elif kind_of(label.type, "numeric") != "numeric":
        wanted = "numbers" if task in UNBOUNDED else "true and false or 1 and 0"
        raise SourceUnavailable(f"The label column '{columns.label}' must hold {wanted}.")
    else:
        given = numbers(label)
        if task == RANKING and given.min(initial=0.0, where=np.isfinite(given)) < 0:
            raise SourceUnavailable(f"The label column '{columns.label}' holds relevances below 0; leave empty what nobody judged.")
        known = np.asarray(np.isfinite(given), dtype=bool)
    if as_of is None or columns.label_time not in table.column_names:
        return known
    times = table.column(columns.label_time)
    timed = np.asarray(pc.is_valid(times).to_numpy(), dtype=bool)
    came = np.zeros(len(table), np.int64)
    came[timed] = moments(times.drop_null(), columns.label_time)
    return np.asarray(known & timed & (came < as_of.timestamp()), dtype=bool)


def texts_of(table: pa.Table, name: str) -> npt.NDArray[np.str_]:
    """Return a column as text, shape (n,), empty where it is missing; all of it empty where there is no such column."""
    if name not in table.column_names:
        return np.full(len(table), "", dtype=np.str_)
    return np.asarray([value or "" for value in texts(table.column(name)).to_pylist()], dtype=np.str_)
