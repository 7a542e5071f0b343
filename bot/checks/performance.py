"""Performance: how well did the model do, now that the labels have come?"""

from collections.abc import Iterator, Mapping

import numpy as np

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.readings import BINARY, MULTICLASS, REGRESSION, Outcomes, Reading
from bot.core.words import POINTS, SHARE
from bot.stats import performance as measured_by
from bot.stats.performance import Estimate
from bot.stats.regression import regression

LEAST_LABELS = 1_000
SCORED = {"calibration_gap": "calibration gap", "log_loss": "log loss", "brier": "Brier score", "roc_auc": "ROC AUC"}
RANKED = {"average_precision": "average precision"}
DECIDED = {"accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "F1"}
NUMBERS = {"mae": "mean absolute error", "rmse": "root mean squared error", "r2": "R²", "mae_ratio": "error, times the reference's"}
METRICS = SCORED | RANKED
BY_TASK: Mapping[str, Mapping[str, str]] = {
    BINARY: METRICS,
    MULTICLASS: {name: SCORED[name] for name in ("calibration_gap", "brier")} | {"accuracy": "accuracy"},
    REGRESSION: NUMBERS,
}
"""By task; the decided class is told, too, where a binary log has it."""

ONE_SIDED = "only one of the two outcomes has come true"
NEVER_CHANGED = "cannot be told: the truth never changes, or the reference has no error to compare with"


@check(
    "performance",
    family=Family.PERFORMANCE,
    unit="",
    threshold=Threshold(least_rows=LEAST_LABELS),
    thresholds={
        "calibration_gap": Threshold(0.07, 0.10, least_rows=LEAST_LABELS, null=0.0, two_sided=True),
        "mae_ratio": Threshold(1.25, 1.5, least_rows=LEAST_LABELS, null=1.0),
    },
    labels=SCORED | RANKED | DECIDED | NUMBERS,
    units={"calibration_gap": POINTS, **dict.fromkeys(("accuracy", "precision", "recall"), SHARE)},
)
def performance(reference: Reading, current: Reading) -> Iterator[Measured]:
    """Realised metrics of the task: calibration gap (promised − came true), ROC AUC, losses, F1; of numbers MAE, RMSE, R².

    Loss and Brier fall when fewer things happen, however wrong the promises are; the calibration gap does not, so it is the one
    that may wake people. Of a regression it is the error as a multiple of the reference's.
    """
    now, names = current.outcomes, BY_TASK[current.task]
    if now is None or not len(now):
        none = "the log has no label column: nobody can say how well it does"
        yield from (NotMeasured(name, none if now is None else _awaited(current, now)) for name in names)
        return
    then = reference.outcomes if reference.outcomes is not None and len(reference.outcomes) else None
    before = _usual(then, current.task) if then is not None else {}
    measured = _metrics(now, current.task, before)
    why = NEVER_CHANGED if current.task == REGRESSION else ONE_SIDED
    yield from (NotMeasured(name, why, len(now)) for name in names if name not in measured)
    for name, estimate in measured.items():
        words = _promised(now) if name == "calibration_gap" else ""
        words += f"{'; ' if words else ''}{now.awaited:,} more labels are awaited" if now.awaited else ""
        band = None if np.isnan(estimate.low) else (estimate.low, estimate.high)
        yield Measurement(name, estimate.value, len(now), reference=before.get(name), interval=band, detail=words)


def _awaited(current: Reading, now: Outcomes) -> str:
    if current.rows and not now.awaited:
        score = "is a number" if current.task == REGRESSION else "has a score from 0 to 1"
        return f"of {current.rows:,} predictions with a label none {score}"
    since = f", the oldest of {now.oldest_awaited:%Y-%m-%d %H:%M} UTC" if now.oldest_awaited else ""
    return f"no label has arrived yet for {current.rows:,} predictions{since}"


def _promised(now: Outcomes) -> str:
    return f"promised {now.scores.mean() * 100:.1f} %, came true {now.labels.mean() * 100:.1f} %"


def _usual(then: Outcomes, task: str) -> dict[str, float]:
    """Return the reference's own metrics, without intervals."""
    if task == REGRESSION:
        return regression(then.scores, then.values) | {"mae_ratio": 1.0}
    found = measured_by.values(then.scores, then.labels)
    if task == MULTICLASS:
        return found | {"accuracy": float(then.labels.mean())}
    precision = measured_by.average_precision(then.scores, then.labels)
    found |= {"average_precision": precision} if precision is not None else {}
    return found | (measured_by.decided(then.labels, then.chosen) if len(then.chosen) else {})


def _metrics(now: Outcomes, task: str, before: Mapping[str, float]) -> dict[str, Estimate]:
    return _of_numbers(now, before) if task == REGRESSION else _of_classes(now, task)


def _of_classes(now: Outcomes, task: str) -> dict[str, Estimate]:
    scores, labels, at = now.scores, now.labels, now.at
    found = {
        "calibration_gap": measured_by.calibration_gap(scores, labels, at),
        "log_loss": measured_by.log_loss(scores, labels, at),
        "brier": measured_by.brier(scores, labels, at),
    }
    if task == MULTICLASS:
        del found["log_loss"]  # what the other classes were given is not in the log
        return found | {"accuracy": measured_by.block_mean(labels.astype(np.float64), measured_by.days(at))}
    area, precision = measured_by.roc_auc(scores, labels), measured_by.average_precision(scores, labels)
    plain = measured_by.decided(labels, now.chosen) if len(now.chosen) else {}
    plain |= {"average_precision": precision} if precision is not None else {}
    return found | ({"roc_auc": area} if area else {}) | {name: _alone(value) for name, value in plain.items()}


def _of_numbers(now: Outcomes, before: Mapping[str, float]) -> dict[str, Estimate]:
    told = regression(now.scores, now.values)
    if "rmse" not in told:  # its squares overflow: no mean of them means anything
        return {name: _alone(value) for name, value in told.items()}
    mae = measured_by.mean_absolute_error(now.scores, now.values, now.at)
    found = {"mae": mae, "rmse": measured_by.root_mean_squared_error(now.scores, now.values, now.at)}
    found |= {"r2": _alone(told["r2"])} if "r2" in told else {}
    usual = before.get("mae", 0.0)
    return found | ({"mae_ratio": Estimate(*(part / usual for part in mae))} if usual > 0 else {})


def _alone(value: float) -> Estimate:
    """Return a number whose interval nobody has made."""
    return Estimate(value, np.nan, np.nan)
