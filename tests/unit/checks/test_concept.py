import numpy as np
import pytest

from bot.checks.concept import concept
from bot.core.findings import Verdict
from bot.core.readings import MULTICLASS, REGRESSION
from bot.stats.streams import DETECTORS
from tests.fakes.readings import a_reading, outcomes
from tests.unit.checks.judging import found, measured, unmeasured


def labelled(n, wrong, seed=0, share=0.3):
    """Return a day whose predictions are wrong this often; `wrong` is one share, or one a row."""
    random = np.random.default_rng(seed)
    truth = random.random(n) < share
    scores = np.where(truth ^ (random.random(n) < wrong), 0.9, 0.1)
    return a_reading(rows=n, outcomes=outcomes(scores, truth))


USUAL = labelled(5_000, 0.10)


@pytest.mark.parametrize("name", DETECTORS)
def test_errors_that_double_are_bad_and_how_often_and_since_when_is_said(name):
    finding = found(concept, USUAL, labelled(3_000, 0.25, seed=1))[name]

    assert finding.verdict is (Verdict.WARNING if name == "ddm" else Verdict.CRITICAL)
    assert finding.value == pytest.approx(0.15, abs=0.04)
    assert "since 1970-01-" in finding.reason
    assert "reference" in finding.reason


def test_a_step_within_the_window_is_seen_from_where_it_is():
    change = np.where(np.arange(4_000) < 2_000, 0.10, 0.30)
    value = measured(concept, USUAL, labelled(4_000, change, seed=2))["adwin"]

    assert 1_500 < value.n < 2_500
    assert value.value == pytest.approx(0.2, abs=0.05)


@pytest.mark.parametrize("seed", range(12))
def test_a_window_like_its_reference_is_healthy(seed):
    verdicts = {f.verdict for f in found(concept, USUAL, labelled(3_000, 0.10, seed=seed + 5)).values()}

    assert verdicts == {Verdict.HEALTHY}


def test_a_model_that_errs_less_than_before_is_no_trouble():
    verdicts = {f.verdict for f in found(concept, labelled(5_000, 0.3), labelled(3_000, 0.1, seed=1)).values()}

    assert verdicts == {Verdict.HEALTHY}


def test_hard_cases_are_no_errors_where_the_model_calls_as_many_as_come_true():
    random = np.random.default_rng(4)
    scores = random.beta(2, 8, 4_000)  # nobody is ever above one half, and still some come true
    reading = a_reading(rows=4_000, outcomes=outcomes(scores, random.random(4_000) < scores))

    assert measured(concept, reading, reading)["adwin"].value == 0


@pytest.mark.parametrize(("then", "now", "side"), [(400, 3_000, "reference"), (3_000, 400, "window")])
def test_too_few_labels_are_said_to_be_too_few(then, now, side):
    reasons = unmeasured(concept, labelled(then, 0.1), labelled(now, 0.1))

    assert set(reasons) == set(DETECTORS)
    assert reasons["adwin"] == f"400 of 500 labels in the {side}"


def test_a_log_without_labels_says_so():
    assert unmeasured(concept, USUAL, a_reading(rows=9))["ddm"] == "0 of 500 labels in the window"


@pytest.mark.parametrize("always", [True, False])
def test_a_reference_in_which_everything_or_nothing_came_true_does_not_stop_it(always):
    random = np.random.default_rng(1)
    one_sided = a_reading(rows=2_000, outcomes=outcomes(random.random(2_000), np.full(2_000, always)))

    assert set(measured(concept, one_sided, USUAL)) == set(DETECTORS)


def numeric(error, n=3_000, seed=0):
    random = np.random.default_rng(seed)
    truth = random.normal(0, 10, n)
    told = outcomes(truth + random.normal(0, error, n), np.zeros(n), values=truth)
    return a_reading(rows=n, outcomes=told, task=REGRESSION)


@pytest.mark.parametrize(("error", "verdict"), [(1.0, Verdict.HEALTHY), (2.0, Verdict.CRITICAL)])
def test_numbers_are_wrong_when_they_are_further_off_than_usual(error, verdict):
    assert found(concept, numeric(1.0), numeric(error, seed=1))["adwin"].verdict is verdict


@pytest.mark.parametrize(("right", "verdict"), [(0.9, Verdict.HEALTHY), (0.7, Verdict.CRITICAL)])
def test_of_several_classes_a_row_is_wrong_when_another_came_true(right, verdict):
    then, now = (
        a_reading(
            rows=3_000, task=MULTICLASS, outcomes=outcomes(np.full(3_000, 0.9), np.random.default_rng(seed).random(3_000) < share)
        )
        for seed, share in ((1, 0.9), (2, right))
    )

    assert found(concept, then, now)["adwin"].verdict is verdict
