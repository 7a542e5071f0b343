"""Stretches put together: as if they had been read as one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.core.merging import merged
from bot.core.profiles import CategoryProfile
from bot.core.readings import Operations, Outcomes, Reading
from bot.core.windows import Window
from bot.stats.profiles import profile_numbers

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2026, 3, 1, tzinfo=UTC)
LIKE = profile_numbers(np.arange(10.0))


def day(number, rows=2):
    window = Window(START + number * DAY, START + (number + 1) * DAY)
    at = np.array([int(window.start.timestamp()) + 60] * rows)
    outcomes = Outcomes(np.full(rows, 0.5), np.ones(rows, bool), np.full(rows, "v1"), at, awaited=1)
    columns = {"x": profile_numbers(np.full(rows, float(number)), like=LIKE), "c": CategoryProfile(rows, 0, {"a": rows})}
    serving = Operations(rows, 1, np.full(rows, 20.0))
    return Reading(window, rows, columns, {"x": "numeric"}, outcomes, serving, window.end - timedelta(hours=1))


def test_a_day_that_comes_twice_is_two_days():
    both = merged([day(3), day(3)], END)

    assert both.window == Window(END - 2 * DAY, END)
    assert (both.rows, both.columns["x"].rows, both.columns["c"].counts) == (4, 4, {"a": 4})
    assert [datetime.fromtimestamp(int(at), UTC).day for at in both.outcomes.at] == [27, 27, 28, 28]
    assert (both.outcomes.awaited, both.operations.requests, both.operations.errors) == (2, 4, 2)
    assert both.newest == END - timedelta(hours=1)


def test_one_stretch_is_itself_at_its_new_place():
    assert merged([day(3)], END).columns["x"].mean == 3.0


@pytest.mark.parametrize(
    "other",
    [{}, {"x": CategoryProfile(2, 0, {"a": 2}), "c": LIKE}],
    ids=["lost", "of another kind"],
)
def test_a_column_that_is_not_the_same_everywhere_is_left_out(other):
    assert merged([day(1), replace(day(2), columns=other)], END).columns == {}


def test_what_no_stretch_has_the_whole_has_not():
    bare = replace(day(1), outcomes=None, operations=None, newest=None)
    both = merged([bare, bare], END)

    assert (both.outcomes, both.operations, both.newest) == (None, None, None)
