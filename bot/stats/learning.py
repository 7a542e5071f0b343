"""Learners of trees on a few thousand rows; call them in one thread (`bot.stats.threads`)."""

from typing import Any

import numpy as np
import numpy.typing as npt

from bot.core.profiles import Floats

ROUNDS, LEAVES, RATE, LEAST_IN_LEAF = 40, 15, 0.15, 20


def classifier(rows: Floats, truth: npt.NDArray[np.bool_], categorical: npt.NDArray[np.bool_]) -> Any:
    """Return gradient-boosted trees, fitted; the same rows make the same trees."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415

    return HistGradientBoostingClassifier(**_shape(categorical)).fit(rows, truth)


def regressor(rows: Floats, truth: Floats, categorical: npt.NDArray[np.bool_]) -> Any:
    """Return gradient-boosted trees, fitted; the same rows make the same trees."""
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415

    return HistGradientBoostingRegressor(**{**_shape(categorical), "max_iter": 2 * ROUNDS}).fit(rows, truth)


def _shape(categorical: npt.NDArray[np.bool_]) -> dict[str, Any]:
    return {
        "max_iter": ROUNDS,
        "max_leaf_nodes": LEAVES,
        "learning_rate": RATE,
        "min_samples_leaf": LEAST_IN_LEAF,
        "early_stopping": False,
        "categorical_features": categorical,
        "random_state": 0,
    }


def folds(rows: int, k: int) -> npt.NDArray[np.int64]:
    """Return which of `k` contiguous folds each row belongs to, shape (rows,): neighbours in time are alike and stay together."""
    return np.arange(rows) * k // max(rows, 1)
