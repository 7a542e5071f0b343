"""How far predicted numbers were from the true ones, as scikit-learn says it."""

import numpy as np

from bot.core.profiles import Floats


def regression(predicted: Floats, truth: Floats) -> dict[str, float]:
    """Return mae and rmse in the label's unit and r2 (1 is best), by name; r2 is left out where the truth never changes.

    Args:
        predicted: finite, shape (n,), n ≥ 1.
        truth: finite, shape (n,).
    """
    with np.errstate(over="ignore", invalid="ignore"):
        errors = truth - predicted
        told = {"mae": float(np.abs(errors).mean()), "rmse": float(np.sqrt((errors**2).mean()))}
        spread = float(((truth - truth.mean()) ** 2).sum())
        if spread > 0:
            told["r2"] = 1 - float((errors**2).sum()) / spread
    return {name: value for name, value in told.items() if np.isfinite(value)}
