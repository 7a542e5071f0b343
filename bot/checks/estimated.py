"""Estimated performance: how well does the model do, before any label has come?"""

from collections.abc import Iterator, Mapping

import numpy as np

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.findings import ESTIMATED
from bot.core.joint import JointRows
from bot.core.profiles import Floats
from bot.core.readings import BINARY, MULTICLASS, RANKING, REGRESSION, Outcomes, Reading
from bot.core.words import number
from bot.stats import estimates, losses, metrics
from bot.stats.calibration import Calibration, calibrated
from bot.stats.columns import Aligned, aligned, seen_before
from bot.stats.estimates import Band
from bot.stats.learned import once, shared
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

Bands = Mapping[str, Band]
Lines = Mapping[str, Usual]


@check(
    ESTIMATED,
    family=Family.PERFORMANCE,
    unit="sd worse than usual",
    threshold=Threshold(least_rows=LEAST_ROWS),
    thresholds=dict.fromkeys(("roc_auc", "accuracy", "mae", "rmse"), LINE),
    labels={name: f"estimated {label}" for name, label in NAMES.items()},
    whole_rows=(REGRESSION,),
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
    bands, lines = _numbers(reference, then, current) if current.task == REGRESSION else _classes(then, current)
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


def _classes(then: Outcomes, current: Reading) -> tuple[Bands, Lines]:
    told = current.task == BINARY and len(current.chosen) > 0 and len(then.chosen) > 0
    wanted = {**SUBJECTS[current.task], **(DECIDED if told else {})}
    picks = current.chosen if told else np.ones(len(current.scored), dtype=bool)  # without it a row is only right or wrong
    bands = estimates.estimated(current.scored, picks, _means(then))
    return {name: band for name, band in bands.items() if name in wanted}, _usual_of_classes(_size(current), then, decided=told)


@shared
def _means(then: Outcomes) -> Calibration:
    rows = _in_order(then)
    return calibrated(rows.scores, rows.labels.astype(np.float64))


@shared
def _usual_of_classes(size: int, then: Outcomes, *, decided: bool) -> Lines:
    rows = _in_order(then)
    labels = rows.labels.astype(np.float64)
    chosen = rows.chosen if decided else np.ones(len(rows), dtype=bool)
    return at_length(len(rows), size, lambda part: metrics.values(metrics.binary(rows.scores[part], labels[part], chosen[part])))


def _numbers(reference: Reading, then: Outcomes, current: Reading) -> tuple[Bands, Lines]:
    bands = _from_inputs(reference.joint, current.joint) or _from_predictions(then, current.scored)
    return bands, _usual_of_numbers(_size(current), then)


def _from_inputs(then: JointRows | None, now: JointRows | None) -> Bands:
    """Tell by the inputs and the prediction of whole rows, spread over the window; nothing where too few are known."""
    if then is None or now is None:
        return {}
    now = now.rows(~np.isnan(now.scores))
    sides = aligned(then, now)
    if len(now) < LEAST_ROWS or not sides.names:
        return {}
    known = once(then, ("losses", sides.names), lambda: _losses_of_rows(then, sides))
    return losses.estimated(known, seen_before(sides), now.scores) if known else {}


def _losses_of_rows(then: JointRows, sides: Aligned) -> losses.Losses | None:
    labelled = ~np.isnan(then.scores) & ~np.isnan(then.labels)
    return losses.learned(sides.then[labelled], then.scores[labelled], then.labels[labelled])


def _from_predictions(then: Outcomes, scored: Floats) -> Bands:
    """Tell by the prediction alone, of all rows."""
    known = _losses(then)
    return losses.estimated(known, np.empty((len(scored), 0)), scored) if known else {}


@shared
def _losses(then: Outcomes) -> losses.Losses | None:
    rows = _in_order(then)
    return losses.learned(np.empty((len(rows), 0)), rows.scores, rows.values)


@shared
def _usual_of_numbers(size: int, then: Outcomes) -> Lines:
    rows = _in_order(then)
    return at_length(len(rows), size, lambda part: regression(rows.scores[part], rows.values[part]))


def _in_order(then: Outcomes) -> Outcomes:
    return then.at_rows(np.argsort(then.at, kind="stable"))


def _size(current: Reading) -> int:
    """Return how many rows the window has, to two digits: what is usual at 10,012 rows is what is usual at 10,000."""
    return int(float(f"{len(current.scored):.2g}"))
