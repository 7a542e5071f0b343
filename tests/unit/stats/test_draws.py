"""How much a row is worth as evidence: slow columns say little, however many rows they have."""

import numpy as np
import pytest

from bot.stats.draws import draws, independence
from tests.fakes.readings import levels, numbers

RANDOM = np.random.default_rng(1)


@pytest.mark.parametrize(
    "column",
    [
        numbers(RANDOM.normal(size=2_000)),
        numbers(RANDOM.integers(0, 3, 2_000)),
        numbers(RANDOM.random(20_000) < 0.01),
        levels(RANDOM.choice(["a", "b", "c"], 2_000, p=[0.9, 0.05, 0.05]).tolist()),
    ],
    ids=["continuous", "few values", "rare", "levels"],
)
def test_rows_in_no_order_are_independent(column):
    assert independence(column) == pytest.approx(1, abs=0.1)


def test_a_weekday_is_about_one_draw_a_day():
    weekday = levels([name for _ in range(10) for name in "MTWTFSS" for _ in range(100)])

    today = levels(["T"] * 100, weekday)

    assert draws(weekday, today) == (pytest.approx(1, rel=0.25), pytest.approx(70, rel=0.25))


def test_a_slow_number_is_told_by_its_changes_too():
    hourly = numbers(np.repeat(RANDOM.normal(size=50), 60))

    assert draws(hourly, hourly)[1] == pytest.approx(50, rel=0.1)


def test_one_value_never_changes_and_what_nobody_has_followed_is_not_known():
    assert independence(numbers(np.ones(50))) is None
    assert independence(numbers([1, 2, 3], numbers([1, 2, 3]))) is None
    assert independence(numbers([])) is None


def test_where_nobody_knows_each_row_is_a_draw():
    assert draws(numbers(np.ones(50)), numbers(np.ones(30))) == (30, 50)


def test_missing_values_are_no_neighbours():
    profile = numbers([1, np.nan, 1, 1, 2, np.nan])

    assert (profile.changes, profile.followed) == (1, 2)
