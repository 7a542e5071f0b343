"""Distances over bins: SciPy and hand as oracles, then what chance may and may not do."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from bot.stats import binned
from bot.stats.binned import between, hellinger, jensen_shannon, l_infinity, moved, pooled, stability, total_variation
from tests.fakes.readings import levels, numbers

DISTANCES = [jensen_shannon, hellinger, total_variation, l_infinity]
counts = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=8)


def shares(pairs):
    then, now = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    assume(then.sum() and now.sum())
    return then, now


@pytest.mark.parametrize(
    ("distance", "by_hand"),
    [
        # KL((1, 0) || (3/4, 1/4)) = log2 4/3; KL((1/2, 1/2) || (3/4, 1/4)) = (log2 2/3 + log2 2) / 2
        (jensen_shannon, np.sqrt((np.log2(4 / 3) + (np.log2(2 / 3) + 1) / 2) / 2)),
        (hellinger, np.sqrt(1 - np.sqrt(0.5))),
        (total_variation, 0.5),
        (l_infinity, 0.5),
    ],
)
def test_all_rows_in_one_bin_against_half_of_them_is_the_one_made_by_hand(distance, by_hand):
    assert distance(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == pytest.approx(by_hand, abs=1e-12)


@given(counts)
def test_jensen_shannon_is_scipys(pairs):
    then, now = shares(pairs)

    assert moved(jensen_shannon, then, now).value == pytest.approx(jensenshannon(then, now, base=2), abs=1e-9)


@given(counts)
def test_the_others_are_those_of_the_textbook(pairs):
    then, now = shares(pairs)
    p, q = then / then.sum(), now / now.sum()

    assert moved(hellinger, then, now).value == pytest.approx(np.linalg.norm(np.sqrt(p) - np.sqrt(q)) / np.sqrt(2), abs=1e-9)
    assert moved(total_variation, then, now).value == pytest.approx(np.linalg.norm(p - q, 1) / 2, abs=1e-9)
    assert moved(l_infinity, then, now).value == pytest.approx(np.linalg.norm(p - q, np.inf), abs=1e-9)


@pytest.mark.parametrize("distance", DISTANCES)
@given(counts)
def test_a_distance_lies_from_none_to_one_and_is_the_same_both_ways(distance, pairs):
    then, now = shares(pairs)
    there, back = moved(distance, then, now), moved(distance, now, then)

    assert 0 <= there.value <= 1 + 1e-12
    assert there.value == pytest.approx(back.value, abs=1e-12)


@pytest.mark.parametrize("distance", DISTANCES)
def test_levels_that_changed_places_are_as_far_as_can_be(distance):
    assert moved(distance, np.array([9, 0]), np.array([0, 7])).value == pytest.approx(1)


@pytest.mark.parametrize("distance", DISTANCES)
def test_without_rows_there_is_no_distance(distance):
    assert moved(distance, np.array([0, 0]), np.array([1, 2])) is None


@pytest.mark.parametrize("distance", DISTANCES)
def test_what_chance_does_is_taken_off_before_anybody_judges(distance):
    random = np.random.default_rng(1)
    draws = [(random.multinomial(3_000, [0.02] * 50), random.multinomial(400, [0.02] * 50)) for _ in range(200)]
    found = [moved(distance, *draw) for draw in draws]

    assert np.mean([one.beyond >= 0.1 for one in found]) < 0.05
    assert stats.kstest([one.p_value for one in found], "uniform").pvalue > 1e-3


@pytest.mark.parametrize("distance", DISTANCES)
def test_of_a_large_change_chance_explains_little(distance):
    found = moved(distance, np.array([500, 300, 200]), np.array([200, 300, 500]))

    assert 0.8 * found.value < found.beyond <= found.value
    assert found.p_value < 1e-9


def test_levels_too_rare_to_say_anything_are_certain_only_together():
    then, now = np.array([100, 3, 2, 0, 1]), np.array([100, 0, 0, 4, 2])

    assert [side.tolist() for side in pooled(then, now)] == [[100, 6], [100, 6]]


def test_a_single_rare_level_stays_by_itself():
    then, now = np.array([100, 3]), np.array([100, 0])

    assert pooled(then, now) == (then, now)


def test_thousands_of_names_that_are_all_new_are_no_certain_change_of_shares():
    ids = np.zeros(4_000, np.int64)
    then, now = ids.copy(), ids.copy()
    then[:2_000], now[2_000:] = 1, 1
    found = moved(total_variation, then, now)

    assert found.value == 1
    assert (found.beyond, found.p_value) == (0.0, 1.0)


def test_stability_is_psi_less_what_chance_explains():
    found = stability(np.array([600, 400]), np.array([300, 700]))

    assert found.value == pytest.approx(binned.stability_index(np.array([600, 400]), np.array([300, 700])).value)
    assert found.beyond == pytest.approx(found.value - 2 / 1_000)
    assert stability(np.array([0, 0]), np.array([1, 1])) is None


def test_columns_of_both_kinds_are_compared_and_of_different_kinds_are_not():
    reference = numbers(np.arange(100.0))

    assert between(l_infinity, reference, numbers(np.zeros(50), reference)).value == pytest.approx(0.9)
    assert between(l_infinity, levels(["a", "b"]), levels(["a", "a"])).value == 0.5
    assert between(l_infinity, reference, levels(["a"])) is None
    assert between(l_infinity, reference, numbers(np.arange(7.0))) is None
    assert between(l_infinity, reference, None) is None
