"""Estimated performance: how well does the model do, before any label has come?"""

from collections.abc import Iterator, Mapping

import numpy as np

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.findings import ESTIMATED
from bot.core.profiles import Counts
from bot.core.readings import BINARY, MULTICLASS, RANKING, REGRESSION, Outcomes, Reading
from bot.core.words import number
from bot.stats import estimates, losses, metrics
from bot.stats.calibration import calibrated
from bot.stats.estimates import Band
from bot.stats.regression import regression
from bot.stats.usual import Usual, at_length

LEAST_ROWS = 200
LEAST_STRETCHES = 3
"""How many windows as long the reference must hold to know what is usual of them."""
SUBJECTS: Mapping[str, Mapping[str, str]] = {
    BINARY: {"roc_auc": "ROC AUC", "average_precision": "average precision", "log_loss": "log loss", "brier": "Brier score"},
    MULTICLASS: {"accuracy": "accuracy"},
    REGRESSION: {"mae": "mean absolute error", "rmse": "root mean squared error"},
    RANKING: {"ndcg": "NDCG@k"},
}
DECIDED = {"accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "F1"}
NAMES = {name: label for task in (*SUBJECTS.values(), DECIDED) for name, label in task.items()}
NO_RANKING = "nothing estimates a ranking without labels: only relevances that have come can tell"
LINE = Threshold(critical=3.0, least_rows=LEAST_ROWS)
"""The whole band must be as many standard deviations worse than usual."""

Bands = dict[str, Band]
Told = dict[str, float]


@check(
    ESTIMATED,
    family=Family.PERFORMANCE,
    unit="sd worse than usual",
    threshold=Threshold(least_rows=LEAST_ROWS),
    thresholds=dict.fromkeys(("roc_auc", "accuracy", "mae", "rmse"), LINE),
    labels={name: f"estimated {label}" for name, label in NAMES.items()},
)
def estimated(reference: Reading, current: Reading) -> Iterator[Measured]:
    """Metrics expected without labels (CBPE; of numbers DLE), in standard deviations worse than stretches of as many rows were.

    It judges all rows of the window, labelled or not, with its band of ± 3 sampling errors, against the reference's own realised
    stretches of as many rows. Blind to concept drift: where the same scores now come true less often, only labels can tell.
    """
    then, rows = reference.outcomes, len(current.scored)
    names = SUBJECTS[current.task]
    if why := NO_RANKING if current.task == RANKING else _lacks(then, rows):
        yield from (NotMeasured(name, why, rows) for name in names)
        return
    assert then is not None  # noqa: S101  said above, for the type checker
    then = then.at_rows(np.argsort(then.at, kind="stable"))
    bands, lines = _numbers(then, current) if current.task == REGRESSION else _classes(then, current)
    for name in {**names, **bands}:
        if name not in bands or name not in lines:
            yield NotMeasured(name, "cannot be told from these scores and this reference", rows)
            continue
        yield _measured(name, bands[name], lines[name], rows)


def _lacks(then: Outcomes | None, rows: int) -> str:
    """Return what is missing to estimate anything; empty where nothing is."""
    if then is None or not len(then):
        return "the reference has no labels to learn from"
    if not rows:
        return "no scores are known of the window's rows"
    if rows < LEAST_ROWS:
        return f"not enough data: {rows:,} of {LEAST_ROWS:,} rows"
    if len(then) // rows < LEAST_STRETCHES:
        return f"the reference holds {len(then):,} labelled rows, too few to know {LEAST_STRETCHES} stretches of {rows:,}"
    return ""


def _measured(name: str, band: Band, line: Usual, rows: int) -> Measurement:
    """Return the estimate as standard deviations on the bad side of what is usual, the words with the metric itself."""
    low, high = sorted(line.worse_by(name, edge) for edge in (band.lower, band.upper))
    words = (
        f"estimated {NAMES[name]} {number(band.value)} [{number(band.lower)}, {number(band.upper)}], "
        f"usually {number(line.mean)} ± {number(line.deviation)}"
    )
    return Measurement(name, line.worse_by(name, band.value), rows, reference=0.0, interval=(low, high), detail=words)


def _classes(then: Outcomes, current: Reading) -> tuple[Bands, dict[str, Usual]]:
    labels = then.labels.astype(np.float64)
    wanted = {**SUBJECTS[current.task], **(DECIDED if current.task == BINARY and len(current.chosen) and len(then.chosen) else {})}
    means = calibrated(then.scores, labels)
    right = np.ones(len(then), dtype=bool)  # of several classes a row is right or wrong: to be right is all that is called
    chosen, picks = (then.chosen, current.chosen) if "f1" in wanted else (right, np.ones(len(current.scored), dtype=bool))

    def told(rows: Counts) -> Told:
        return metrics.values(metrics.binary(then.scores[rows], labels[rows], chosen[rows]))

    bands = estimates.estimated(current.scored, picks, means)
    lines = at_length(len(then), len(current.scored), told)
    return {name: band for name, band in bands.items() if name in wanted}, lines


def _numbers(then: Outcomes, current: Reading) -> tuple[Bands, dict[str, Usual]]:
    """Learn from the prediction alone: a reading has no rows of features."""
    known = losses.learned(np.empty((len(then), 0)), then.scores, then.values)
    rows = len(current.scored)
    bands = losses.estimated(known, np.empty((rows, 0)), current.scored) if known else {}
    lines = at_length(len(then), rows, lambda part: regression(then.scores[part], then.values[part]))
    return bands, lines
