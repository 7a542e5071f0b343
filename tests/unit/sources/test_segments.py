"""A window cut by its levels: the same cut points as the whole, only levels with enough rows, and nothing from odd columns."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from bot.core.models import Feature, LogColumns, Model
from bot.core.readings import Reading
from bot.core.windows import Window
from bot.sources.readings import reading_of
from bot.sources.segments import COARSE, LEAST_ROWS, MOST_SLICES, slices_of
from bot.stats.distances import kolmogorov_smirnov
from bot.store.codec import dumps, loads, pack, unpack

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
DAY = Window.ending(NOON, timedelta(days=1))
FEATURES = (Feature("x", "numeric"), Feature("origin", "categorical"))
MODEL = Model("m", "test", "ml", "log", "", DAY, (), FEATURES, LogColumns(), segments=("origin",))


def a_log(seed=0, n=2_000, shift=0.0, **changes):
    random = np.random.default_rng(seed)
    origin = random.choice(["JFK", "EWR", "tiny"], n, p=[0.5, 0.45, 0.05])
    columns = {
        "time": int(DAY.start.timestamp()) + np.arange(n),
        "score": random.random(n),
        "label": random.random(n) < 0.2,
        "x": random.normal(size=n) + shift * (origin == "JFK"),
        "origin": pa.array(origin.tolist()),
    }
    return pa.table({**columns, **changes})


def read(table, like=None):
    return reading_of(MODEL, DAY, table, like.columns if like else None, None)


def test_each_level_with_enough_rows_is_a_reading_of_its_own():
    whole = read(a_log())

    assert set(whole.slices) == {"origin=JFK", "origin=EWR"}
    assert whole.slices["origin=JFK"].rows == whole.columns["origin"].counts["JFK"]
    assert len(whole.slices["origin=JFK"].outcomes) == whole.slices["origin=JFK"].rows
    assert whole.slices["origin=JFK"].slices == {}


def test_slices_of_both_windows_are_counted_at_the_same_cut_points():
    then = read(a_log())
    now = read(a_log(1, shift=1.0), then)
    sides = [(then.slices[name].columns["x"], now.slices[name].columns["x"]) for name in ("origin=JFK", "origin=EWR")]

    assert len(sides[0][0].cuts) <= 2 * COARSE
    assert kolmogorov_smirnov(*sides[0]).value > 0.3
    assert kolmogorov_smirnov(*sides[1]).value < 0.1


@pytest.mark.parametrize("encoded", [False, True])
def test_at_most_the_most_frequent_levels_are_kept(encoded):
    levels = pa.array([f"l{i:02}" for i in range(40) for _ in range(LEAST_ROWS + i)])
    table = pa.table({"origin": levels.dictionary_encode() if encoded else levels})
    names = [name for name, _ in slices_of(table, ["origin"])]

    assert len(names) == MOST_SLICES
    assert names[0] == "origin=l39"


def test_columns_that_are_gone_or_hold_no_text_have_no_slices():
    assert list(slices_of(pa.table({"x": [1.0] * 900}), ["x", "gone"])) == []


def test_a_stored_reference_keeps_its_slices():
    whole = read(a_log())
    arrays: dict[str, np.ndarray] = {}
    back = loads(Reading, dumps(whole, arrays), unpack(pack(arrays)))

    assert np.array_equal(back.slices["origin=EWR"].columns["x"].bins, whole.slices["origin=EWR"].columns["x"].bins)


def test_a_model_without_segments_has_no_slices():
    assert reading_of(replace(MODEL, segments=()), DAY, a_log(), None, None).slices == {}
