"""A whole stream at once, and river row by row: the same alarms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river.drift import ADWIN
from river.drift.binary import DDM, HDDMA

from bot.stats.adwin import adwin
from bot.stats.alarms import FIRST, alarms, ddm, hddm_a

PAIRS = [(adwin, lambda: ADWIN(delta=0.002)), (hddm_a, HDDMA), (ddm, DDM)]
EACH = pytest.mark.parametrize(("raised", "detector"), PAIRS, ids=["adwin", "hddm_a", "ddm"])
STRETCH = st.tuples(st.integers(1, 900), st.sampled_from([0.0, 0.02, 0.1, 0.3, 0.9, 1.0]))


def rivers(detector, stream):
    watch, seen = detector(), []
    for i, error in enumerate(stream.tolist()):
        watch.update(error)
        seen += [i] if watch.drift_detected else []
    return seen


@EACH
@given(st.lists(STRETCH, max_size=5), st.integers(0, 2**16))
@settings(max_examples=25, deadline=None)
def test_every_alarm_is_rivers(raised, detector, stretches, seed):
    random = np.random.default_rng(seed)
    stream = np.concatenate([np.empty(0), *(random.random(rows) < share for rows, share in stretches)]).astype(np.int64)

    assert list(alarms(raised, stream)) == rivers(detector, stream)


@EACH
def test_a_long_calm_is_looked_at_to_its_end(raised, detector):
    stream = np.concatenate([np.random.default_rng(4).random(5 * FIRST) < 0.1, np.ones(60)]).astype(np.int64)

    found = list(alarms(raised, stream))

    assert found == rivers(detector, stream)
    assert found[-1] >= 5 * FIRST
