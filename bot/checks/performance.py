"""Performance: how well did the model do, now that the labels have come?"""

from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.readings import Outcomes, Reading
from bot.core.words import POINTS
from bot.stats import performance as measured_by
from bot.stats.performance import Estimate

LEAST_LABELS = 1_000
METRICS = {"calibration_gap": "calibration gap", "log_loss": "log loss", "brier": "Brier score", "roc_auc": "ROC AUC"}


@check(
    "performance",
    family=Family.PERFORMANCE,
    unit="",
    threshold=Threshold(least_rows=LEAST_LABELS),
    thresholds={"calibration_gap": Threshold(0.07, 0.10, least_rows=LEAST_LABELS, null=0.0, two_sided=True)},
    labels=METRICS,
    units={"calibration_gap": POINTS},
)
def performance(reference: Reading, current: Reading) -> Iterator[Measured]:
    """Realised metrics on the rows whose label has arrived: calibration gap (promised − came true), ROC AUC, log loss, Brier.

    Loss and Brier fall when fewer things happen, however wrong the promises are; the calibration gap does not, so it is the one
    that may wake people.
    """
    now = current.outcomes
    if now is None or not len(now):
        none = "the log has no label column: nobody can say how well it does"
        yield from (NotMeasured(name, none if now is None else _awaited(current.rows, now)) for name in METRICS)
        return
    measured = _metrics(now)
    yield from (
        NotMeasured(name, "only one of the two outcomes has come true", len(now)) for name in METRICS if name not in measured
    )
    then = reference.outcomes
    before = measured_by.values(then.scores, then.labels) if then is not None and len(then) else {}
    for name, estimate in measured.items():
        words = (
            f"promised {now.scores.mean() * 100:.1f} %, came true {now.labels.mean() * 100:.1f} %"
            if name == "calibration_gap"
            else ""
        )
        words += f"{'; ' if words else ''}{now.awaited:,} more labels are awaited" if now.awaited else ""
        band = (estimate.low, estimate.high)
        yield Measurement(name, estimate.value, len(now), reference=before.get(name), interval=band, detail=words)


def _awaited(rows: int, now: Outcomes) -> str:
    if rows and not now.awaited:
        return f"of {rows:,} predictions with a label none has a score from 0 to 1"
    since = f", the oldest of {now.oldest_awaited:%Y-%m-%d %H:%M} UTC" if now.oldest_awaited else ""
    return f"no label has arrived yet for {rows:,} predictions{since}"


def _metrics(outcomes: Outcomes) -> dict[str, Estimate]:
    scores, labels, at = outcomes.scores, outcomes.labels, outcomes.at
    area = measured_by.roc_auc(scores, labels)
    return {
        "calibration_gap": measured_by.calibration_gap(scores, labels, at),
        "log_loss": measured_by.log_loss(scores, labels, at),
        "brier": measured_by.brier(scores, labels, at),
        **({"roc_auc": area} if area else {}),
    }
