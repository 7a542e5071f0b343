"""Metrics of two classes: scikit-learn as the oracle for labels and for probabilities, and slopes that are true."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from bot.stats.metrics import BINS, binary, binned, calibration_error, values

scores = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.50000001, 0.9, 1.0])
labelled = st.lists(st.tuples(scores, st.booleans()), min_size=1, max_size=60)
weighed = st.lists(st.tuples(scores, st.floats(0.2, 0.8)), min_size=2, max_size=40)


def told(pairs, threshold=0.5):
    score, truth = (np.array(side, dtype=np.float64) for side in zip(*pairs, strict=True))
    return score, truth, values(binary(score, truth, score >= threshold))


def oracle(truth, score, called, weight=None):
    return {
        "roc_auc": sklearn.roc_auc_score(truth, score, sample_weight=weight),
        "average_precision": sklearn.average_precision_score(truth, score, sample_weight=weight),
        "f1": sklearn.f1_score(truth, called, sample_weight=weight, zero_division=0),
        "precision": sklearn.precision_score(truth, called, sample_weight=weight, zero_division=0),
        "recall": sklearn.recall_score(truth, called, sample_weight=weight),
        "accuracy": sklearn.accuracy_score(truth, called, sample_weight=weight),
        "brier": sklearn.brier_score_loss(truth, score, sample_weight=weight),
        "log_loss": sklearn.log_loss(truth, score, sample_weight=weight),
    }


@settings(max_examples=40)
@given(labelled)
def test_realised_metrics_are_scikit_learns_ties_included(pairs):
    score, truth, found = told(pairs)
    assume(0 < truth.sum() < len(truth))

    expected = oracle(truth, score, score >= 0.5)

    assert all(value == pytest.approx(expected[name], abs=1e-9) for name, value in found.items() if name != "ece")
    assert expected.keys() - found.keys() <= {"precision"}


@settings(max_examples=40)
@given(weighed)
def test_with_probabilities_a_row_counts_as_true_and_as_false_by_its_weight(pairs):
    score, truth, found = told(pairs)
    twice = np.concatenate([score, score])
    sides = np.repeat([1, 0], len(score))

    expected = oracle(sides, twice, twice >= 0.5, np.concatenate([truth, 1 - truth]))

    assert all(value == pytest.approx(expected[name], abs=1e-9) for name, value in found.items() if name != "ece")


@settings(max_examples=40)
@given(weighed, st.integers(0, 39))
def test_a_slope_says_how_far_one_rows_truth_moves_the_metric(pairs, place):
    score, truth, before = told(pairs)
    slopes = binary(score, truth, score >= 0.5)
    place %= len(score)
    truth[place] += 1e-6

    after = values(binary(score, truth, score >= 0.5))

    for name, told_now in after.items():
        if name != "ece":  # it has a kink where a bin is exactly right
            assert (told_now - before[name]) / 1e-6 == pytest.approx(slopes[name].slope[place], abs=1e-3)


@pytest.mark.parametrize(
    ("label", "absent"),
    [(0.0, {"roc_auc", "average_precision", "recall"}), (1.0, {"roc_auc"})],
)
def test_with_one_class_only_what_divides_by_nothing_is_left_out(label, absent):
    score = np.array([0.2, 0.6, 0.9])

    found = binary(score, np.full(3, label), score >= 0.5)

    assert {
        "roc_auc",
        "average_precision",
        "recall",
        "precision",
        "f1",
        "accuracy",
        "brier",
        "log_loss",
        "ece",
    } - found.keys() == absent


def test_where_nothing_is_called_true_there_is_no_precision_but_a_recall_of_zero():
    score, truth = np.array([0.1, 0.2]), np.array([1.0, 0.0])

    found = values(binary(score, truth, score >= 0.5))

    assert "precision" not in found
    assert (found["recall"], found["f1"]) == (0.0, 0.0)


def test_a_bin_holds_its_lower_edge_and_the_last_one_both():
    assert binned(np.array([0.0, 0.0999, 0.1, 0.3, 0.95, 1.0])).tolist() == [0, 0, 1, 3, 9, 9]
    assert BINS == 10


def test_the_calibration_error_is_the_gap_of_each_bin_weighted_by_its_rows():
    score = np.array([0.2, 0.2, 0.2, 0.2, 0.9])
    truth = np.array([1.0, 0.0, 0.0, 0.0, 1.0])

    assert calibration_error(score, truth).value == pytest.approx((4 * abs(0.2 - 0.25) + abs(0.9 - 1)) / 5)
