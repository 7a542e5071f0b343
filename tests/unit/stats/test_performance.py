import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from bot.stats.performance import DAY_S, block_mean, brier, calibration_gap, days, log_loss, log_losses, paired_log_loss, roc_auc

RNG = np.random.default_rng(5)
AT = np.arange(5_000) * 500
SCORES = RNG.uniform(size=5_000)
LABELS = RNG.uniform(size=5_000) < SCORES
TIED = SCORES.round(1)


def test_the_gap_is_what_was_promised_less_what_came_true():
    found = calibration_gap(np.full(1_000, 0.3), np.arange(1_000) < 200, np.arange(1_000) * 600)

    assert found.value == pytest.approx(0.1)


def test_honest_scores_have_no_gap():
    found = calibration_gap(SCORES, LABELS, AT)

    assert found.low < 0 < found.high


@pytest.mark.parametrize("scores", [SCORES, TIED])
def test_the_metrics_are_sklearns(scores):
    kept = np.clip(scores, 1e-15, 1 - 1e-15)

    assert log_loss(scores, LABELS, AT).value == pytest.approx(metrics.log_loss(LABELS, kept), rel=1e-9)
    assert brier(scores, LABELS, AT).value == pytest.approx(metrics.brier_score_loss(LABELS, scores), rel=1e-9)
    assert roc_auc(scores, LABELS).value == pytest.approx(metrics.roc_auc_score(LABELS, scores), rel=1e-9)


@given(rows=st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=40))
def test_the_area_is_sklearns_whatever_the_ties(rows):
    scores, labels = np.array([s / 4 for s, _ in rows]), np.array([label for _, label in rows])
    found = roc_auc(scores, labels)

    if labels.all() or not labels.any():
        assert found is None
    else:
        assert found.value == pytest.approx(metrics.roc_auc_score(labels, scores), abs=1e-9)
        assert 0 <= found.low <= found.value <= found.high <= 1


def test_delongs_interval_is_as_wide_as_a_bootstrap():
    scores, labels = SCORES[:800], LABELS[:800]
    found = roc_auc(scores, labels)
    drawn = [roc_auc(scores[rows], labels[rows]).value for rows in RNG.integers(0, 800, (600, 800))]

    assert found.high - found.low == pytest.approx(2 * 1.96 * np.std(drawn), rel=0.1)


def test_certain_and_wrong_scores_have_a_finite_loss():
    losses = log_losses(np.array([0.0, 1.0, 0.0]), np.array([True, False, False]))

    assert losses == pytest.approx([34.539, 34.539, 0.0], abs=1e-2)


def test_bad_days_widen_the_interval():
    blocks = np.repeat(np.arange(20), 100)
    values = np.repeat(RNG.normal(size=20), 100) + RNG.normal(0, 0.1, 2_000)
    by_day, by_row = block_mean(values, blocks), block_mean(values, np.arange(2_000))

    assert by_day.high - by_day.low > 5 * (by_row.high - by_row.low)


def test_independent_rows_have_the_usual_interval():
    values = RNG.normal(size=20_000)
    found = block_mean(values, np.repeat(np.arange(200), 100))

    assert found.high - found.low == pytest.approx(2 * 1.96 / np.sqrt(20_000), rel=0.2)


@pytest.mark.parametrize("n", [1, 2, 5, 199, 201])
def test_less_than_three_days_still_have_an_interval(n):
    values = RNG.normal(size=n)
    found = block_mean(values, np.zeros(n, dtype=np.int64))

    assert found.low <= found.value <= found.high


def test_the_same_rows_have_the_same_interval_at_every_look():
    assert calibration_gap(SCORES, LABELS, AT) == calibration_gap(SCORES, LABELS, AT)


def test_a_day_is_twenty_four_hours_from_the_first_row():
    assert days(np.array([100, 99 + DAY_S, 100 + DAY_S, 100])).tolist() == [0, 0, 1, 0]
    assert days(np.array([], dtype=np.int64)).tolist() == []


def test_the_better_version_wins_on_the_same_rows():
    found = paired_log_loss(np.clip(SCORES + 0.2, 0, 0.99), SCORES, LABELS, AT)

    assert found.low > 0


def test_a_version_does_not_beat_itself():
    assert paired_log_loss(SCORES, SCORES, LABELS, AT) == (0.0, 0.0, 0.0)
