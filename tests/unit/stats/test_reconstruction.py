"""PCA reconstruction: scikit-learn's components, errors of rows that they never saw, a line that knows the window's size."""

import numpy as np
import pytest
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from bot.stats.reconstruction import KEPT_VARIANCE, errors_of, fitted, reconstruction
from tests.fakes.readings import joint


def rows(n=1_500, seed=0, k=6, flip=1.0, **more):
    """Return rows whose odd columns follow the even ones."""
    random = np.random.default_rng(seed)
    base = random.normal(size=(n, k // 2))
    columns = {f"x{i}": base[:, i // 2] * (flip if i % 2 else 1) + random.normal(0, 0.4, n) for i in range(k)}
    return joint({**columns, "c": random.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2]).tolist(), **more})


@pytest.mark.parametrize("seed", range(3))
def test_components_and_errors_are_scikit_learns(seed):
    random = np.random.default_rng(seed)
    data = random.normal(size=(400, 6)) @ random.normal(size=(6, 6))
    scaler = StandardScaler().fit(data)
    pca = PCA(n_components=KEPT_VARIANCE, svd_solver="full").fit(scaler.transform(data))
    fresh = scaler.transform(random.normal(size=(50, 6)) * 3)
    theirs = np.linalg.norm(fresh - pca.inverse_transform(pca.transform(fresh)), axis=1)
    basis = fitted(data)

    assert basis.components.shape[1] == pca.n_components_
    assert errors_of(scaler.inverse_transform(fresh), basis) == pytest.approx(theirs, abs=1e-9)


def test_windows_like_the_reference_lie_within_its_band():
    found = [reconstruction(rows(seed=seed), rows(600, seed=seed + 100)) for seed in range(40)]

    assert np.quantile([f.deviations for f in found], 0.9) < 2
    assert max(f.deviations for f in found) < 3
    assert abs(np.mean([f.error - f.reference for f in found])) < 0.02


@pytest.mark.parametrize("m", [200, 1_000])
def test_columns_that_no_longer_go_together_are_far_off_at_any_size_of_window(m):
    assert reconstruction(rows(), rows(m, seed=1, flip=-1.0)).deviations > 5


def test_the_band_is_three_deviations_wide():
    found = reconstruction(rows(), rows(seed=1))
    at_the_edge = stats.t.isf(stats.norm.sf(3), 9) * np.sqrt(1.1)

    assert (found.band[0] + found.band[1]) / 2 == pytest.approx(found.reference, abs=1e-12)
    assert found.band[1] - found.reference == pytest.approx(at_the_edge * (found.error - found.reference) / _t(found), rel=1e-6)


def _t(found):
    """Return Student's t that is as surprising as the deviations say, with its sign."""
    t = stats.t.isf(stats.norm.sf(found.deviations), 9) * np.sqrt(1.1)
    return np.copysign(t, found.error - found.reference)


def test_a_move_too_small_to_matter_is_no_news_however_many_rows_there_are():
    random = np.random.default_rng(0)
    then, now = (joint({"x": random.normal(size=5_000), "y": random.normal(0, size, 5_000)}) for size in (1.0, 1.05))

    assert reconstruction(then, now).deviations < 3


def test_missing_values_are_filled_with_the_usual():
    assert reconstruction(rows(), rows(seed=1, x0=np.full(1_500, np.nan))).deviations > 0
    assert reconstruction(rows(x0=np.full(1_500, np.nan)), rows(seed=1)).n == 1_500


def test_levels_of_equal_frequency_are_not_one_level():
    then, now = joint({"c": ["a", "b"] * 500, "d": ["a", "b"] * 500}), joint({"c": ["a", "b"] * 500, "d": ["b", "a"] * 500})

    assert reconstruction(then, now).deviations > 5


@pytest.mark.parametrize("value", [0.0, 1e308, -1e308])
def test_a_constant_column_is_as_usual(value):
    still = joint({"x": np.full(300, value)})

    assert reconstruction(still, still).deviations == 0


def test_numbers_near_the_end_of_their_range_do_not_stop_it():
    huge = np.where(np.arange(500) % 2, 1e308, -1e308)
    found = reconstruction(rows(500, x0=huge), rows(500, seed=1, x0=huge))

    assert np.isfinite([found.error, found.deviations, *found.band]).all()


def test_what_shares_no_column_cannot_be_compared():
    assert reconstruction(joint({"x": np.ones(300)}), joint({"y": np.ones(300)})) is None
