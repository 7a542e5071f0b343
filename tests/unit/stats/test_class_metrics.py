"""Metrics of several classes and of numbers: scikit-learn is the oracle."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from bot.stats.metrics import values
from bot.stats.multiclass import multiclass
from bot.stats.regression import regression

numbers = st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=2, max_size=50)


def drawn(seed, n=60, k=3):
    random = np.random.default_rng(seed)
    scores = np.round(random.dirichlet(np.ones(k), n), 1)
    scores[:, -1] = 1 - scores[:, :-1].sum(axis=1)
    return np.clip(scores, 0, 1), random.integers(0, k, n)


@settings(max_examples=25)
@given(st.integers(0, 1_000))
def test_every_metric_is_scikit_learns_macro_mean(seed):
    scores, labels = drawn(seed)
    assume(len(set(labels)) == 3)
    called = scores.argmax(axis=1)

    found = values(multiclass(scores, np.eye(3)[labels], called))

    expected = {
        "accuracy": sklearn.accuracy_score(labels, called),
        "f1": sklearn.f1_score(labels, called, average="macro", zero_division=0),
        "precision": sklearn.precision_score(labels, called, average="macro", zero_division=0),
        "recall": sklearn.recall_score(labels, called, average="macro", zero_division=0),
        "roc_auc": sklearn.roc_auc_score(labels, scores, multi_class="ovr"),
        "average_precision": sklearn.average_precision_score(labels, scores),
        "log_loss": sklearn.log_loss(labels, scores),
        "brier": sklearn.brier_score_loss(labels, scores),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-9)


def test_the_brier_score_of_two_classes_is_half_as_scikit_learn_scales_it():
    scores, labels = drawn(3, k=2)

    found = values(multiclass(scores, np.eye(2)[labels], scores.argmax(axis=1)))

    assert found["brier"] == pytest.approx(sklearn.brier_score_loss(labels, scores[:, 1]), abs=1e-9)


def test_where_a_class_never_came_true_there_is_no_area_but_the_rest():
    scores, labels = drawn(5)
    labels[labels == 2] = 0
    called = scores.argmax(axis=1)

    found = values(multiclass(scores, np.eye(3)[labels], called))

    assert "roc_auc" not in found
    assert found["f1"] == pytest.approx(sklearn.f1_score(labels, called, average="macro", zero_division=0), abs=1e-9)


def test_the_calibration_error_is_that_of_the_highest_score():
    scores = np.array([[0.8, 0.1, 0.1]] * 4)

    assert values(multiclass(scores, np.eye(3)[[0, 0, 1, 2]], np.zeros(4, int)))["ece"] == pytest.approx(0.3)


def test_a_slope_says_how_far_a_rows_truth_moves_the_metric():
    scores, _ = drawn(7)
    truth = np.random.default_rng(1).dirichlet(np.ones(3), len(scores))
    called = scores.argmax(axis=1)
    before = multiclass(scores, truth, called)
    moved = truth.copy()
    moved[4] += (1e-6, -1e-6, 0)

    after = values(multiclass(scores, moved, called))

    slopes = {name: (told.slope[4] @ (1, -1, 0)) for name, told in before.items()}
    assert {name: (after[name] - before[name].value) / 1e-6 for name in after} == pytest.approx(slopes, abs=1e-4)


@settings(max_examples=40)
@given(numbers)
def test_of_numbers_the_metrics_are_scikit_learns(pairs):
    predicted, truth = (np.array(side) for side in zip(*pairs, strict=True))
    assume(truth.std() > 1e-3)

    found = regression(predicted, truth)

    assert found["mae"] == pytest.approx(sklearn.mean_absolute_error(truth, predicted), rel=1e-9)
    assert found["rmse"] == pytest.approx(sklearn.root_mean_squared_error(truth, predicted), rel=1e-9)
    assert found["r2"] == pytest.approx(sklearn.r2_score(truth, predicted), rel=1e-9, abs=1e-9)


def test_where_the_truth_never_changes_there_is_no_r2():
    assert regression(np.array([1.0, 2.0]), np.array([1.0, 1.0])) == pytest.approx({"mae": 0.5, "rmse": np.sqrt(0.5)})


def test_what_overflows_is_left_out():
    assert regression(np.array([1e200, 0.0]), np.array([-1e200, 1.0])).keys() == {"mae"}
