"""Detectors on streams of errors: a step is seen soon, a flat stream is left in peace, and river says the same."""

import numpy as np
import pytest
from river.drift import ADWIN
from river.drift.binary import DDM, HDDMA

from bot.stats.streams import DETECTORS, most_likely, rise, step


def errors(*stretches, seed=0):
    """Return 0 and 1 with these shares of 1: (rows, share) after (rows, share)."""
    random = np.random.default_rng(seed)
    return np.concatenate([random.random(rows) < share for rows, share in stretches]).astype(np.int64)


@pytest.mark.parametrize("name", DETECTORS)
def test_a_step_from_ten_to_twenty_percent_is_seen_and_placed(name):
    found = [step(name, errors((3_000, 0.10), (1_500, 0.20), seed=seed), 3_000) for seed in range(10)]

    assert all(found)
    assert np.median([abs(s.since - 3_000) for s in found]) < 100


@pytest.mark.parametrize("name", ["adwin", "hddm_a"])
def test_a_flat_stream_is_left_in_peace(name):
    cried = [step(name, errors((5_000, 0.15), seed=seed), 2_500) for seed in range(15)]

    assert sum(s is not None for s in cried) <= 1  # one in a thousand rows' worth of chance: the check asks for size as well


@pytest.mark.parametrize(("name", "detector"), [("adwin", lambda: ADWIN(delta=0.002)), ("hddm_a", HDDMA), ("ddm", DDM)])
@pytest.mark.parametrize("seed", range(3))
def test_the_row_at_which_it_is_seen_is_rivers(name, detector, seed):
    stream, watch, seen = errors((2_000, 0.05), (1_000, 0.25), seed=seed), detector(), []
    for i, error in enumerate(stream.tolist()):
        watch.update(error)
        seen += [i] if watch.drift_detected else []

    assert step(name, stream).seen == seen[-1]


def test_what_changed_before_the_window_is_no_news():
    stream = errors((2_000, 0.05), (1_000, 0.5), (3_000, 0.5))

    assert step("hddm_a", stream) is not None
    assert step("hddm_a", stream, 4_000) is None


def test_the_place_of_a_step_is_the_one_made_by_hand():
    assert most_likely(np.array([0, 0, 0, 0, 1, 1, 1]), 1, 6) == 4


def test_an_empty_stream_changes_nothing():
    assert step("adwin", np.empty(0, np.int64)) is None


def test_the_rise_is_the_difference_of_the_two_shares_and_certain_of_its_days():
    before, after = errors((4_000, 0.1)).astype(float), errors((2_000, 0.3), seed=1).astype(float)
    found = rise(before, after, np.arange(4_000) * 600, np.arange(2_000) * 600)

    assert found.value == pytest.approx(after.mean() - before.mean(), abs=1e-12)
    assert 0.15 < found.low < found.value < found.high < 0.25
