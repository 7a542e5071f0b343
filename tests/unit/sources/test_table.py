"""Whatever types a log's columns have, a reading comes out, or one sentence; never a crash."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import checks
from bot.core.checks import Check, Measurement
from bot.core.errors import SourceUnavailable
from bot.core.models import Feature, LogColumns, Model
from bot.core.readings import Reading
from bot.core.registry import discover
from bot.core.windows import Window
from bot.sources.readings import reading_of
from bot.sources.table import sample_of, within
from bot.sources.values import texts

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
DAY = Window.ending(NOON, timedelta(days=1))
FEATURES = (Feature("x", "numeric"), Feature("carrier", "categorical"))
MODEL = Model("m", "test", "ml", "log", "", DAY, (), FEATURES, LogColumns())
CHECKS = discover(checks, Check).values()
EARLIER = NOON - timedelta(hours=1)

COLUMNS = {
    "times": pa.array([EARLIER, EARLIER, None], pa.timestamp("us", tz="UTC")),
    "times of nanoseconds": pa.array([EARLIER, EARLIER, NOON], pa.timestamp("ns")),
    "far times": pa.array([2**62, -(2**62), 0], pa.timestamp("s")),
    "texts of times": pa.array([EARLIER.isoformat(), "2026-03-29 11:00:00", "2026-03-29T11:00:00Z"]),
    "texts of times, as a dictionary": pa.array([EARLIER.isoformat()] * 3).dictionary_encode(),
    "epoch": pa.array([EARLIER.timestamp()] * 3),
    "epoch in ms": pa.array([int(EARLIER.timestamp()) * 1_000] * 3),
    "days": pa.array([date(2026, 3, 29), None, date(1, 1, 1)]),
    "hours": pa.array([time(1), time(2), None]),
    "durations": pa.array([timedelta(1), timedelta(2), None]),
    "scores": pa.array([0.1, 0.5, 0.9]),
    "odd numbers": pa.array([float("nan"), float("inf"), -0.0]),
    "huge numbers": pa.array([1e308, -1e308, 5e-324]),
    "small floats": pa.array([0.5, 1.0, None], pa.float32()),
    "huge whole numbers": pa.array([2**64 - 1, 0, None], pa.uint64()),
    "decimals": pa.array([Decimal("0.10"), Decimal("1e20"), None], pa.decimal128(38, 2)),
    "flags": pa.array([True, False, None]),
    "ones and zeros": pa.array([1, 0, 1]),
    "texts": pa.array(["<!channel>", "'; DROP TABLE log; --", "\x00\u202e"]),
    "large texts": pa.array(["a", "", None], pa.large_string()),
    "bytes": pa.array([b"\xff\xfe", b"", None]),
    "lists": pa.array([[1], [], None]),
    "structs": pa.array([{"a": 1}, {"a": None}, None]),
    "nulls": pa.nulls(3),
    "texts, as a dictionary": pa.array(["a", "b", None]).dictionary_encode(),
}
NAMES = ("time", "score", "label", "label_time", "latency_ms", "error", "version", "request_id", "x", "carrier")
USUAL = {"time": "epoch", "score": "scores", "label": "flags", "label_time": "times", "x": "scores", "carrier": "texts"}


def made(kinds: dict[str, str], rows: int = 3) -> pa.Table:
    return pa.table({name: COLUMNS[kind].slice(0, rows) for name, kind in kinds.items()})


def read(table: pa.Table) -> Reading:
    inside = within(table, DAY, "time")
    sample_of(MODEL, inside, 2, None)
    return reading_of(MODEL, DAY, inside, None, NOON)


@settings(max_examples=300)
@given(st.fixed_dictionaries({name: st.sampled_from(list(COLUMNS)) for name in NAMES}), st.integers(0, 3))
def test_any_types_of_columns_give_a_reading_that_every_check_can_measure_or_one_sentence(kinds, rows):
    try:
        reading = read(made(kinds, rows))
    except SourceUnavailable:
        return

    assert reading.rows <= rows
    assert all(np.isfinite(m.value) for check in CHECKS for m in check.measure(reading, reading) if isinstance(m, Measurement))


@pytest.mark.parametrize("kind", [kind for kind in COLUMNS if "time" in kind or "epoch" in kind])
def test_every_kind_of_time_is_understood(kind):
    reading = read(made(USUAL | {"time": kind}))

    assert reading.rows == {"times": 2, "times of nanoseconds": 2, "far times": 0}.get(kind, 3)
    assert reading.newest in (EARLIER, None)


@pytest.mark.parametrize("kind", ["texts", "lists", "bytes", "hours", "structs", "flags", "odd numbers"])
def test_what_is_no_time_is_said_to_be_none(kind):
    with pytest.raises(SourceUnavailable, match="column 'time' does not hold times"):
        read(made(USUAL | {"time": kind}))


@pytest.mark.parametrize("kind", ["texts", "lists", "bytes", "times", "texts, as a dictionary"])
def test_labels_that_are_no_numbers_are_said_to_be_none(kind):
    with pytest.raises(SourceUnavailable, match="label column 'label' must hold"):
        read(made(USUAL | {"label": kind}))


@pytest.mark.parametrize("kind", ["texts", "lists", "bytes", "times", "texts, as a dictionary"])
def test_scores_that_are_no_numbers_are_another_type_and_nobody_is_judged_by_them(kind):
    reading = read(made(USUAL | {"score": kind}))

    assert reading.kinds["score"] == "categorical"
    assert reading.outcomes is not None
    assert len(reading.outcomes) == 0


@pytest.mark.parametrize("kind", ["flags", "ones and zeros", "decimals", "small floats"])
def test_labels_may_be_flags_or_numbers(kind):
    outcomes = read(made({name: kind for name, kind in USUAL.items() if name != "label_time"} | {"label": kind})).outcomes

    assert outcomes is not None
    assert len(outcomes) + outcomes.awaited == 3
    assert outcomes.labels.any()


def test_a_score_that_is_no_probability_is_left_out_and_not_awaited():
    scored = (
        made(USUAL | {"label": "ones and zeros"}).drop(["score", "label_time"]).append_column("score", pa.array([0.5, 7.0, -1e308]))
    )

    outcomes = read(scored).outcomes

    assert outcomes is not None
    assert (len(outcomes), outcomes.awaited) == (1, 0)


@pytest.mark.parametrize(
    ("column", "written"),
    [
        (pa.array([1.5, None]), ["1.5", None]),
        (pa.array([b"ok", b"\xff"]), ["ok", "\\xff"]),
        (pa.array([[1, 2], None]), ["[1, 2]", None]),
        (pa.array([{"a": 1}]), ["{'a': 1}"]),
        (pa.array([UUID(int=1).bytes], pa.uuid()), ["00000000-0000-0000-0000-000000000001"]),
    ],
    ids=["numbers", "bytes that are no UTF-8", "lists", "structs", "UUIDs"],
)
def test_any_column_can_be_read_as_text(column, written):
    assert texts(pa.chunked_array([column])).to_pylist() == written
