"""Wasserstein: known answers, SciPy as the oracle, and an interval that always holds SciPy's value."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from bot.stats import transport
from bot.stats.transport import by_chance, certified, deviation, earth_movers, scale
from tests.fakes.readings import numbers

few = st.integers(-5, 5).map(float)
some = st.one_of(few, st.floats(-1e6, 1e6), st.sampled_from([0.0, -0.0, 1e6, -1e9, 5e-324]))
columns = st.one_of(
    arrays.arrays(np.float64, st.integers(1, 60), elements=some),
    st.tuples(few, st.integers(1, 40)).map(lambda same: np.full(same[1], same[0])),
)
cuts = st.integers(1, 12)


def close(value, oracle):
    return value == pytest.approx(oracle, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("then", "now", "distance"), [([0, 1, 3], [5, 6, 8], 5.0), ([0, 1], [0, 1], 0.0), ([0], [1, 3], 2.0), ([0, 0, 3], [0, 3], 0.5)]
)
def test_the_distance_of_small_columns_is_the_one_made_by_hand(then, now, distance):
    assert close(earth_movers(np.array(then, float), np.array(now, float)), distance)


@pytest.mark.parametrize("part", [1, 3, 1_000_000])
@settings(max_examples=50)
@given(columns, columns)
def test_the_distance_is_scipys_however_it_is_cut_into_parts(part, then, now):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transport, "SLICE", part)
        value = earth_movers(np.sort(then), np.sort(now))

    assert close(value, stats.wasserstein_distance(then, now))


@given(columns, columns, cuts)
def test_scipys_value_lies_in_the_interval_however_few_cut_points_there_are(then, now, k):
    reference = numbers(then, cuts=k)
    low, high = certified(reference, numbers(now, reference))
    oracle = stats.wasserstein_distance(then, now)

    assert low <= oracle * (1 + 1e-12) + 1e-12
    assert oracle <= high * (1 + 1e-12) + 1e-12


@settings(max_examples=60)
@given(columns, columns, columns, columns, cuts)
def test_scipys_value_of_merged_stretches_lies_in_the_interval(a, b, c, d, k):
    start = numbers(a, cuts=k)
    low, high = certified(start.merged(numbers(b, start)), numbers(c, start).merged(numbers(d, start)))
    oracle = stats.wasserstein_distance(np.concatenate([a, b]), np.concatenate([c, d]))

    assert low <= oracle * (1 + 1e-9) + 1e-9
    assert oracle <= high * (1 + 1e-9) + 1e-9


@settings(max_examples=60)
@given(columns, columns, cuts, st.data())
def test_scipys_value_of_clipped_columns_lies_in_the_interval_within(then, now, k, data):
    reference = numbers(then, cuts=k)
    ends = sorted(data.draw(st.sampled_from(reference.cuts.tolist())) for _ in range(2))
    low, high = certified(reference, numbers(now, reference), within=tuple(ends))
    oracle = stats.wasserstein_distance(np.clip(then, *ends), np.clip(now, *ends))

    assert low <= oracle * (1 + 1e-9) + 1e-9
    assert oracle <= high * (1 + 1e-9) + 1e-9


def test_when_every_value_is_a_cut_point_the_interval_is_a_point():
    then, now = np.repeat([0.0, 1.0, 2.0], [5, 3, 2]), np.repeat([0.0, 1.0, 2.0], [1, 1, 7])
    reference = numbers(then)

    assert certified(reference, numbers(now, reference)) == pytest.approx([stats.wasserstein_distance(then, now)] * 2, abs=1e-12)


def test_the_interval_of_a_large_column_is_narrow():
    random = np.random.default_rng(3)
    reference = numbers(random.normal(size=100_000))
    low, high = certified(reference, numbers(random.normal(0.1, 1, 100_000), reference))

    assert high - low < 0.005


@pytest.mark.parametrize(
    ("then", "now"), [([], [1.0]), ([1.0], []), ([np.nan], [1.0]), ([1.7e308, -1.7e308, 0], [1.7e308, 1.6e308])]
)
def test_of_nothing_or_of_overflowing_sums_there_is_no_interval(then, now):
    reference = numbers(then)

    assert certified(reference, numbers(now, reference)) is None


def test_columns_counted_at_different_cut_points_cannot_be_compared():
    assert certified(numbers([1, 2, 3]), numbers([1, 2, 4])) is None


def test_one_outlier_changes_neither_the_spread_nor_what_holds_most():
    values = np.random.default_rng(4).normal(size=100_000)
    clean, spoiled = scale(numbers(values)), scale(numbers(np.append(values, 1e6)))

    assert spoiled.spread == pytest.approx(clean.spread, rel=1e-3)
    assert spoiled.spread == pytest.approx(1, rel=0.02)
    assert spoiled.within == pytest.approx(clean.within, rel=1e-2)


def test_the_spread_of_a_column_of_nearly_one_value_comes_from_wider_ranks_and_then_from_all_of_it():
    rare, rarer = np.zeros(1_000), np.zeros(1_000)
    rare[:30], rarer[:2] = 5.0, 5.0

    assert scale(numbers(rare)).spread == pytest.approx(5 / 5.151658607097801)
    assert scale(numbers(rarer)) == (pytest.approx(rarer.std()), None)
    assert scale(numbers(np.ones(10))) == (transport.NARROWEST, None)


def test_the_deviation_is_numpys_and_of_a_constant_exactly_none():
    values = np.random.default_rng(5).gamma(2, 3, 1_000)

    assert deviation(numbers(values)) == pytest.approx(values.std(), rel=1e-12)
    assert deviation(numbers(np.full(1_000, 0.1))) == 0.0


def test_without_change_the_distance_is_on_average_what_chance_explains():
    random = np.random.default_rng(6)
    then = np.sort(random.normal(size=5_000))
    drawn = [earth_movers(then, np.sort(random.normal(size=500))) for _ in range(200)]

    assert by_chance(numbers(then), 500) == pytest.approx(np.mean(drawn), rel=0.1)
