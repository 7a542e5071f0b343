"""How well predictions did: hand-made answers, scikit-learn as the oracle, and intervals that cover what they promise."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import metrics

from bot.stats.performance import (
    DAY_S,
    average_precision,
    block_mean,
    days,
    log_losses,
    paired_log_loss,
    realised,
    roc_auc,
    values,
    wins,
)

rows = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]), st.booleans()), min_size=2, max_size=60)


def arrays(pairs):
    scores, labels = zip(*pairs, strict=True)
    return np.array(scores), np.array(labels)


def thirty_days(n):
    return (np.arange(n) * 30 * DAY_S // n).astype(np.int64)


def test_the_gap_is_what_was_promised_less_what_came_true():
    labels = np.arange(1_000) < 200

    assert realised(np.full(1_000, 0.3), labels, thirty_days(1_000))["calibration_gap"].value == pytest.approx(0.1)


def test_the_loss_of_a_coin_is_log_two():
    assert log_losses(np.full(2, 0.5), np.array([True, False])) == pytest.approx(np.log(2))


@given(rows)
def test_loss_and_brier_are_scikit_learns(pairs):
    scores, labels = arrays(pairs)
    found = realised(scores, labels, thirty_days(len(scores)))

    assert found["log_loss"].value == pytest.approx(metrics.log_loss(labels, scores, labels=[False, True]), abs=1e-9)
    assert found["brier"].value == pytest.approx(metrics.brier_score_loss(labels, scores), abs=1e-9)


@given(rows)
def test_auc_is_scikit_learns_ties_included(pairs):
    scores, labels = arrays(pairs)
    assume(labels.any() and not labels.all())

    assert roc_auc(wins(scores, labels)).value == pytest.approx(metrics.roc_auc_score(labels, scores), abs=1e-9)


@given(rows)
def test_average_precision_is_scikit_learns_ties_included(pairs):
    scores, labels = arrays(pairs)
    assume(labels.any())

    assert average_precision(wins(scores, labels)) == pytest.approx(metrics.average_precision_score(labels, scores), abs=1e-9)


@given(rows)
def test_delongs_interval_is_that_of_comparing_every_pair(pairs):
    scores, labels = arrays(pairs)
    ups, downs = scores[labels], scores[~labels]
    assume(len(ups) > 1 and len(downs) > 1)
    beats = (ups[:, None] > downs) + (ups[:, None] == downs) / 2
    half = 1.959963984540054 * np.sqrt(beats.mean(axis=1).var(ddof=1) / len(ups) + beats.mean(axis=0).var(ddof=1) / len(downs))

    found = roc_auc(wins(scores, labels))

    assert found == pytest.approx((beats.mean(), max(0, beats.mean() - half), min(1, beats.mean() + half)), abs=1e-9)
    assert values(scores, labels)["roc_auc"] == pytest.approx(found.value, abs=1e-12)


@pytest.mark.parametrize("truth", [True, False])
def test_with_one_class_only_there_is_no_area(truth):
    assert roc_auc(wins(np.array([0.1, 0.9]), np.full(2, truth))) is None


def test_delongs_variance_is_the_one_made_by_hand():
    # ups 3, 1; downs 2, 0: up 3 beats both, up 1 one of two; down 2 is beaten by one of two, down 0 by both
    estimate = roc_auc(wins(np.array([3.0, 1.0, 2.0, 0.0]) / 4, np.array([True, True, False, False])))
    variance = np.var([1.0, 0.5], ddof=1) / 2 + np.var([0.5, 1.0], ddof=1) / 2

    assert estimate.value == 0.75
    assert estimate.low == pytest.approx(0.75 - 1.959964 * np.sqrt(variance), abs=1e-6)
    assert estimate.high == 1.0


def test_delongs_interval_is_about_that_of_a_bootstrap():
    random = np.random.default_rng(13)
    labels = random.random(400) < 0.4
    scores = random.normal(labels * 0.8, 1)
    drawn = []
    for _ in range(300):
        take = random.integers(0, 400, 400)
        drawn.append(metrics.roc_auc_score(labels[take], scores[take]))

    estimate = roc_auc(wins(scores, labels))

    assert (estimate.high - estimate.low) / (2 * 1.96) == pytest.approx(np.std(drawn), rel=0.15)


def test_days_are_counted_from_the_first_row():
    at = np.array([DAY_S - 1, DAY_S, 2 * DAY_S - 2, 2 * DAY_S - 1])

    assert days(at).tolist() == [0, 0, 0, 1]
    assert days(np.empty(0, dtype=np.int64)).tolist() == []


def test_the_same_window_gives_the_same_interval_on_every_replica():
    random = np.random.default_rng(17)
    values, blocks = random.normal(size=500), np.arange(500) // 50

    assert block_mean(values, blocks) == block_mean(values.copy(), blocks.copy())


def test_the_order_of_the_rows_moves_no_interval():
    random = np.random.default_rng(17)
    values, blocks = random.normal(size=500), np.arange(500) // 50
    order = random.permutation(500)

    assert block_mean(values[order], blocks[order]) == pytest.approx(block_mean(values, blocks))


@pytest.mark.parametrize("days_there", [1, 2, 30])
def test_a_constant_is_certain(days_there):
    assert block_mean(np.full(60, 0.25), np.arange(60) % days_there) == pytest.approx((0.25, 0.25, 0.25))


def test_one_row_is_its_own_mean():
    assert block_mean(np.array([0.7]), np.zeros(1, dtype=np.int64)) == (0.7, 0.7, 0.7)


def test_days_without_rows_do_not_count():
    sparse = np.array([0, 0, 1_000, 1_000, 5_000, 5_000])

    assert block_mean(np.arange(6.0), sparse) == block_mean(np.arange(6.0), np.array([0, 0, 1, 1, 2, 2]))


def test_the_interval_over_days_covers_bad_days_where_one_over_rows_does_not():
    random = np.random.default_rng(19)
    blocks = np.repeat(np.arange(30), 40)
    covered, narrow = [], []
    for _ in range(150):
        values = random.normal(0, 1, 30)[blocks] + random.normal(0, 1, len(blocks))
        _, low, high = block_mean(values, blocks)
        half = 1.96 * values.std() / np.sqrt(len(values))
        covered.append(low <= 0 <= high)
        narrow.append(abs(values.mean()) <= half)

    assert np.mean(covered) > 0.87
    assert np.mean(narrow) < 0.6


def test_of_two_versions_the_better_one_leaves_a_positive_difference():
    labels = np.arange(900) % 3 == 0
    worse, better = np.full(900, 0.7), np.full(900, 1 / 3)

    estimate = paired_log_loss(worse, better, labels, thirty_days(900))

    assert estimate.low > 0
    assert estimate.value == pytest.approx(metrics.log_loss(labels, worse) - metrics.log_loss(labels, better))


def test_a_certain_promise_that_failed_has_a_finite_loss():
    assert np.isfinite(log_losses(np.array([0.0, 1.0]), np.array([True, False]))).all()
