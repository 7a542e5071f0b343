"""Stand-ins for nothing: spikes at known values, whatever moves around them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bot.stats.sentinels import NUMBERS, SPELLINGS, risen, risen_word, spikes, words

RANDOM = np.random.default_rng(3)
columns = arrays.arrays(
    np.float64, st.integers(0, 50), elements=st.sampled_from([*NUMBERS.tolist(), 1.0, 98.5, -0.0, -1.7, 1e308, 5e-324])
)


def counted(values):
    return spikes(np.sort(np.asarray(values, dtype=np.float64))), len(values)


def with_some(values, stand_in, share):
    return np.where(np.arange(len(values)) < share * len(values), stand_in, values)


def test_the_numbers_ascend_and_each_is_there_once():
    assert (np.diff(NUMBERS) > 0).all()


def test_at_and_near_are_counted_apart():
    (at, near), _ = counted([-999, -999, -990, -998.5, 0, 0.5, 1.5])

    found = dict(zip(NUMBERS.tolist(), zip(at.tolist(), near.tolist(), strict=True), strict=True))
    assert found[-999.0] == (2, 2)
    assert found[0.0] == (1, 1)
    assert found[9_999.0] == (0, 0)


@given(columns, columns)
def test_counts_of_two_slices_add_up(one, other):
    assert (counted(one)[0] + counted(other)[0]).tolist() == counted(np.concatenate([one, other]))[0].tolist()


@pytest.mark.parametrize("stand_in", [-999.0, -1.0, 0.0, 99.0, 9_999.0, 2_147_483_647.0, 1.7976931348623157e308])
def test_a_stand_in_that_was_not_there_is_found(stand_in):
    usual = RANDOM.normal(40, 5, 2_000)

    spike = risen(counted(with_some(RANDOM.normal(40, 5, 1_000), stand_in, 0.1)), counted(usual))

    assert spike is not None
    assert (spike.name, spike.now, spike.then) == (f"{stand_in:.10g}", 100, 0)


def test_of_several_the_one_that_has_risen_most_is_named():
    usual = with_some(RANDOM.normal(40, 5, 1_000), -999.0, 0.2)
    now = with_some(with_some(RANDOM.normal(40, 5, 1_000), -999.0, 0.3), 9_999.0, 0.25)

    assert risen(counted(now), counted(usual)).name == "9999"


def test_more_of_a_stand_in_that_was_always_there_is_found():
    usual, now = with_some(RANDOM.normal(40, 5, 1_000), -999.0, 0.05), with_some(RANDOM.normal(40, 5, 1_000), -999.0, 0.5)

    assert risen(counted(now), counted(usual)).now == 500


def test_zeros_and_plain_numbers_that_a_column_uses_are_its_own_business():
    usual, now = with_some(RANDOM.normal(40, 5, 1_000), 0.0, 0.7), with_some(RANDOM.normal(40, 5, 1_000), 0.0, 0.95)

    assert risen(counted(now), counted(usual)) is None


@pytest.mark.parametrize(("before", "after"), [(80, 99), (3, 0), (3, -1), (900, 999), (40, 45)])
def test_a_drift_that_reaches_such_a_number_lifts_its_neighbours_too(before, after):
    usual, now = (np.round(RANDOM.normal(mean, 3, 5_000)) for mean in (before, after))

    assert risen(counted(now), counted(usual)) is None


def test_words_for_nothing_are_counted_as_they_are_written():
    assert words(["UA", "N/A", "null", "unknown", "Unknown"], np.array([5, 1, 2, 3, 4])) == {
        "N/A": 1,
        "Unknown": 4,
        "null": 2,
        "unknown": 3,
    }


@pytest.mark.parametrize("word", ["", "-", "NULL", "None", "nan", "NaN", "N/A", "unknown", "UNKNOWN", "-999", "1970-01-01"])
def test_the_usual_words_are_known(word):
    assert word in SPELLINGS


def test_the_word_that_has_risen_most_is_named_and_a_tie_is_broken_by_name():
    spike = risen_word(({"N/A": 10, "null": 10, "-": 1}, 100), ({"-": 50}, 100))

    assert (spike.name, spike.now, spike.then) == ("N/A", 10, 0)
    assert risen_word(({"N/A": 1}, 100), ({"N/A": 1}, 100)) is None
    assert risen_word(({}, 100), ({}, 100)) is None
