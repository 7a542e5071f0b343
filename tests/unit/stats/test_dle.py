"""Losses of numbers without labels, and what is usual in a reference."""

import numpy as np
import pytest

from bot.stats.losses import estimated, learned
from bot.stats.regression import regression
from bot.stats.usual import MOST_CHUNKS, Usual, at_length, drawn_chunks, overlapping_chunks, usual, whole_chunks


def drawn(random, n, spread=1.0):
    """Noise that grows with the second feature."""
    inputs = random.normal(0, spread, (n, 2))
    return inputs, inputs[:, 0], inputs[:, 0] + random.normal(0, 1, n) * np.exp(0.5 * np.clip(inputs[:, 1], -2, 2))


def test_the_band_holds_the_realised_loss():
    inside = []
    for seed in range(3):
        random = np.random.default_rng(seed)
        losses = learned(*drawn(random, 3_000))
        inputs, predicted, truth = drawn(random, 1_000)
        real = regression(predicted, truth)
        inside += [band.lower <= real[name] <= band.upper for name, band in estimated(losses, inputs, predicted).items()]

    assert np.mean(inside) > 0.9


def test_where_inputs_become_harder_the_estimate_rises():
    random = np.random.default_rng(1)
    losses = learned(*drawn(random, 4_000))
    hard = np.column_stack([np.zeros(1_000), np.full(1_000, 1.5)])

    usual_mae, hard_mae = (estimated(losses, x, x[:, 0])["mae"] for x in (drawn(random, 1_000)[0], hard))

    assert hard_mae.lower > usual_mae.upper


def test_the_same_reference_teaches_the_same():
    reference, window = drawn(np.random.default_rng(2), 500), drawn(np.random.default_rng(3), 100)

    first, second = (estimated(learned(*reference), *window[:2]) for _ in range(2))

    assert first == second


def test_few_rows_teach_nothing():
    assert learned(*drawn(np.random.default_rng(2), 99)) is None


def test_a_perfect_past_promises_no_loss():
    inputs, predicted, _ = drawn(np.random.default_rng(4), 200)

    assert estimated(learned(inputs, predicted, predicted), inputs, predicted)["rmse"] == (0.0, 0.0, 0.0)


def test_hostile_numbers_crash_nothing():
    inputs = np.full((200, 2), np.nan)
    inputs[::3] = np.inf
    predicted, truth = np.full(200, 1e300), np.full(200, -1e300)

    assert all(np.isfinite(band.value) for band in estimated(learned(inputs, predicted, truth), inputs, predicted).values())


def test_without_features_the_prediction_alone_must_do():
    _, predicted, truth = drawn(np.random.default_rng(4), 400)

    assert estimated(learned(np.empty((400, 0)), predicted, truth), np.empty((400, 0)), predicted)["mae"].value == pytest.approx(
        np.abs(truth - predicted).mean(), rel=0.1
    )


def test_what_is_usual_is_mean_and_deviation_of_the_chunks_by_hand():
    values = np.array([1.0, 1.0, 3.0, 3.0, 9.0])

    found = usual(whole_chunks(5, 2), lambda rows: {"mae": float(values[rows].mean())})["mae"]

    assert found == Usual(2.0, 1.0, 2)
    assert found.lines("mae") == (0.0, 5.0)


def test_a_share_has_its_lines_between_zero_and_one():
    assert Usual(0.95, 0.05, 10).lines("roc_auc") == pytest.approx((0.8, 1.0))


@pytest.mark.parametrize(("name", "value", "worse"), [("roc_auc", 0.8, 2.0), ("roc_auc", 1.0, -2.0), ("brier", 1.1, 4.0)])
def test_worse_is_counted_in_deviations_whichever_side_is_bad(name, value, worse):
    assert Usual(0.9, 0.05, 10).worse_by(name, value) == pytest.approx(worse)


def test_a_metric_that_one_chunk_alone_could_tell_is_not_usual():
    assert usual(whole_chunks(4, 2), lambda rows: {"roc_auc": 0.5} if rows[0] == 0 else {}) == {}


def test_of_very_many_chunks_an_even_choice_is_taken():
    chunks = list(whole_chunks(10_000, 2))

    assert len(chunks) == MOST_CHUNKS
    assert (chunks[0].tolist(), chunks[-1].tolist()) == ([0, 1], [9_998, 9_999])


def test_drawn_chunks_are_the_same_ones_each_time():
    assert [c.tolist() for c in drawn_chunks(30, 4)] == [c.tolist() for c in drawn_chunks(30, 4)]


def test_few_stretches_overlap_and_vary_at_least_as_chance_does():
    values = np.arange(400) % 2.0  # every stretch has the same mean, which no draw at random has

    assert len(list(overlapping_chunks(400, 100))) == 13
    assert at_length(400, 100, lambda rows: {"mae": float(values[rows].mean())})["mae"].deviation == pytest.approx(0.05, rel=0.3)
    assert at_length(400, 40, lambda rows: {"mae": float(values[rows].mean())})["mae"].deviation == 0
