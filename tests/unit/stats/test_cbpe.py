"""Performance without labels: calibration is scikit-learn's isotonic map, and bands hold what they promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from bot.stats.calibration import calibrated, isotonic
from bot.stats.estimates import Band, banded, each_calibrated, estimated, estimated_classes
from bot.stats.metrics import binary, values
from bot.stats.multiclass import multiclass

pairs = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.8, 1.0]), st.booleans()), min_size=1, max_size=60)


def drawn(random, n, *, honest=True):
    truth = random.beta(1, 3, n)
    return (truth if honest else truth**2), (random.random(n) < truth).astype(np.float64)


@settings(max_examples=40)
@given(pairs)
def test_the_map_is_scikit_learns_isotonic_regression(rows):
    scores, labels = (np.array(side, dtype=np.float64) for side in zip(*rows, strict=True))
    asked = np.linspace(0, 1, 21)

    expected = IsotonicRegression(out_of_bounds="clip").fit(scores, labels).predict(asked)

    assert isotonic(scores, labels)(asked) == pytest.approx(expected, abs=1e-9)


def test_scores_that_lie_are_mapped_and_honest_ones_hardly_moved():
    random = np.random.default_rng(3)
    lying, honest = calibrated(*drawn(random, 20_000, honest=False)), calibrated(*drawn(random, 20_000))

    assert lying.used
    assert lying(np.array([0.25]))[0] == pytest.approx(0.5, abs=0.05)
    assert honest(np.array([0.25]))[0] == pytest.approx(0.25, abs=0.05)


@pytest.mark.parametrize("labels", [np.ones(500), np.zeros(500)])
def test_of_one_class_nothing_can_be_learned(labels):
    assert not calibrated(np.linspace(0, 1, 500), labels).used


def test_few_rows_teach_nothing():
    assert not calibrated(np.linspace(0, 1, 99), np.arange(99) % 2.0).used


@pytest.mark.parametrize("honest", [True, False])
def test_the_band_holds_the_realised_metric_as_often_as_it_promises(honest):
    inside, far = [], []
    for seed in range(60):
        random = np.random.default_rng(seed)
        means = calibrated(*drawn(random, 3_000, honest=honest))
        scores, labels = drawn(random, 1_000, honest=honest)
        real = values(binary(scores, labels, scores >= 0.3))
        for name, band in estimated(scores, scores >= 0.3, means).items():
            inside.append(band.lower <= real[name] <= band.upper)
            far.append(3 * (real[name] - band.value) / max(band.upper - band.value, band.value - band.lower))

    assert np.mean(inside) > 0.985
    assert 0.8 < np.std(far) < 1.2


def test_the_band_of_several_classes_holds_the_realised_metric_too():
    inside = []
    for seed in range(25):
        random = np.random.default_rng(seed)
        scores = random.dirichlet((1, 2, 1), 3_000)
        labels = (random.random(3_000)[:, None] > scores.cumsum(axis=1)).sum(axis=1).clip(0, 2)
        then, now = slice(0, 2_000), slice(2_000, None)
        means = each_calibrated(scores[then], labels[then])
        called = scores[now].argmax(axis=1)
        real = values(multiclass(scores[now], np.eye(3)[labels[now]], called))
        inside += [b.lower <= real[name] <= b.upper for name, b in estimated_classes(scores[now], called, means).items()]

    assert np.mean(inside) > 0.985


def test_where_inputs_become_harder_the_estimate_falls_as_the_realised_metric_does():
    random = np.random.default_rng(5)
    means = calibrated(*drawn(random, 10_000))
    scores = random.uniform(0.4, 0.6, 10_000)
    labels = (random.random(10_000) < scores).astype(np.float64)

    band = estimated(scores, scores >= 0.5, means)["roc_auc"]

    assert band.value < 0.6
    assert band.lower <= values(binary(scores, labels, scores >= 0.5))["roc_auc"] <= band.upper


def test_concept_drift_is_not_seen():
    random = np.random.default_rng(7)
    scores, labels = drawn(random, 10_000)
    means = calibrated(scores, labels)

    estimate = estimated(scores, scores >= 0.5, means)["roc_auc"].value
    reversed_truth = values(binary(scores, 1 - labels, scores >= 0.5))["roc_auc"]

    assert estimate > 0.7
    assert reversed_truth < 0.3


def test_a_band_ends_where_its_metric_does():
    assert banded("roc_auc", 0.99, 0.02) == pytest.approx(Band(0.99, 0.93, 1.0))
    assert banded("log_loss", 0.1, 0.2) == pytest.approx(Band(0.1, 0.0, 0.7))


def test_a_row_that_no_class_expects_may_be_of_any():
    means = each_calibrated(np.full((200, 2), 0.5), np.arange(200) % 2)

    assert estimated_classes(np.zeros((60, 2)), np.zeros(60, int), means)["accuracy"].value == pytest.approx(0.5)
