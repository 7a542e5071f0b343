"""What PostgreSQL counts by itself is what Arrow counts of the same rows, and no rows move."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import create_engine, text

from bot.core.errors import ConfigError, SourceUnavailable
from bot.core.models import Feature, LogColumns, Model
from bot.core.profiles import CategoryProfile, NumericProfile
from bot.core.readings import RANKING
from bot.core.windows import Window
from bot.sources.sql import SqlSource, make
from bot.stats import profiles
from tests.fakes.driver import rows_sent

NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)
HOUR = Window.ending(NINE, timedelta(hours=1))
HALF = Window.ending(NINE, timedelta(minutes=30))
KINDS = {
    "time": "timestamptz",
    "score": "double precision",
    "label": "boolean",
    "label_time": "timestamptz",
    "version": "text",
    "latency_ms": "double precision",
    "error": "text",
    "x": "double precision",
    "tied": "numeric(8, 2)",
    "whole": "bigint",
    "flag": "boolean",
    "same": "double precision",
    "void": "double precision",
    "c": "text",
    "many": "text",
    "t": "text",
}
NUMBERS = ("x", "tied", "whole", "flag", "same", "void", "t")
LOG = {name: name for name in ("label", "label_time", "version", "latency_ms", "error")}
MODEL = Model(
    "m", "test", "ml", "log", "", HOUR, (),
    (*(Feature(name, "numeric") for name in NUMBERS), Feature("c", "categorical"), Feature("many", "categorical")),
    LogColumns(request="", **LOG),
)  # fmt: skip


def predictions(n: int) -> list[tuple[Any, ...]]:
    """Return hostile rows: NULL, NaN, infinities, -0.0, ties, decimals, levels that sort strangely."""
    random = np.random.default_rng(3)
    levels = ["a", "B", "é", "a\"b'; --", "", "zz", None]
    rows = []
    for i in range(n):
        at = NINE - timedelta(seconds=3_700 * (i + 0.5) / n)
        x = [None, float("nan"), float("inf"), float("-inf"), -0.0, 0.0][i % 13] if i % 13 < 6 else random.normal()
        labelled = i % 3 == 0
        came = at + timedelta(minutes=i % 50) if labelled and i % 4 else None
        rows.append((
            at, None if i % 29 == 0 else random.random(), labelled and bool(i % 2) if labelled else None, came, f"v{i % 2}",
            None if i % 7 == 0 else random.exponential(9), "" if i % 5 else "timed out", x, round(random.normal(), 1), int(i % 40),
            None if i % 11 == 0 else i % 2 == 0, 7.5, None, levels[i % 7], f"level {random.geometric(0.02)}", f"{i % 9}",
        ))  # fmt: skip
    return rows


@pytest.fixture
def log(postgres_url: str) -> Iterator[Callable[..., tuple[SqlSource, SqlSource]]]:
    """Write rows; return the source that counts in the database, and the one that reads them."""
    opened: list[SqlSource] = []

    def written(rows: list[tuple[Any, ...]]) -> tuple[SqlSource, SqlSource]:
        engine = create_engine(postgres_url)
        with engine.begin() as database:
            database.execute(text("DROP TABLE IF EXISTS log"))
            database.execute(text(f"CREATE TABLE log ({', '.join(f'{name} {kind}' for name, kind in KINDS.items())})"))
            if rows:
                places = ", ".join(f":{name}" for name in KINDS)
                values = [dict(zip(KINDS, row, strict=True)) for row in rows]
                database.execute(text(f"INSERT INTO log VALUES ({places})"), values)  # noqa: S608
        engine.dispose()
        opened.extend(make({"url": postgres_url, "table": "log", "push_down": there}) for there in (True, False))
        return opened[-2], opened[-1]

    yield written
    for source in opened:
        source._engine.dispose()


NOT_COUNTED = {"far", "magnitudes", "sentinels", "changes", "followed"}
"""What the database is not asked for; the checks that need it say so."""


def same(one: Any, other: Any) -> None:
    """Assert that both count the same, up to the rounding of sums."""
    assert type(one) is type(other)
    for field in fields(one):
        if field.name in NOT_COUNTED:
            continue
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        if isinstance(mine, np.ndarray | float) and not (isinstance(mine, np.ndarray) and mine.dtype.kind in "bU"):
            assert mine == pytest.approx(theirs, rel=1e-12, abs=1e-9), field.name
        elif isinstance(mine, np.ndarray):
            assert mine.tolist() == theirs.tolist(), field.name
        elif not (mine is None or theirs is None):
            assert mine == theirs, field.name


def alike(one: Any, other: Any) -> None:
    """Assert that two readings tell the same."""
    assert (one.rows, one.kinds, one.newest, one.versions) == (other.rows, other.kinds, other.newest, other.versions)
    assert one.duplicates == other.duplicates
    assert list(one.columns) == list(other.columns)
    for name in one.columns:
        same(one.columns[name], other.columns[name])
    order = np.argsort(one.outcomes.scores), np.argsort(other.outcomes.scores)
    for field in ("scores", "labels", "versions", "at"):
        assert (getattr(one.outcomes, field)[order[0]] == getattr(other.outcomes, field)[order[1]]).all()
    assert (one.outcomes.awaited, one.outcomes.oldest_awaited) == (other.outcomes.awaited, other.outcomes.oldest_awaited)
    assert (one.operations.requests, one.operations.errors) == (other.operations.requests, other.operations.errors)
    assert np.sort(one.operations.latencies_ms).tolist() == np.sort(other.operations.latencies_ms).tolist()


def test_the_database_counts_what_arrow_counts(log):
    there, here = log(predictions(400))
    then, before = there.reading(MODEL, HOUR, as_of=NINE), here.reading(MODEL, HOUR, as_of=NINE)

    alike(then, before)
    alike(there.reading(MODEL, HALF, then.columns, as_of=NINE), here.reading(MODEL, HALF, before.columns, as_of=NINE))


def test_of_a_ranking_only_groups_travel_that_have_all_their_labels(log):
    there, here = log(predictions(60))
    ranks = replace(MODEL, task=RANKING, columns=replace(MODEL.columns, group="t"))
    found, plainly = (source.reading(ranks, HOUR).outcomes for source in (there, here))

    assert sorted(zip(found.groups, found.scores, found.values, strict=True)) == sorted(
        zip(plainly.groups, plainly.scores, plainly.values, strict=True)
    )
    assert (len(set(found.groups.tolist())), found.awaited) == (2, plainly.awaited)
    with pytest.raises(SourceUnavailable, match="no column 'lost'"):
        there.reading(replace(ranks, columns=replace(ranks.columns, group="lost")), HOUR)


def test_a_reference_with_more_values_than_cut_points_is_cut_at_equal_ranks(log, monkeypatch):
    monkeypatch.setattr(profiles, "CUTS", 20)
    monkeypatch.setattr(profiles, "FEW_CUTS", 20)
    there, here = log(predictions(400))
    x = there.reading(MODEL, HOUR).columns["x"]

    assert isinstance(x, NumericProfile)
    assert len(x.cuts) <= 20
    same(x, here.reading(MODEL, HOUR).columns["x"])


def test_levels_beyond_those_that_are_kept_are_summed_and_the_references_are_kept(log, monkeypatch):
    monkeypatch.setattr("bot.sources.pushed.MOST_LEVELS", 5)
    there, _ = log(predictions(400))
    reference = there.reading(MODEL, HOUR).columns["many"]
    rare = replace(reference, counts={"level 1": 1, "never": 1})  # type: ignore[arg-type]
    now = there.reading(MODEL, HOUR, {"many": rare}).columns["many"]

    assert isinstance(reference, CategoryProfile)
    assert isinstance(now, CategoryProfile)
    assert len(reference.counts) == 5
    assert sum(reference.counts.values()) + reference.other == reference.count
    assert set(now.counts) >= {"level 1"}
    assert len(now.counts) == 5
    assert now.distinct > 20


@pytest.mark.parametrize("rows", [[], predictions(1)])
def test_next_to_nothing_is_a_reading_too(log, rows):
    there, here = log(rows)

    alike(there.reading(MODEL, HOUR), here.reading(MODEL, HOUR))


def test_no_rows_move_however_many_there_are(log):
    names = LogColumns(request="", version="", label="", label_time="", latency_ms="", error="", score="same")
    features = (Feature("tied", "numeric"), Feature("whole", "numeric"), Feature("c", "categorical"))
    bare, moved = replace(MODEL, columns=names, features=features), {}
    for n in (600, 1_800):
        there, _ = log(predictions(n))
        like = there.reading(bare, HOUR).columns
        moved[n] = rows_sent(there._engine, lambda there=there, like=like: there.reading(bare, HOUR, like))

    assert moved[1_800] <= moved[600] + 20
    assert moved[1_800] < 250


def test_times_that_are_texts_cannot_be_ordered_there(log):
    there, _ = log(predictions(10))

    with pytest.raises(SourceUnavailable, match="'t' of the table 'log' is text: push_down needs"):
        there.reading(replace(MODEL, columns=LogColumns(time="t")), HOUR)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"url": "sqlite:///log.db", "push_down": True}, "PostgreSQL only"),
        ({"url": "sqlite://", "push_down": "maybe"}, "true or false"),
    ],
)
def test_what_cannot_be_pushed_down_is_said(options, words):
    with pytest.raises(ConfigError, match=words):
        make({"table": "log", **options})
