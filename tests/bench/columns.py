"""The benchmark's data: 20 numeric and 10 text columns as they are met in practice, a score and a label; made anew, never stored.

Numeric: eight continuous families, ties, zero-inflation, 5 % and 30 % missing, near-constant, two that drift. Text: from 2 to
100,000 levels with Zipf's frequencies, some nulls, one new level.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from bot.core.checks import Check
from bot.core.findings import Finding, judge
from bot.core.models import Feature, LogColumns, Model
from bot.core.readings import Reading
from bot.core.windows import Window
from bot.sources.files import FileSource

START = datetime(2013, 7, 1, tzinfo=UTC)
SPAN = timedelta(days=7)
WINDOW = Window(START, START + SPAN)
LEVELS = (2, 3, 5, 12, 50, 100, 200, 1_000, 10_000, 100_000)
SLICE = 1_000_000


def a_model() -> Model:
    """Return the model that has logged these columns."""
    numeric = [Feature(f"n{i:02}", "numeric") for i in range(20)]
    text = [Feature(f"c{i:02}", "categorical") for i in range(10)]
    names = LogColumns(time="time", score="score", label="label")
    return Model("bench", "test", "team", "log", "none", WINDOW, (), (*numeric, *text), names)


def a_small_model() -> Model:
    """Return a model of twenty features: 14 numeric, 6 categorical."""
    model = a_model()
    return replace(model, features=(*model.features[:14], *model.features[20:26]))


def look(path: Path, model: Model, like: Reading, some: Collection[Check]) -> list[Finding]:
    """Look at a log as a watch with these checks does."""
    asked = any(model.task in check.whole_rows for check in some)
    now = FileSource(path).reading(model, WINDOW, like.distributions, whole_rows=asked)
    return [finding for check in some for finding in judge(check, check.measure(like, now), model=model.key, window=now.window)]


def write(path: Path, rows: int, *, drifted: bool) -> None:
    """Write a log of so many rows, one row group a million."""
    writer = None
    for part, first in enumerate(range(0, rows, SLICE)):
        table = _slice(np.random.default_rng([part, drifted]), first, min(SLICE, rows - first), rows, drifted=drifted)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table, row_group_size=SLICE)
    if writer is not None:
        writer.close()


def _slice(random: np.random.Generator, first: int, rows: int, total: int, *, drifted: bool) -> pa.Table:
    step = SPAN / total
    at = np.datetime64(START.replace(tzinfo=None), "us") + (first + np.arange(rows)) * np.timedelta64(step)
    columns = {f"n{i:02}": _numbers(random, i, rows, drifted=drifted) for i in range(20)}
    columns |= {f"c{i:02}": _texts(random, i, rows, drifted=drifted) for i in range(10)}
    score = random.beta(2, 5, rows)
    label = random.random(rows) < score
    return pa.table({"time": pa.array(at, pa.timestamp("us", tz="UTC")), **columns, "score": score, "label": label})


def _numbers(random: np.random.Generator, kind: int, n: int, *, drifted: bool) -> pa.Array:
    families = (
        lambda n: random.normal(size=n), random.standard_exponential, random.random, random.standard_cauchy,
        lambda n: random.lognormal(0, 2, n), lambda n: random.gamma(0.5, 1, n),
        lambda n: random.standard_t(3, n), lambda n: random.normal(size=n) + 4.0 * (random.random(n) < 0.3),
    )  # fmt: skip
    values = np.asarray(random.normal(size=n) if kind in (0, 19) else families[kind % 8](n), dtype=np.float64)
    if kind in (8, 9):
        values = np.round(values, 1)
    elif kind in (10, 11):
        values[random.random(n) < 0.7] = 0.0
    elif kind == 14:
        values = (random.random(n) < 1e-4).astype(np.float64)
    elif kind in (18, 19) and drifted:
        values += 0.3
    missing: npt.NDArray[np.bool_] | None = random.random(n) < {12: 0.05, 13: 0.30}[kind] if kind in (12, 13) else None
    return pa.array(values, mask=missing)


def _texts(random: np.random.Generator, kind: int, n: int, *, drifted: bool) -> pa.Array:
    levels = LEVELS[kind]
    ranks = np.minimum(np.floor(levels ** random.random(n)), levels).astype(np.int64)  # P(rank) about 1 / rank
    names = pa.array([f"column {kind} level {level}" for level in range(levels + 2)])
    if kind == 4 and drifted:
        ranks[random.random(n) < 0.02] = levels + 1
    return names.take(pa.array(ranks, mask=random.random(n) < 0.05 if kind % 3 == 0 else None))
