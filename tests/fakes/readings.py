"""Small true readings: columns in, profiles inside."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bot.core.joint import JointRows
from bot.core.profiles import CategoryProfile, ColumnProfile, NumericProfile
from bot.core.readings import Outcomes, Reading
from bot.stats.profiles import CUTS, MOST_LEVELS, profile_levels, profile_numbers
from tests.fakes.nouns import DAY

Column = Sequence[str | None] | np.ndarray


def numbers(values: Any, like: NumericProfile | None = None, *, nulls: int = 0, cuts: int = CUTS) -> NumericProfile:
    """Return the profile of some numbers, which stay as they are."""
    return profile_numbers(np.array(values, dtype=np.float64), nulls=nulls, like=like, cuts=cuts)


def levels(values: Sequence[str | None], like: CategoryProfile | None = None, *, most: int = MOST_LEVELS) -> CategoryProfile:
    """Return the profile of some texts; None is missing."""
    counts = Counter(value for value in values if value is not None)
    rows = np.asarray(list(counts.values()), dtype=np.int64)
    given = [value for value in values if value is not None]
    changed = (sum(a != b for a, b in itertools.pairwise(given)), max(len(given) - 1, 0)) if like is None else (0, 0)
    return profile_levels(list(counts), rows, nulls=len(values) - int(rows.sum()), like=like, most=most, changed=changed)


def a_reading(columns: Mapping[str, Column] | None = None, like: Reading | None = None, **changes: Any) -> Reading:
    """Return the reading of one day that holds these columns: arrays are numbers, lists are categories."""
    columns = columns or {}
    known = like.columns if like is not None else {}
    profiles = {name: _profiled(values, known.get(name)) for name, values in columns.items()}
    kinds = {name: "numeric" if isinstance(p, NumericProfile) else "categorical" for name, p in profiles.items()}
    rows = max((len(values) for values in columns.values()), default=0)
    return replace(Reading(DAY, rows, profiles, kinds, joint=joint(columns)), **changes)


def joint(columns: Mapping[str, Column], **changes: Any) -> JointRows:
    """Return whole rows of these columns, a second apart: arrays are numbers, lists are categories; nobody knows the truth."""
    rows = max((len(values) for values in columns.values()), default=0)
    levels = {
        name: tuple(sorted({v for v in values if v is not None})) for name, values in columns.items() if isinstance(values, list)
    }
    values = np.full((rows, len(columns)), np.nan)
    for i, (name, given) in enumerate(columns.items()):
        coded = [np.nan if v is None else levels[name].index(v) for v in given] if name in levels else given
        values[: len(coded), i] = np.asarray(coded, dtype=np.float64)
    values[~np.isfinite(values)] = np.nan
    unknown = np.full(rows, np.nan)
    made = JointRows(tuple(columns), values, levels, unknown, unknown, np.arange(rows, dtype=np.int64), rows)
    return replace(made, **changes)


def _profiled(values: Column, like: ColumnProfile | None) -> ColumnProfile:
    if isinstance(values, np.ndarray):
        return numbers(values, like if isinstance(like, NumericProfile) else None)
    return levels(values, like if isinstance(like, CategoryProfile) else None)


def outcomes(scores: Any, labels: Any, **changes: Any) -> Outcomes:
    """Return outcomes spread evenly over thirty days."""
    n = len(scores)
    at = (np.arange(n) * 30 * 86_400 // max(n, 1)).astype(np.int64)
    truth = np.asarray(labels, dtype=bool)
    return replace(Outcomes(np.asarray(scores, dtype=np.float64), truth, np.full(n, "v1"), at), **changes)
