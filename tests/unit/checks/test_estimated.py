from dataclasses import replace

import numpy as np
import pytest

from bot.checks.estimated import DECIDED, SUBJECTS, estimated
from bot.core.findings import Verdict
from bot.core.readings import BINARY, MULTICLASS, REGRESSION
from tests.fakes.readings import a_reading, joint, outcomes
from tests.unit.checks.judging import found, measured, unmeasured

RANDOM = np.random.default_rng(10)


def logistic(n, spread=1.4):
    return 1 / (1 + np.exp(-RANDOM.normal(0, spread, n)))


def reference(n=20_000, **changes):
    scores = logistic(n)
    return a_reading(rows=n, outcomes=outcomes(scores, RANDOM.random(n) < scores, **changes))


def window(spread=1.4, n=2_000, **changes):
    return a_reading(rows=n, scored=logistic(n, spread), **changes)


USUAL = reference()


@pytest.mark.parametrize(("spread", "verdict"), [(1.4, Verdict.HEALTHY), (3.0, Verdict.HEALTHY), (0.4, Verdict.CRITICAL)])
def test_scores_that_tell_less_apart_are_seen_without_a_label(spread, verdict):
    assert found(estimated, USUAL, window(spread))["roc_auc"].verdict is verdict


def test_windows_as_usual_raise_no_alarm():
    verdicts = [found(estimated, USUAL, window(n=1_000))["roc_auc"].verdict for _ in range(20)]

    assert set(verdicts) == {Verdict.HEALTHY}


@pytest.mark.parametrize(("spread", "verdict"), [(1.4, Verdict.HEALTHY), (0.4, Verdict.CRITICAL)])
def test_a_month_is_enough_to_judge_a_week(spread, verdict):
    assert found(estimated, USUAL, window(spread, n=4_500))["roc_auc"].verdict is verdict


def test_it_says_the_metric_its_band_and_what_is_usual():
    result = measured(estimated, USUAL, window(0.4))["roc_auc"]

    assert result.detail.startswith("estimated ROC AUC 0.6")
    assert "usually 0.8" in result.detail
    assert result.interval[0] < result.value < result.interval[1]
    assert result.n == 2_000


def test_what_is_usual_is_that_of_as_many_rows_to_two_digits():
    usually = {
        n: measured(estimated, USUAL, window(n=n))["roc_auc"].detail.partition("usually")[2] for n in (1_990, 2_000, 2_010, 900)
    }

    assert usually[1_990] == usually[2_000] == usually[2_010] != usually[900]


def test_every_subject_is_told_but_only_some_may_be_critical():
    findings = found(estimated, USUAL, window(0.4))

    assert set(findings) == set(SUBJECTS[BINARY])
    assert {name for name, f in findings.items() if f.verdict is Verdict.CRITICAL} == {"roc_auc"}


def test_a_decided_class_is_estimated_where_both_logs_have_it():
    then = replace(USUAL.outcomes, chosen=USUAL.outcomes.scores >= 0.5)
    now = window()

    results = measured(estimated, replace(USUAL, outcomes=then), replace(now, chosen=now.scored >= 0.5))

    assert set(results) == {*SUBJECTS[BINARY], *DECIDED}
    assert abs(results["f1"].value) < 3


def test_of_several_classes_the_accuracy_is_estimated():
    lower = a_reading(rows=2_000, scored=RANDOM.uniform(0.2, 0.4, 2_000), task=MULTICLASS)

    assert found(estimated, USUAL, window(task=MULTICLASS))["accuracy"].verdict is Verdict.HEALTHY
    assert found(estimated, USUAL, lower)["accuracy"].verdict is Verdict.CRITICAL


def test_of_numbers_the_error_is_estimated_from_where_predictions_have_been_off():
    predicted = RANDOM.uniform(0, 10, 12_000)
    truth = predicted + RANDOM.normal(size=12_000) * (0.1 + predicted / 5)
    then = a_reading(rows=12_000, task=REGRESSION, outcomes=outcomes(predicted, np.zeros(12_000), values=truth))
    usual, high = (a_reading(rows=2_000, task=REGRESSION, scored=RANDOM.uniform(low, 10, 2_000)) for low in (0, 8))

    assert found(estimated, then, usual)["mae"].verdict is Verdict.HEALTHY
    assert found(estimated, then, high)["mae"].verdict is Verdict.CRITICAL


def numbers_whose_error_hangs_on(x, kind, like=None):
    """Return a reading of predictions that say nothing of how far they are off: that hangs on one input and one kind."""
    n = len(x)
    predicted, error = RANDOM.uniform(0, 10, n), np.where(np.array(kind) == "odd", 3.0, 1.0) * np.abs(x)
    truth = predicted + RANDOM.normal(size=n) * error
    columns = {"x": x, "kind": list(kind)}
    told = {"outcomes": outcomes(predicted, np.zeros(n), values=truth)} if like is None else {"scored": predicted}
    rows = joint(columns, scores=predicted, labels=truth if like is None else np.full(n, np.nan))
    return a_reading(columns, like, task=REGRESSION, joint=rows, **told)


@pytest.mark.parametrize(
    ("size", "odd", "verdict"),
    [(1, 0.2, Verdict.HEALTHY), (3, 0.2, Verdict.CRITICAL), (1, 0.9, Verdict.CRITICAL)],
    ids=["as usual", "an input has moved", "a kind has become frequent"],
)
def test_of_numbers_the_inputs_tell_what_the_prediction_alone_does_not(size, odd, verdict):
    def rows(n, size, odd, like=None):
        return numbers_whose_error_hangs_on(RANDOM.normal(0, size, n), RANDOM.choice(["odd", "plain"], n, p=[odd, 1 - odd]), like)

    then = rows(12_000, 1, 0.2)
    now = rows(2_000, size, odd, then)

    assert found(estimated, then, now)["mae"].verdict is verdict
    assert found(estimated, then, replace(now, joint=None))["mae"].verdict is Verdict.HEALTHY


def test_a_level_that_the_reference_does_not_have_is_as_missing():
    then = numbers_whose_error_hangs_on(RANDOM.normal(size=3_000), ["odd", "plain", "plain"] * 1_000)
    fresh, missing = (numbers_whose_error_hangs_on(np.full(300, 0.1), [kind] * 300, then) for kind in ("new", None))
    missing = replace(missing, scored=fresh.scored, joint=replace(missing.joint, scores=fresh.joint.scores))

    assert list(estimated.measure(then, fresh)) == list(estimated.measure(then, missing))


def test_a_few_rows_of_numbers_teach_no_error():
    then = a_reading(rows=40, task=REGRESSION, outcomes=outcomes(np.arange(40.0), np.zeros(40), values=np.arange(40.0)))

    assert set(unmeasured(estimated, then, a_reading(rows=300, task=REGRESSION, scored=np.arange(300.0)))) == {"mae", "rmse"}


@pytest.mark.parametrize(
    ("then", "now", "why"),
    [
        (a_reading(), window(), "no labels to learn from"),
        (USUAL, a_reading(rows=900), "no scores are known"),
        (USUAL, window(n=100), "100 of 200 rows"),
        (USUAL, window(n=8_000), "too few to know 3 stretches of 8,000"),
    ],
)
def test_what_is_lacking_is_said_for_every_subject(then, now, why):
    reasons = unmeasured(estimated, then, now)

    assert set(reasons) == set(SUBJECTS[BINARY])
    assert why in reasons["roc_auc"]


def test_a_reference_of_one_class_cannot_say_what_is_usual():
    one = a_reading(rows=2_000, outcomes=outcomes(np.full(2_000, 0.5), np.zeros(2_000)))

    assert "cannot be told" in unmeasured(estimated, one, window(n=300))["roc_auc"]
