"""Quantiles beyond the draws, and lines that all measures cross together with the chance asked for."""

import numpy as np
import pytest
from scipy import stats

from bot.stats.tails import heights, independent_measures, pareto, upper_quantile


def test_inside_the_draws_it_is_their_own_quantile():
    values = np.random.default_rng(0).normal(size=1_000)

    assert upper_quantile(values, 0.05) == pytest.approx(np.quantile(values, 0.95))


@pytest.mark.parametrize(("shape", "tail"), [(0.0, stats.expon()), (0.2, stats.genpareto(0.2))], ids=["exponential", "heavy"])
def test_a_known_tail_is_found_by_its_moments(shape, tail):
    drawn = np.sort(tail.rvs(size=200_000, random_state=1))
    found = pareto(drawn)

    assert found == (pytest.approx(shape, abs=0.02), pytest.approx(1.0, abs=0.02))


@pytest.mark.parametrize("tail", [stats.norm(), stats.expon(), stats.genpareto(0.2)], ids=["normal", "exponential", "heavy"])
def test_beyond_the_draws_the_tail_goes_on(tail):
    told = [upper_quantile(tail.rvs(size=400, random_state=seed), 1e-3) for seed in range(40)]

    assert np.median(told) == pytest.approx(tail.isf(1e-3), rel=0.25)


def test_a_tail_is_never_lighter_than_an_exponential_nor_heavier_than_allowed():
    light = np.sort(stats.uniform().rvs(size=1_000, random_state=0))
    wild = np.sort(stats.genpareto(0.9).rvs(size=1_000, random_state=0))

    assert pareto(light)[0] == 0.0
    assert pareto(wild, 0.25)[0] == 0.25


@pytest.mark.parametrize(
    "values", [np.zeros(50), np.array([0.0, 1.0]), np.append(np.zeros(49), 1.0)], ids=["still", "two", "one bump"]
)
def test_hardly_any_variation_is_no_trouble(values):
    assert np.isfinite(upper_quantile(values, 1e-4))


def test_measures_that_always_move_together_count_once():
    one = np.random.default_rng(0).normal(size=(2_000, 1))

    assert independent_measures(np.tile(one, 5)) == pytest.approx(1.0, abs=0.01)
    assert independent_measures(np.random.default_rng(0).normal(size=(2_000, 5))) > 4


def test_all_lines_together_are_crossed_with_the_chance_that_was_asked_for():
    rng = np.random.default_rng(1)
    lines = heights(rng.chisquare(3, size=(2_000, 6)), 0.05, 2_000)
    crossed = (rng.chisquare(3, size=(50_000, 6)) > lines).any(axis=1).mean()

    assert 0.02 < crossed <= 0.06


def test_fewer_independent_draws_make_higher_lines():
    draws = np.random.default_rng(1).normal(size=(400, 3))

    assert (heights(draws, 0.02, 40) > heights(draws, 0.02, 400) - 0.05).all()
    assert heights(draws, 0.02, 40).sum() > heights(draws, 0.02, 400).sum()


def test_what_never_varies_or_was_hardly_measured_gets_no_line():
    rng = np.random.default_rng(1)
    draws = np.column_stack([rng.normal(size=100), np.ones(100), np.where(np.arange(100) < 60, np.nan, 1.0 * np.arange(100))])
    lines = heights(draws, 0.05, 100)

    assert np.isfinite(lines).tolist() == [True, False, False]


@pytest.mark.parametrize(
    "draws", [np.empty((0, 2)), np.full((50, 2), np.nan), np.ones((50, 2))], ids=["none", "unmeasured", "still"]
)
def test_nothing_to_learn_from_gives_no_line(draws):
    assert np.isnan(heights(draws, 0.05, 50)).all()


def test_draws_that_could_not_be_measured_are_left_out():
    draws = np.random.default_rng(1).normal(size=(400, 1))
    holed = draws.copy()
    holed[::4] = np.nan

    assert heights(holed, 0.05, 400)[0] == pytest.approx(heights(draws, 0.05, 400)[0], rel=0.15)
