"""Rank correlations as SciPy has them, ties and gaps included, and a chance that knows how many pairs were looked at."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bot.stats.correlation import LEAST_MOVING, LEAST_ROWS, changes, spearman
from tests.fakes.readings import joint

RANDOM = np.random.default_rng(5)


@settings(max_examples=80)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=30))
def test_the_correlation_is_scipys_with_ties(pairs):
    one, other = np.array(pairs, dtype=np.float64).T
    if len(set(one)) < 2 or len(set(other)) < 2:
        assert np.isnan(spearman(one, other))
        return

    assert spearman(one, other) == pytest.approx(stats.spearmanr(one, other).statistic, abs=1e-12)


def gappy(n, seed):
    random = np.random.default_rng(seed)
    x = random.normal(size=n).round(1)
    y = np.where(random.random(n) < 0.2, np.nan, x + random.normal(size=n))
    return {"x": np.where(random.random(n) < 0.1, np.nan, x), "y": y, "z": random.normal(size=n)}


def test_gaps_leave_a_pairs_row_out_as_scipy_does():
    then, now = gappy(600, 1), gappy(500, 2)
    found = {c.pair: c for c in changes(joint(then), joint(now))}

    for (a, b), change in found.items():
        theirs = [stats.spearmanr(side[a], side[b], nan_policy="omit").statistic for side in (then, now)]
        assert (change.then, change.now) == pytest.approx(theirs, abs=1e-9)
    assert found["x", "y"].n == int((~np.isnan(now["x"]) & ~np.isnan(now["y"])).sum())


def test_the_chance_is_fishers_times_the_pairs():
    change = next(c for c in changes(joint(gappy(600, 1)), joint(gappy(500, 2))) if c.pair == ("x", "z"))
    n = int((~np.isnan(gappy(600, 1)["x"])).sum())
    z = (np.arctanh(change.now) - np.arctanh(change.then)) / np.sqrt(1.06 / (n - 3) + 1.06 / (change.n - 3))

    assert change.p_value == pytest.approx(min(1.0, 3 * 2 * stats.norm.sf(abs(z))), rel=1e-9)


def test_without_a_change_some_pair_of_many_looks_certain_in_one_window_of_twenty():
    chances = [
        min(c.p_value for c in changes(*(joint({f"x{i}": RANDOM.normal(size=150) for i in range(6)}) for _ in range(2))))
        for _ in range(100)
    ]

    assert np.mean(np.array(chances) < 0.05) < 0.11


def test_the_largest_change_comes_first():
    x = RANDOM.normal(size=400)
    then = joint({"x": x, "y": x + RANDOM.normal(0, 0.1, 400), "z": RANDOM.normal(size=400)})
    now = joint({"x": x, "y": -x + RANDOM.normal(0, 0.1, 400), "z": RANDOM.normal(size=400)})

    assert changes(then, now)[0].pair == ("x", "y")


def test_a_perfect_correlation_has_a_chance_too():
    x = np.arange(200.0)
    found = changes(joint({"x": x, "y": x}), joint({"x": x, "y": -x}))[0]

    assert (found.then, found.now) == (pytest.approx(1), pytest.approx(-1))
    assert 0 <= found.p_value < 1e-12


@pytest.mark.parametrize(("lit", "measured"), [(LEAST_MOVING - 1, False), (LEAST_MOVING, True)])
def test_a_column_that_hardly_ever_moves_is_left_out(lit, measured):
    there = joint({"x": RANDOM.normal(size=400), "pixel": np.where(np.arange(400) < lit, np.arange(400) + 1.0, 0.0)})

    assert bool(changes(there, there)) is measured


def test_dark_pixels_do_not_cry_wolf():
    def windows(n):
        return joint({f"p{i}": np.where(RANDOM.random(n) < 0.01 * (i + 1), RANDOM.normal(5, 1, n), 0.0) for i in range(12)})

    seen = [c for _ in range(20) for c in changes(windows(1_000), windows(300)) if c.p_value < 0.05 and abs(c.now - c.then) >= 0.2]

    assert len(seen) <= 1


def test_constants_categories_and_thin_pairs_are_left_out():
    thin = np.where(np.arange(200) < LEAST_ROWS - 1, RANDOM.normal(size=200), np.nan)
    there = joint({"x": RANDOM.normal(size=200), "still": np.ones(200), "thin": thin, "c": ["a", "b"] * 100})

    assert changes(there, there) == []
