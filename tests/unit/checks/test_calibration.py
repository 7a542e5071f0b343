import numpy as np
import pytest

from bot.checks.calibration import calibration
from bot.core.findings import Verdict
from bot.core.readings import REGRESSION
from bot.stats import metrics
from bot.stats.performance import calibration_error
from tests.fakes.readings import a_reading, outcomes
from tests.unit.checks.judging import found, measured, unmeasured

RANDOM = np.random.default_rng(9)


def predicted(truth_of, n=6_000):
    scores = RANDOM.random(n)
    return a_reading(rows=n, outcomes=outcomes(scores, RANDOM.random(n) < truth_of(scores)))


HONEST = predicted(lambda s: s)


def test_the_error_is_the_gap_of_each_bin_weighted_by_its_rows():
    now = HONEST.outcomes

    value = measured(calibration, HONEST, HONEST)["ece"].value

    assert value == pytest.approx(metrics.calibration_error(now.scores, now.labels.astype(float)).value, abs=1e-12)


@pytest.mark.parametrize(
    ("truth_of", "verdict"),
    [
        (lambda s: s, Verdict.HEALTHY),
        (lambda s: 0.5 + (s - 0.5) * 0.65, Verdict.WARNING),
        (lambda s: 0.5 + (s - 0.5) * 0.2, Verdict.CRITICAL),
    ],
)
def test_scores_that_promise_too_much_at_both_ends_are_seen_though_their_mean_is_right(truth_of, verdict):
    assert found(calibration, HONEST, predicted(truth_of))["ece"].verdict is verdict


def test_chance_alone_is_no_error_that_warns():
    verdicts = {found(calibration, HONEST, predicted(lambda s: s, n=1_000))["ece"].verdict for _ in range(20)}

    assert verdicts == {Verdict.HEALTHY}


def test_the_interval_comes_down_by_what_chance_adds():
    scores = np.random.default_rng(2).random(1_000)
    labels = np.random.default_rng(3).random(1_000) < scores

    value, low, high = calibration_error(scores, labels, np.arange(1_000) * 3_600)

    assert 0 <= low < value / 2 < value <= high < 0.06


def test_without_labels_it_says_so():
    assert "no label column" in unmeasured(calibration, HONEST, a_reading(rows=40))["ece"]
    assert "no label has arrived" in unmeasured(calibration, HONEST, a_reading(rows=40, outcomes=outcomes([], [])))["ece"]


def test_a_regression_promises_no_shares():
    assert "regression" in unmeasured(calibration, HONEST, a_reading(rows=40, task=REGRESSION))["ece"]
