from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from sklearn import metrics

from bot.checks.performance import METRICS, performance
from bot.core.findings import Verdict
from bot.core.readings import MULTICLASS, REGRESSION
from tests.fakes.readings import a_reading, outcomes
from tests.unit.checks.judging import found, measured, unmeasured

RANDOM = np.random.default_rng(6)


def predicted(promise, truth, n=6_000, **changes):
    scores = np.clip(RANDOM.normal(promise, 0.05, n), 0, 1)
    return a_reading(rows=n, outcomes=outcomes(scores, RANDOM.random(n) < truth, **changes))


HONEST = predicted(0.25, 0.25)


def test_the_metrics_are_scikit_learns():
    now = HONEST.outcomes

    values = {name: m.value for name, m in measured(performance, HONEST, HONEST).items()}

    assert values == pytest.approx(
        {
            "calibration_gap": now.scores.mean() - now.labels.mean(),
            "log_loss": metrics.log_loss(now.labels, now.scores),
            "brier": metrics.brier_score_loss(now.labels, now.scores),
            "roc_auc": metrics.roc_auc_score(now.labels, now.scores),
            "average_precision": metrics.average_precision_score(now.labels, now.scores),
        },
        abs=1e-9,
    )


@pytest.mark.parametrize(
    ("promise", "truth", "verdict"),
    [(0.25, 0.25, Verdict.HEALTHY), (0.30, 0.28, Verdict.HEALTHY), (0.28, 0.20, Verdict.WARNING), (0.28, 0.13, Verdict.CRITICAL)],
)
def test_promising_more_than_comes_true_is_judged(promise, truth, verdict):
    assert found(performance, HONEST, predicted(promise, truth))["calibration_gap"].verdict is verdict


def test_the_other_metrics_are_told_but_wake_nobody():
    findings = found(performance, HONEST, predicted(0.9, 0.1))

    assert {findings[name].verdict for name in METRICS if name != "calibration_gap"} == {Verdict.HEALTHY}


def test_a_gap_on_one_bad_day_is_not_certain_however_many_rows_that_day_has():
    n = 6_000
    days = np.concatenate([np.repeat(np.arange(9), 200), np.full(n - 1_800, 9)]).astype(np.int64)
    labels = np.where(days == 9, RANDOM.random(n) < 0.10, RANDOM.random(n) < 0.30)
    current = a_reading(rows=n, outcomes=outcomes(np.full(n, 0.25), labels, at=days * 86_400))

    finding = found(performance, HONEST, current)["calibration_gap"]

    assert finding.value > 0.07
    assert finding.verdict is Verdict.HEALTHY


def test_the_references_own_metrics_stand_beside():
    assert (
        measured(performance, HONEST, predicted(0.5, 0.5))["brier"].reference
        == measured(performance, HONEST, HONEST)["brier"].value
    )


def test_too_few_labels_are_said_to_be_too_few():
    finding = found(performance, HONEST, predicted(0.9, 0.1, n=500))["calibration_gap"]

    assert finding.verdict is Verdict.UNKNOWN
    assert "500 of 1,000" in finding.reason


def test_labels_that_have_not_come_are_awaited_by_name():
    nothing = outcomes([], [], awaited=40, oldest_awaited=datetime(2013, 7, 1, tzinfo=UTC))

    reasons = unmeasured(performance, HONEST, a_reading(rows=40, outcomes=nothing))

    assert set(reasons) == set(METRICS)
    assert reasons["calibration_gap"] == "no label has arrived yet for 40 predictions, the oldest of 2013-07-01 00:00 UTC"


def test_a_log_without_labels_says_so_for_every_metric():
    assert set(unmeasured(performance, HONEST, a_reading(rows=40))) == set(METRICS)


def test_where_only_one_outcome_came_true_there_is_no_area_and_it_is_said():
    assert "only one of the two" in unmeasured(performance, HONEST, predicted(0.2, 0.0))["roc_auc"]


def test_labels_that_are_still_awaited_are_told():
    assert "300 more labels are awaited" in measured(performance, HONEST, predicted(0.2, 0.2, awaited=300))["brier"].detail


def test_where_every_label_has_come_but_no_score_is_one_it_is_said():
    current = a_reading(rows=40, outcomes=outcomes([], []))

    assert "none has a score from 0 to 1" in unmeasured(performance, HONEST, current)["calibration_gap"]


def test_a_gap_warns_where_it_is_large_and_surely_there_even_if_not_surely_as_large():
    labels = np.random.default_rng(8).random(2_000) < 0.2
    current = a_reading(rows=2_000, outcomes=outcomes(np.full(2_000, labels.mean() + 0.08), labels))

    finding = found(performance, HONEST, current)["calibration_gap"]

    assert 0 < finding.interval[0] < 0.07 < finding.value
    assert finding.verdict is Verdict.WARNING


def test_a_decided_class_is_judged_as_scikit_learn_does():
    now = replace(HONEST.outcomes, chosen=HONEST.outcomes.scores >= 0.25)
    reading = replace(HONEST, outcomes=now)

    values = {name: m.value for name, m in measured(performance, reading, reading).items()}

    assert values["f1"] == pytest.approx(metrics.f1_score(now.labels, now.chosen), abs=1e-9)
    assert values["precision"] == pytest.approx(metrics.precision_score(now.labels, now.chosen), abs=1e-9)
    assert values["recall"] == pytest.approx(metrics.recall_score(now.labels, now.chosen), abs=1e-9)
    assert values["accuracy"] == pytest.approx(metrics.accuracy_score(now.labels, now.chosen), abs=1e-9)


def numeric(error, n=3_000, **changes):
    truth = RANDOM.normal(size=n) * 10
    told = outcomes(truth + RANDOM.normal(0, error, n), np.zeros(n), values=truth)
    return a_reading(rows=n, outcomes=told, task=REGRESSION, **changes)


USUAL_ERROR = numeric(1.0)


def test_a_regression_has_scikit_learns_errors():
    now = USUAL_ERROR.outcomes

    values = {name: m.value for name, m in measured(performance, USUAL_ERROR, USUAL_ERROR).items()}

    assert values == pytest.approx(
        {
            "mae": metrics.mean_absolute_error(now.values, now.scores),
            "rmse": metrics.root_mean_squared_error(now.values, now.scores),
            "r2": metrics.r2_score(now.values, now.scores),
            "mae_ratio": 1.0,
        },
        abs=1e-9,
    )


@pytest.mark.parametrize(("error", "verdict"), [(1.0, Verdict.HEALTHY), (1.35, Verdict.WARNING), (2.0, Verdict.CRITICAL)])
def test_a_regression_is_judged_by_how_much_larger_its_error_is(error, verdict):
    assert found(performance, USUAL_ERROR, numeric(error))["mae_ratio"].verdict is verdict


def test_a_regression_without_a_reference_has_no_ratio_and_says_so():
    assert "mae_ratio" in unmeasured(performance, a_reading(), USUAL_ERROR)


def test_errors_too_large_to_square_are_still_told():
    huge = a_reading(rows=2, task=REGRESSION, outcomes=outcomes([1e200, 0.0], [0, 0], values=np.array([-1e200, 1.0])))

    assert set(measured(performance, USUAL_ERROR, huge)) == {"mae"}


def test_predictions_that_are_no_numbers_are_said_to_be_none():
    reasons = unmeasured(performance, USUAL_ERROR, a_reading(rows=40, task=REGRESSION, outcomes=outcomes([], [])))

    assert reasons["mae"] == "of 40 predictions with a label none is a number"


def test_of_several_classes_the_chosen_one_is_judged():
    now = predicted(0.8, 0.6)
    reading = replace(now, task=MULTICLASS)

    findings = found(performance, reading, reading)

    assert findings["accuracy"].value == pytest.approx(now.outcomes.labels.mean())
    assert findings["calibration_gap"].verdict is Verdict.CRITICAL
    assert "log_loss" not in findings
