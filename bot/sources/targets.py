"""Targets: how the labels that have come, and the classes that were decided on, are spread over their values.

They are no inputs: a label that is still awaited is not missing, and no quality check looks at them. Only what compares two
distributions does (`Reading.distributions`), so that the drift of labels and of predictions is told as the inputs' is.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import reduce

import numpy as np
import pyarrow as pa

from bot.core.models import LogColumns, Model
from bot.core.profiles import CategoryProfile, NumericProfile, Profiles
from bot.core.readings import BINARY, MULTICLASS, Outcomes
from bot.sources.columns import Columns
from bot.sources.outcomes import Flags, arrived, chosen
from bot.sources.table import profiled
from bot.stats.profiles import changes, profile_levels, profile_numbers

Tables = Iterable[pa.Table | Columns]


def targets_of(
    model: Model, told: Outcomes | None, decided: Flags, *, tables: Tables, like: Profiles, as_of: datetime | None
) -> Profiles:
    """Return the profiles of a window's labels and predictions, by the log's own names for them.

    Args:
        model: whose log it is.
        told: the rows whose label has come.
        decided: of a binary model which rows were called true, in the order of the log; empty where that is not told.
        tables: the window's rows; only the columns of several classes are read again.
        like: the reference's profiles, by name; empty for a reference.
        as_of: labels that came later are not there yet.
    """
    log, reference = model.columns, not like
    if told is None:
        return {}
    if model.task == MULTICLASS:
        return classes_of(log, tables, like, as_of)
    if model.task != BINARY:
        cut = like.get(log.label)
        return {log.label: numbers_of(told, cut if isinstance(cut, NumericProfile) else None)}
    found = {log.label: flags_of(told.labels[np.argsort(told.at, kind="stable")] if reference else told.labels)}
    return found | ({log.prediction: flags_of(decided)} if len(decided) else {})


def decided_in(tables: Tables, model: Model) -> Flags:
    """Return which rows were called true, of a binary model; empty where the log does not say that."""
    return np.concatenate([chosen(table, model.columns, model.task) for table in tables])


def flags_of(flags: Flags) -> CategoryProfile:
    """Return the profile of what is true or false."""
    yes = int(np.count_nonzero(flags))
    told = {"false": len(flags) - yes, "true": yes}
    levels = [level for level, rows in told.items() if rows]
    return profile_levels(levels, np.array([told[level] for level in levels], dtype=np.int64), changed=changes(flags))


def numbers_of(told: Outcomes, like: NumericProfile | None) -> NumericProfile:
    """Return the profile of the true numbers, or of relevances."""
    return profile_numbers(told.values[np.argsort(told.at, kind="stable")], like=like)


def classes_of(log: LogColumns, tables: Tables, like: Profiles, as_of: datetime | None) -> Profiles:
    """Return the profiles of the true classes, of the rows whose label has come, and of the chosen ones, of all rows."""
    made: dict[str, list[CategoryProfile]] = {log.label: [], log.prediction: []}
    for table in tables:
        label = table.column(log.label).filter(pa.array(arrived(table, log, as_of, MULTICLASS)))
        for name, column in ((log.label, label), (log.prediction, table.column(log.prediction))):
            found = profiled(column, "categorical", like.get(name))
            made[name] += [found] if isinstance(found, CategoryProfile) else []
    return {name: reduce(lambda one, other: one.merged(other), parts) for name, parts in made.items() if parts}
