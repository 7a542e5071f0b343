"""Two files, no set-up: which columns moved? What `aiops drift` shows.

Rooms: `sides` (a file, read a column at a time), `pairs` (a column of both), `measures` (the table of what is measured, and the
lines), `verdicts` (measured columns → findings and JSON), `headline` (the one sentence), `pictures` (what is drawn).

Kinds: numbers and decimals are numeric, integers with few levels too (their ties are exact; a code that is no amount belongs in
text); booleans and everything else are categorical; a boolean beside a number is 0 or 1; times are left out: they pass, they do not
drift.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from bot.sources.compare import verdicts
from bot.sources.compare.headline import headline
from bot.sources.compare.measures import CATEGORICAL, NUMERIC, Found, Measure, Pair, chosen, settled
from bot.sources.compare.pairs import StreamedNumbers, leveled, streamed, whole
from bot.sources.compare.sides import Side, side_of
from bot.sources.compare.verdicts import Column
from bot.sources.values import kind_of

LARGE = 2_000_000
"""Rows a side; above, a window is streamed and KS and W1 are intervals, unless exact numbers are asked for."""

THREADS = 2
TIME = "time"


@dataclass(frozen=True, slots=True)
class Comparison:
    """`told` is plain JSON; `pictures` say, by column, how both sides are distributed, where that was asked for."""

    told: dict[str, Any]
    pictures: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted: measures by kind of column, no intervals, pictures; above `large` rows a window is streamed."""

    measures: dict[str, Any]
    exact: bool = False
    pictures: bool = False
    large: int = LARGE


def compare_tables(
    reference: Path, current: Path, *, checks: Iterable[str] = (), every: bool = False, exact: bool = False, pictures: bool = False
) -> Comparison:
    """Return how far each column of `current` is from `reference`.

    Raises:
        ConfigError: there is no check of that name.
        SourceUnavailable: one of the two cannot be read.
    """
    wish = Wish(chosen(checks, every=every), exact, pictures)
    return compared(side_of(reference), side_of(current), wish)


def compared(reference: Side, current: Side, wish: Wish) -> Comparison:
    """Return the same for two sides that are open already."""
    kinds = {name: _kinds(reference.type(name), current.type(name)) for name in reference.names if name in current.names}
    same = {name: then for name, (then, now) in kinds.items() if then == now != TIME}
    with ThreadPoolExecutor(THREADS) as pool:  # sorting and reading let go of Python's lock
        columns = list(pool.map(partial(_measured, reference, current, wish), same, same.values()))
    broken = list(verdicts.broken(reference.names, current.names, kinds))
    told = verdicts.told(columns, broken, wish.measures)
    times = [name for name, both in kinds.items() if both == (TIME, TIME)]
    told |= {
        "reference": {"rows": reference.rows},
        "current": {"rows": current.rows},
        "left_out": [{"feature": name, "reason": "a time"} for name in times],
    }
    told["headline"] = headline(told)
    return Comparison(told, {column.name: column.picture for column in columns if column.picture is not None})


def _measured(reference: Side, current: Side, wish: Wish, name: str, kind: str) -> Column:
    """Read, sort and measure one column of both files; nothing of its rows is kept."""
    pair = _pair(reference, current, wish, name, kind)
    there = pair.reference.count and pair.current.count
    taken = ((measure, _taken(measure, pair)) for measure in wish.measures[kind]) if there else ()
    found = {measure.name: found for measure, found in taken if found is not None}
    return Column(name, kind, pair.reference, pair.current, found, pair.picture() if wish.pictures else None)


def _pair(reference: Side, current: Side, wish: Wish, name: str, kind: str) -> Pair:
    then, now = partial(reference.column, name), partial(current.column, name)
    if kind == CATEGORICAL:
        return leveled(then, now)
    if wish.exact or max(reference.rows, current.rows) <= wish.large:
        return whole(then, now)
    return streamed(then, current.slices(name), now, pictures=wish.pictures)


def _taken(measure: Measure, pair: Pair) -> Found | None:
    """Return what one measure says; exactly where a line lies inside of what an approximation leaves open."""
    found = measure.take(pair)
    if found is None:
        return None
    if found.interval is None or not isinstance(pair, StreamedNumbers):
        return settled(measure, pair, found)
    lines = [line * found.line for line in (measure.warning, measure.critical)]
    open_question = any(found.interval.low < line <= found.interval.high for line in lines)
    return measure.take(pair.exact()) if open_question else found


def _kinds(then: pa.DataType, now: pa.DataType) -> tuple[str, str]:
    """Return what each side is; one without any value is what the other is."""
    return _kind(now if pa.types.is_null(then) else then, now), _kind(then if pa.types.is_null(now) else now, then)


def _kind(kind: pa.DataType, beside: pa.DataType) -> str:
    if pa.types.is_temporal(kind):
        return TIME
    if pa.types.is_boolean(kind):
        counted = kind_of(beside, CATEGORICAL) == NUMERIC and not pa.types.is_boolean(beside)
        return NUMERIC if counted else CATEGORICAL
    return kind_of(kind, CATEGORICAL)
