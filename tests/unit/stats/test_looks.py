"""How many independent looks the looks of a window are worth: known ends, SciPy's bivariate normal, simulated sliding means."""

import numpy as np
import pytest
from scipy import stats

from bot.stats.looks import MOST, chance_a_look, false_incidents, fresh, looks_a_window


@pytest.mark.parametrize("correlation", [0.0, 0.25, 0.75, 0.99], ids=str)
@pytest.mark.parametrize("chance", [0.2, 0.01, 1e-4], ids=str)
def test_a_bad_look_after_a_fine_one_is_as_the_bivariate_normal_has_it(chance, correlation):
    line = stats.norm.isf(chance)
    both = stats.multivariate_normal(cov=[[1, correlation], [correlation, 1]], abseps=1e-10, releps=1e-10).cdf([-line, -line])

    assert fresh(chance, correlation) == pytest.approx(1 - both / chance, abs=1e-4)


def test_the_same_look_twice_says_nothing_new():
    assert fresh(0.01, 1.0) == 0.0


def test_windows_that_do_not_overlap_are_looks_of_their_own():
    assert looks_a_window(1e-6, 1.0) == pytest.approx(1.0)
    assert looks_a_window(1e-6, 2.0) == pytest.approx(0.5)


def test_more_looks_at_the_same_window_are_worth_more_but_much_less_than_their_number():
    worth = [looks_a_window(0.001, step) for step in (1, 1 / 4, 1 / 24, 1 / 288)]

    assert worth == sorted(worth)
    assert worth[-1] < 288 / 4


def openings(bad, calm):
    """Return how many incidents open: at a bad look after so many fine ones."""
    places = np.flatnonzero(bad)
    return 1 + int((np.diff(places) > calm).sum())


@pytest.mark.parametrize(("step", "calm", "least"), [(1 / 2, 1, 0.9), (1 / 4, 1, 0.9), (1 / 24, 1, 0.9), (1 / 24, 3, 0.4)], ids=str)
def test_a_simulated_sliding_mean_opens_no_more_than_expected(step, calm, least):
    looks, chance = round(1 / step), 0.005
    rows = np.random.default_rng(3).normal(size=600_000)
    means = np.convolve(rows, np.full(looks, looks**-0.5), mode="valid")
    opened = openings(np.abs(means) >= stats.norm.isf(chance / 2), calm)
    expected = false_incidents(chance, len(means) * step, step, (1, calm))

    assert least * expected <= opened <= 1.1 * expected


def test_persistence_counts_only_where_its_windows_share_no_row():
    assert false_incidents(0.01, 30, 1.0, (1, 1)) == pytest.approx(0.3, rel=0.01)
    assert false_incidents(0.01, 30, 1.0, (2, 3)) == pytest.approx(30 * 2 * 0.01**2, rel=0.01)
    assert false_incidents(0.01, 30, 0.1, (2, 2)) == pytest.approx(false_incidents(0.01, 30, 0.1, (1, 2)))


def test_the_chance_is_the_one_that_gives_what_was_wanted():
    chance = chance_a_look(1.0, 30, 0.25, (1, 1), 4)

    assert false_incidents(chance, 30, 0.25, (1, 1), 4) == pytest.approx(1.0)


def test_a_wish_that_any_look_keeps_is_capped():
    assert chance_a_look(100.0, 2, 1.0) == MOST
