"""A window counted by PostgreSQL itself: no rows move, only counts at the reference's cut points, moments and levels.

Every value is cast to double precision first, and NaN, infinities and NULL are counted apart before anything is summed: for
PostgreSQL NaN equals NaN and is larger than infinity. What is needed row by row travels alone: the labelled rows' time, score,
label and version, and the waiting times.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Double,
    FromClause,
    Integer,
    Text,
    and_,
    cast,
    collate,
    func,
    literal,
    not_,
    select,
)
from sqlalchemy import types as sql

from bot.core.models import LogColumns, Model
from bot.core.profiles import CategoryProfile, ColumnProfile, Floats, NumericProfile, Profiles
from bot.core.readings import RANKING, Operations, Reading
from bot.core.windows import Window
from bot.sources.readings import declared_of, reading_of
from bot.sources.rows import arrow
from bot.sources.values import moments
from bot.stats.profiles import BINS, MOST_LEVELS, cuts_for, profile_levels

Number = ColumnElement[float]
ENDLESS, NOT_A_NUMBER = float("inf"), literal(float("nan"), Double)


def pushed_reading(
    connection: Connection,
    rows: FromClause,
    model: Model,
    window: Window,
    like: Profiles | None,
    *,
    as_of: datetime | None,
) -> Reading:
    """Return the reading of a window that PostgreSQL counts (see `bot.core.ports.Source`).

    `rows` are the window's rows: a subquery whose columns have the log's own names.
    """
    known, names = like or {}, model.columns
    declared = declared_of(model, rows.c.keys())
    profiles = {name: _profile(connection, rows, name, kind, known.get(name)) for name, kind in declared.items()}
    told = reading_of(model, window, _labelled(connection, rows, model), like, as_of, profiles=profiles)
    at, version = rows.c[names.time], names.version
    total, newest = connection.execute(select(func.count(), func.max(at)).select_from(rows)).one()
    return replace(
        told,
        rows=int(total),
        kinds={name: kind_of_type(rows.c[name].type) for name in declared},
        newest=None if newest is None else _moment(newest),
        versions=_versions(connection, rows, version),
        outcomes=told.outcomes and _awaited(connection, rows, model, told.outcomes),
        operations=_operations(connection, rows, model.columns, int(total)),
        duplicates=_repeated(connection, rows, names.request),
        scored=np.empty(0),  # only labelled rows were read: too few to estimate anything, and not those that it is about
        chosen=np.empty(0, dtype=bool),
    )


def kind_of_type(kind: sql.TypeEngine[Any]) -> str:
    """Return "numeric" or "categorical" for a type that a database declares."""
    return "numeric" if isinstance(kind, sql.Numeric | sql.Float | sql.Integer | sql.Boolean) else "categorical"


def _profile(connection: Connection, rows: FromClause, name: str, declared: str, like: ColumnProfile | None) -> ColumnProfile:
    column = rows.c[name]
    if declared == "numeric" and kind_of_type(column.type) == "numeric":
        return numbers_at(connection, rows, column, like if isinstance(like, NumericProfile) else None)
    return levels_at(connection, rows, column, like if isinstance(like, CategoryProfile) else None)


def numbers_at(connection: Connection, rows: FromClause, column: ColumnElement[Any], like: NumericProfile | None) -> NumericProfile:
    """Return the profile of a numeric column, counted at the reference's cut points, or at its own."""
    x = _double(column)
    finite = and_(x < ENDLESS, x > -ENDLESS)  # NaN is larger than infinity
    counted = select(
        func.count(),
        func.count(x),
        func.count().filter(x == NOT_A_NUMBER),
        func.count().filter(finite),
    ).select_from(rows)
    total, given, nans, n = (int(count) for count in connection.execute(counted).one())
    cuts, edges = (like.cuts, like.edges) if like is not None else _cut(connection, rows, (x, finite), n)
    limits = np.unique(np.concatenate([cuts, np.nextafter(cuts, np.inf), np.nextafter(edges, np.inf)]))
    buckets = _buckets(connection, rows, (x, finite), limits)
    counts, sums = np.zeros(len(limits) + 1, np.int64), np.zeros(len(limits) + 1)
    counts[buckets[:, 0].astype(np.int64)], sums[buckets[:, 0].astype(np.int64)] = buckets[:, 1], buckets[:, 2]
    before, added = np.cumsum(counts), np.cumsum(sums)  # up to limits[i], exclusive
    up_to = np.searchsorted(limits, np.nextafter(cuts, np.inf))
    mean = float(added[-1] / n) if n else 0.0
    spread = buckets[:, 1] * (buckets[:, 3] + (buckets[:, 2] / buckets[:, 1] - mean) ** 2)
    return NumericProfile(
        rows=total,
        nulls=total - given,
        nans=nans,
        infinities=given - nans - n,
        cuts=cuts,
        below=before[np.searchsorted(limits, cuts)],
        up_to=before[up_to],
        sum_up_to=added[up_to],
        edges=edges,
        bins=np.diff(np.concatenate([[0], before[np.searchsorted(limits, np.nextafter(edges, np.inf))], [n]])),
        low=float(buckets[:, 4].min(initial=np.inf)),
        high=float(buckets[:, 5].max(initial=-np.inf)),
        mean=mean,
        squares=float(spread.sum()),
    )


Finite = tuple[Number, ColumnElement[bool]]


def _buckets(connection: Connection, rows: FromClause, of: Finite, limits: Floats) -> Floats:
    """Return what lies between the limits, a row each that holds anything: place, count, sum, variance, least, largest."""
    x, finite = of
    found = literal(limits.tolist(), ARRAY(Double))
    place = func.width_bucket(x, found) if len(limits) else literal(0)
    inner = select(x.label("x"), place.label("place")).select_from(rows).where(finite).subquery()
    asked = select(
        inner.c.place, func.count(), func.sum(inner.c.x), func.var_pop(inner.c.x), func.min(inner.c.x), func.max(inner.c.x)
    ).group_by(inner.c.place)
    told = [tuple(map(float, row)) for row in connection.execute(asked.order_by(inner.c.place))]
    return np.array(told, dtype=np.float64).reshape(-1, 6)


def _cut(connection: Connection, rows: FromClause, of: Finite, n: int) -> tuple[Floats, Floats]:
    """Return cut points and decile edges of a column of n finite values, as `bot.stats.profiles` takes them from sorted rows."""
    x, finite = of
    most = cuts_for(n)
    distinct = select(x.label("x")).select_from(rows).where(finite).distinct().limit(most + 1)
    values = np.array([row[0] for row in connection.execute(distinct)], dtype=np.float64)
    ranks = np.linspace(0, n - 1, most).round() if len(values) > most else np.empty(0)
    at = np.append(ranks, n // 2)
    shares = literal(((at + 0.5) / max(n, 1)).tolist(), ARRAY(Double))
    tenths = literal(np.linspace(0, 1, BINS + 1).tolist(), ARRAY(Double))
    asked = select(func.percentile_disc(shares).within_group(x), func.percentile_cont(tenths).within_group(x))
    ranked, quantiles = connection.execute(asked.select_from(rows).where(finite)).one()
    if ranked is None:
        return np.empty(0), np.empty(0)
    cuts = np.unique(np.array(ranked[:-1] if len(ranks) else values, dtype=np.float64))
    tens = np.array(quantiles, dtype=np.float64)
    inner = np.unique(tens[np.isfinite(tens)])[1:-1]
    return cuts, inner if len(inner) else np.array([np.nextafter(ranked[-1], -np.inf), ranked[-1]])


def levels_at(
    connection: Connection, rows: FromClause, column: ColumnElement[Any], like: CategoryProfile | None
) -> CategoryProfile:
    """Return the profile of a column of categories: the reference's levels, and the most frequent of the others."""
    level = collate(cast(column, Text), "C")
    total, given, distinct = connection.execute(
        select(func.count(), func.count(column), func.count(level.distinct())).select_from(rows)
    ).one()
    known = list(like.counts) if like is not None else []
    is_known = level == func.any(literal([name.replace("\0", "") for name in known], ARRAY(Text)))
    counted = select(level, func.count()).select_from(rows).where(column.is_not(None)).group_by(level)
    named = [tuple(row) for row in connection.execute(counted.where(is_known))] if known else []
    fresh = counted.where(not_(is_known)) if known else counted
    room = max(0, MOST_LEVELS - len(named))
    named += [tuple(row) for row in connection.execute(fresh.order_by(func.count().desc(), level).limit(room))]
    counts = np.array([count for _, count in named], dtype=np.int64)
    made = profile_levels([str(name) for name, _ in named], counts, nulls=int(total - given), like=like)
    return replace(made, rows=int(total), other=int(given) - made.count + made.other, distinct=int(distinct))


def _double(column: ColumnElement[Any]) -> Number:
    number = cast(column, Integer) if isinstance(column.type, sql.Boolean) else column
    return cast(number, Double)


def _labelled(connection: Connection, rows: FromClause, model: Model) -> pa.Table:
    """Return the labelled rows of the window, only what outcomes are made of; of a ranking, the groups that are all labelled."""
    names = model.columns
    asked_of = (names.time, names.score, names.label, names.label_time, names.version, names.prediction, names.group)
    kept = [name for name in asked_of if name in rows.c]
    kinds = {name: rows.c[name].type for name in kept}
    if names.label not in rows.c:
        return arrow(kinds, [])
    asked = select(*[rows.c[name] for name in kept]).where(rows.c[names.label].is_not(None))
    if model.task == RANKING and names.group in rows.c:
        lacking = func.count().over(partition_by=rows.c[names.group]) - func.count(rows.c[names.label]).over(
            partition_by=rows.c[names.group]
        )
        of = select(*[rows.c[name] for name in kept], lacking.label("labels_lacking")).subquery()
        asked = select(*[of.c[name] for name in kept]).where(of.c.labels_lacking == 0)
    return arrow(kinds, connection.execute(asked).all())


def _awaited(connection: Connection, rows: FromClause, model: Model, told: Any) -> Any:
    """Return the outcomes with those rows that have no label at all."""
    at, label = rows.c[model.columns.time], rows.c[model.columns.label]
    count, oldest = connection.execute(select(func.count(), func.min(at)).select_from(rows).where(label.is_(None))).one()
    since = [moment for moment in (told.oldest_awaited, _moment(oldest) if count else None) if moment is not None]
    return replace(told, awaited=told.awaited + int(count), oldest_awaited=min(since, default=None))


def _repeated(connection: Connection, rows: FromClause, name: str) -> int | None:
    """Return how many rows bear a request id that another row has already; None where the log has no ids."""
    if name not in rows.c:
        return None
    request = rows.c[name]
    given, distinct = connection.execute(select(func.count(request), func.count(request.distinct())).select_from(rows)).one()
    return int(given - distinct) if given else None


def _versions(connection: Connection, rows: FromClause, name: str) -> dict[str, int]:
    if name not in rows.c:
        return {}
    version = collate(cast(rows.c[name], Text), "C")
    asked = select(version, func.count()).select_from(rows).where(version != "").group_by(version).order_by(version)
    return {str(one): int(count) for one, count in connection.execute(asked)}


def _operations(connection: Connection, rows: FromClause, names: LogColumns, total: int) -> Operations | None:
    if names.latency_ms not in rows.c and names.error not in rows.c:
        return None
    waits, failed = np.empty(0), 0
    if names.latency_ms in rows.c and kind_of_type(rows.c[names.latency_ms].type) == "numeric":
        wait = _double(rows.c[names.latency_ms])
        asked = select(wait).where(and_(wait >= 0, wait < ENDLESS))
        waits = np.array([row[0] for row in connection.execute(asked)], dtype=np.float64)
    if names.error in rows.c:
        error = rows.c[names.error]
        wrong = _double(error) != 0 if kind_of_type(error.type) == "numeric" else cast(error, Text) != ""
        failed = int(connection.execute(select(func.count()).select_from(rows).where(wrong)).scalar_one())
    return Operations(total, failed, waits)


def _moment(at: Any) -> datetime:
    """Return a moment of the log in whole seconds, UTC: as `bot.sources.table` sees it."""
    if isinstance(at, datetime):
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
    return datetime.fromtimestamp(int(moments(pa.chunked_array([[at]]), "time")[0]), UTC)
