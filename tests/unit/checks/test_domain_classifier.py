import numpy as np
import pytest

from bot.checks.domain_classifier import domain_classifier
from bot.core.findings import Verdict
from tests.fakes.readings import a_reading, joint
from tests.unit.checks.judging import found, measured, unmeasured


def window(n=800, seed=0, shift=0.0):
    random = np.random.default_rng(seed)
    return a_reading({"age": random.normal(shift, 1, n), "place": random.choice(["a", "b"], n).tolist()})


@pytest.mark.parametrize(("shift", "verdict"), [(0.0, Verdict.HEALTHY), (0.8, Verdict.WARNING), (2.0, Verdict.CRITICAL)])
def test_windows_that_a_learner_can_tell_are_judged(shift, verdict):
    assert found(domain_classifier, window(), window(seed=1, shift=shift))["model"].verdict is verdict


def test_what_tells_them_apart_is_named():
    assert measured(domain_classifier, window(), window(seed=1, shift=2.0))["model"].detail.startswith("told by age (0.")


@pytest.mark.parametrize(("then", "now", "side"), [(499, 800, "reference"), (800, 499, "window")])
def test_too_few_rows_are_said_to_be_too_few(then, now, side):
    assert unmeasured(domain_classifier, window(then), window(now)) == {"model": f"499 of 500 whole rows in the {side}"}


def test_a_reading_without_whole_rows_says_so():
    assert unmeasured(domain_classifier, window(), a_reading(joint=None)) == {"model": "0 of 500 whole rows in the window"}


def test_columns_that_all_changed_their_kind_cannot_be_compared():
    other = a_reading(joint=joint({"age": ["a"] * 600, "place": np.ones(600)}), rows=600)

    assert unmeasured(domain_classifier, window(), other) == {"model": "no column is the same kind on both sides"}
