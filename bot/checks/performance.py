"""Performance: how well did the model do, now that the labels have come?"""

from collections.abc import Iterator, Mapping

import numpy as np

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.readings import BINARY, MULTICLASS, RANKING, REGRESSION, Outcomes, Reading
from bot.core.words import POINTS, SHARE
from bot.stats import performance as measured_by
from bot.stats.learned import shared
from bot.stats.performance import Estimate
from bot.stats.ranking import Ranked, ranked
from bot.stats.regression import regression

LEAST_LABELS, LEAST_GROUPS = 1_000, 100
SCORED = {"calibration_gap": "calibration gap", "log_loss": "log loss", "brier": "Brier score", "roc_auc": "ROC AUC"}
RANKED = {"average_precision": "average precision"}
DECIDED = {"accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "F1"}
NUMBERS = {"mae": "mean absolute error", "rmse": "root mean squared error", "r2": "R²", "mae_ratio": "error, times the reference's"}
METRICS = SCORED | RANKED
ORDERED = {"ndcg": "NDCG@k", "map": "MAP@k", "mrr": "MRR@k"}
GROUPS = ORDERED | {
    "precision_at_k": "precision@k",
    "none_relevant": "groups without a relevant item",
    "ndcg_lost": "loss of NDCG@k",
}
BY_TASK: Mapping[str, Mapping[str, str]] = {
    BINARY: METRICS,
    MULTICLASS: {name: SCORED[name] for name in ("calibration_gap", "brier")} | {"accuracy": "accuracy"},
    REGRESSION: NUMBERS,
    RANKING: GROUPS,
}
"""By task; the decided class is told, too, where a binary log has it."""

SHARES = ("accuracy", "precision", "recall", "none_relevant", "ndcg_lost")
ONE_SIDED = "only one of the two outcomes has come true"
WHY_NOT = {
    REGRESSION: "cannot be told: the truth never changes, or the reference has no error to compare with",
    RANKING: f"needs {LEAST_GROUPS} groups with a relevant item, in the window and in the reference",
}


@check(
    "performance",
    family=Family.PERFORMANCE,
    unit="",
    threshold=Threshold(least_rows=LEAST_LABELS),
    thresholds={
        "calibration_gap": Threshold(0.07, 0.10, least_rows=LEAST_LABELS, null=0.0, two_sided=True),
        "mae_ratio": Threshold(1.25, 1.5, least_rows=LEAST_LABELS, null=1.0),
        "ndcg_lost": Threshold(0.05, 0.10, least_rows=LEAST_LABELS, null=0.0),
    },
    labels=SCORED | RANKED | DECIDED | NUMBERS | GROUPS,
    units={"calibration_gap": POINTS, **dict.fromkeys(SHARES, SHARE)},
)
def performance(reference: Reading, current: Reading) -> Iterator[Measured]:
    """Realised metrics: calibration gap (promised − came true), ROC AUC, losses, F1; MAE, RMSE, R²; NDCG, MAP, MRR of rankings.

    Loss and Brier fall when fewer things happen, however wrong the promises are; the calibration gap does not, so it is the one
    that may wake people. Of a regression it is the error as a multiple of the reference's, of a ranking what share of the
    reference's NDCG@k is gone. Groups without a relevant item have no best order: they are left out of NDCG, MAP and MRR, and
    their share is told beside.
    """
    now, names = current.outcomes, BY_TASK[current.task]
    if now is None or not len(now):
        none = "the log has no label column: nobody can say how well it does"
        yield from (NotMeasured(name, none if now is None else _awaited(current, now)) for name in names)
        return
    then = reference.outcomes if reference.outcomes is not None and len(reference.outcomes) else None
    before = _usual(current.task, current.top, then) if then is not None else {}
    measured = _metrics(now, current, before)
    why = WHY_NOT.get(current.task, ONE_SIDED)
    yield from (NotMeasured(name, why, len(now)) for name in names if name not in measured)
    awaited = f"{now.awaited:,} more labels are awaited" if now.awaited else ""
    groups = f"{np.unique(now.groups).size:,} groups, k = {current.top}" if current.task == RANKING else ""
    for name, estimate in measured.items():
        words = "; ".join(part for part in (_promised(now) if name == "calibration_gap" else "", groups, awaited) if part)
        band = None if np.isnan(estimate.low) else (estimate.low, estimate.high)
        yield Measurement(name, estimate.value, len(now), reference=before.get(name), interval=band, detail=words)


def _awaited(current: Reading, now: Outcomes) -> str:
    if current.rows and not now.awaited:
        if current.task == RANKING:
            return f"of {current.rows:,} predictions none is in a group of which every row has a score and a label"
        score = "is a number" if current.task == REGRESSION else "has a score from 0 to 1"
        return f"of {current.rows:,} predictions with a label none {score}"
    since = f", the oldest of {now.oldest_awaited:%Y-%m-%d %H:%M} UTC" if now.oldest_awaited else ""
    if current.task == RANKING:
        return f"no group has all its labels yet, {now.awaited:,} are awaited for {current.rows:,} predictions{since}"
    return f"no label has arrived yet for {current.rows:,} predictions{since}"


def _promised(now: Outcomes) -> str:
    return f"promised {now.scores.mean() * 100:.1f} %, came true {now.labels.mean() * 100:.1f} %"


@shared
def _usual(task: str, top: int, then: Outcomes) -> Mapping[str, float]:
    """Return the reference's own metrics, without intervals."""
    if task == RANKING:
        return {name: estimate.value for name, estimate in _of_groups(_ranked(then, top), {}).items()} | {"ndcg_lost": 0.0}
    if task == REGRESSION:
        return regression(then.scores, then.values) | {"mae_ratio": 1.0}
    found = measured_by.values(then.scores, then.labels)
    if task == MULTICLASS:
        return found | {"accuracy": float(then.labels.mean())}
    return found | (measured_by.decided(then.labels, then.chosen) if len(then.chosen) else {})


def _metrics(now: Outcomes, current: Reading, before: Mapping[str, float]) -> dict[str, Estimate]:
    if current.task == RANKING:
        return _of_groups(_ranked(now, current.top), before)
    return _of_numbers(now, before) if current.task == REGRESSION else _of_classes(now, current.task)


def _ranked(outcomes: Outcomes, top: int) -> Ranked:
    """Return what each group's first items are worth, as many of them as count now."""
    return ranked(outcomes.scores, outcomes.values, outcomes.groups, outcomes.at, top)


def _of_groups(told: Ranked, before: Mapping[str, float]) -> dict[str, Estimate]:
    """Return means over groups; their intervals draw whole days, or stretches of whole groups."""
    day = measured_by.days(told.at)
    found = {
        "precision_at_k": measured_by.block_mean(told.precision, day),
        "none_relevant": measured_by.block_mean((~told.relevant).astype(np.float64), day),
    }
    if told.relevant.sum() < LEAST_GROUPS:
        return found
    for name, values in zip(ORDERED, (told.ndcg, told.average_precision, told.reciprocal_rank), strict=True):
        found[name] = measured_by.block_mean(values[told.relevant], day[told.relevant])
    usual = before.get("ndcg", 0.0)
    return found | ({"ndcg_lost": Estimate(*(1 - found["ndcg"][end] / usual for end in (0, 2, 1)))} if usual > 0 else {})


def _of_classes(now: Outcomes, task: str) -> dict[str, Estimate]:
    scores, labels, at = now.scores, now.labels, now.at
    found = measured_by.realised(scores, labels, at)
    if task == MULTICLASS:
        del found["log_loss"]  # what the other classes were given is not in the log
        return found | {"accuracy": measured_by.block_mean(labels.astype(np.float64), measured_by.days(at))}
    of = measured_by.wins(scores, labels)
    area, precision = measured_by.roc_auc(of), measured_by.average_precision(of)
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
