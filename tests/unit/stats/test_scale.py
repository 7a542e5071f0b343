"""Jumps of scale: found for what they are, and never seen in a drift."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bot.stats.scale import BINS, EDGES, jump, magnitudes, other_than_zero

RANDOM = np.random.default_rng(5)
FAMILIES = {
    "normal": lambda n: RANDOM.normal(size=n),
    "narrow": lambda n: RANDOM.normal(50, 2, n),
    "exponential": RANDOM.standard_exponential,
    "uniform": RANDOM.random,
    "lognormal over decades": lambda n: RANDOM.lognormal(0, 2, n),
    "whole numbers": lambda n: RANDOM.integers(18, 90, n).astype(float),
    "mostly zero": lambda n: RANDOM.standard_exponential(n) * (RANDOM.random(n) < 0.3),
    "below zero": lambda n: -RANDOM.gamma(3, 10, n) - 5,
}
ONE_SIGNED = [name for name in FAMILIES if name != "normal"]
finite = arrays.arrays(np.float64, st.integers(0, 50), elements=st.floats(allow_nan=False, allow_infinity=False))


def counted(values):
    return magnitudes(np.sort(np.asarray(values, dtype=np.float64)))


def test_a_value_is_counted_in_the_quarter_of_its_decade():
    bins = counted([0.0, 1.0, 1.2, -1.0, 10.0])

    assert bins[BINS] == 1
    assert sorted(bins[bins > 0].tolist()) == [1, 1, 1, 2]
    assert np.flatnonzero(bins).tolist() == [BINS - 48, BINS, BINS + 48, BINS + 52]


def test_no_round_number_lies_on_an_edge():
    written = np.array([m * 10.0**e for m in (1, 1.5, 2, 2.5, 5, 7.5) for e in range(-12, 16)])

    assert (np.abs(np.abs(EDGES)[:, None] / written - 1) > 1e-5).all()


@given(finite, finite)
def test_every_value_has_a_magnitude_and_slices_add_up(one, other):
    whole = counted(np.concatenate([one, other]))

    assert (counted(one) + counted(other)).tolist() == whole.tolist()
    assert whole.sum() == len(one) + len(other)


@given(finite)
def test_turning_the_signs_turns_the_counts(values):
    assert counted(-values).tolist() == counted(values)[::-1].tolist()


@given(finite, finite)
def test_whatever_the_columns_the_answer_is_none_or_a_share_within_its_interval(one, other):
    found = jump(counted(one), counted(other))

    assert found is None or 0 <= found.low <= found.share <= found.high <= 1


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("factor", [100.0, 1_000.0, 0.001])
def test_a_jump_of_all_values_is_found_and_named(name, factor):
    reference = counted(FAMILIES[name](20_000))

    found = jump(reference, counted(FAMILIES[name](2_000) * factor))

    assert found is not None
    assert found.share > 0.95
    assert abs(np.log10(found.factor / factor)) < 0.15


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("share", [0.1, 0.3])
def test_a_jump_of_some_values_is_found_with_their_share(name, share):
    values = FAMILIES[name](3_000) * np.where(RANDOM.random(3_000) < share, 1_000, 1)

    found = jump(counted(FAMILIES[name](20_000)), counted(values))

    assert found is not None
    assert found.low - 0.02 <= share <= found.high + 0.02
    assert abs(np.log10(found.factor / 1_000)) < 0.2


@pytest.mark.parametrize("name", ONE_SIGNED)
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_a_turned_sign_is_found(name, share):
    values = FAMILIES[name](3_000) * np.where(RANDOM.random(3_000) < share, -1, 1)

    found = jump(counted(FAMILIES[name](20_000)), counted(values))

    assert found is not None
    assert found.factor == -1
    assert found.share == pytest.approx(share, abs=0.05)


def test_a_turned_sign_of_both_signs_changes_nothing_that_could_be_seen():
    assert jump(counted(FAMILIES["normal"](20_000)), counted(-FAMILIES["normal"](2_000))) is None


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("rows", [100, 2_000])
def test_windows_of_the_same_kind_never_jump(name, rows):
    reference = counted(FAMILIES[name](5_000))

    assert not [found for _ in range(40) if (found := jump(reference, counted(FAMILIES[name](rows))))]


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(("sds", "rows"), [(0.3, 200), (1.0, 200), (3.0, 200), (0.3, 2_000), (1.0, 2_000), (-1.0, 2_000)])
def test_a_drift_is_no_jump(name, sds, rows):
    drawn = FAMILIES[name](5_000)
    by = sds * min(float(drawn.std()), 10.0)

    found = [jump(counted(drawn), counted(FAMILIES[name](rows) + by)) for _ in range(5)]

    assert not [one for one in found if one is not None and one.low >= 0.05]


@pytest.mark.parametrize("factor", [1.5, 2.0, 3.6, 5.0])
@pytest.mark.parametrize("name", FAMILIES)
def test_to_grow_is_no_jump(name, factor):
    assert jump(counted(FAMILIES[name](20_000)), counted(FAMILIES[name](2_000) * factor)) is None


def test_a_warm_summer_after_a_cold_winter_is_no_jump():
    winter, summer = RANDOM.normal(-5, 6, 5_000), RANDOM.normal(20, 5, 1_000)

    assert jump(counted(winter), counted(summer)) is None


def test_kinds_that_change_their_shares_jump_nowhere():
    def orders(n, large):
        return np.where(RANDOM.random(n) < large, RANDOM.uniform(1_000, 9_000, n), RANDOM.uniform(1, 9, n))

    reference = counted(orders(20_000, 0.05))

    assert jump(reference, counted(orders(2_000, 0.40))) is None
    assert jump(reference, counted(orders(2_000, 1.00))) is None


def test_of_a_slow_column_one_other_day_is_no_jump():
    days = counted(np.repeat([3.0, 4.0, 2.0, 5.0, 3.5, 2.5], 100))

    assert jump(days, counted(np.full(100, 35.0)), worth=0.01) is None


def test_zeros_have_no_magnitude():
    assert other_than_zero(counted([0.0, 0.0, 1e-300, 2.0, -3.0])) == 2
    assert jump(counted([0.0]), counted([1.0])) is None
