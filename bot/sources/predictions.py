"""Two files of predictions, column by column: what was scored, what was decided, what came true.

Each task turns its columns into the same three answers about any rows: the realised metrics of the reference, those of the current
file as far as its labels have come, and what can be expected of it without them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bot.core.errors import ConfigError
from bot.core.profiles import Counts, Floats
from bot.sources.features import encoded
from bot.sources.values import classes, kind_of, numbers
from bot.sources.values import scores as shares
from bot.stats import estimates, losses, metrics
from bot.stats.calibration import calibrated
from bot.stats.estimates import Band
from bot.stats.multiclass import multiclass as of_classes
from bot.stats.regression import regression as of_numbers

CLASSES = ("roc_auc", "average_precision", "f1", "precision", "recall", "accuracy", "brier", "log_loss", "ece")
NUMBERS = ("mae", "rmse", "r2")
TRUE, FALSE = frozenset({"true", "yes", "y", "t", "1"}), frozenset({"false", "no", "n", "f", "0"})
MOST_CLASSES = 100

Flags = npt.NDArray[np.bool_]
Realised = Callable[[Counts], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the columns are called: `scores` holds one of a binary task, "class=column" or columns of several classes."""

    task: str
    label: str
    scores: tuple[str, ...] = ()
    prediction: str = ""
    threshold: float = 0.5
    positive: str = ""
    time: str = ""
    chunk_size: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What can be asked of two files.

    `usable` counts the reference's rows with score and label, `usual` tells their metrics by place among them; `scored` and
    `labelled` say it of each current row, shape (n,), `realised` and `expected` take current rows.
    """

    metrics: tuple[str, ...]
    usable: int
    scored: Flags
    labelled: Flags
    usual: Realised
    realised: Realised
    expected: Callable[[Counts], Mapping[str, Band]]
    notes: tuple[str, ...] = ()


def task_of(asked: Asked, reference: pa.Table, current: pa.Table) -> Task:
    """Return the task over both files.

    Raises:
        ConfigError: a column is not there, or does not hold what it is said to.
    """
    return {"binary": binary, "multiclass": multiclass, "regression": regression}[asked.task](asked, reference, current)


def binary(asked: Asked, reference: pa.Table, current: pa.Table) -> Task:
    """Return the task of two classes: one score from 0 to 1."""
    name = _only(asked.scores, "--score")
    then, now = (shares(column(table, name, side)) for table, side in ((reference, "reference"), (current, "current")))
    truth, real = (flags(c, asked.label, asked.positive) for c in _labels(asked, reference, current))
    decided = [_decided(asked, table, score) for table, score in ((reference, then), (current, now))]
    usable = np.flatnonzero(np.isfinite(then) & np.isfinite(truth) & np.isfinite(decided[0]))
    _enough(usable, name, asked.label)
    means = calibrated(then[usable], truth[usable])
    scored = np.isfinite(now) & np.isfinite(decided[1])

    def realised(score: Floats, label: Floats, chosen: Floats, rows: Counts) -> Mapping[str, float]:
        return metrics.values(metrics.binary(score[rows], label[rows], chosen[rows] > 0.5))

    return Task(
        CLASSES,
        len(usable),
        scored,
        np.isfinite(real),
        lambda rows: realised(then, truth, decided[0], usable[rows]),
        lambda rows: realised(now, real, decided[1], rows),
        lambda rows: estimates.estimated(now[rows], decided[1][rows] > 0.5, means),
        (_calibration_note([means.used]),),
    )


def multiclass(asked: Asked, reference: pa.Table, current: pa.Table) -> Task:
    """Return the task of several classes: a score from 0 to 1 each."""
    labels = [classes(c) for c in _labels(asked, reference, current)]
    named = class_columns(asked.scores, reference, labels[0])
    then, now = (
        np.stack([shares(column(table, name, side)) for name in named.values()], axis=1)
        for table, side in ((reference, "reference"), (current, "current"))
    )
    places = {name: place for place, name in enumerate(named)}
    truth, real = (_places(label, places) for label in labels)
    if strange := sorted({text for text in labels[0] if text is not None and text not in places}):
        raise ConfigError(f"The label '{strange[0][:60]}' has no score column; give one with --score '{strange[0][:60]}=COLUMN'.")
    chosen = [_chosen(asked, table, score, places) for table, score in ((reference, then), (current, now))]
    usable = np.flatnonzero(np.isfinite(then).all(axis=1) & (truth >= 0) & (chosen[0] >= 0))
    _enough(usable, ", ".join(named.values()), asked.label)
    means = estimates.each_calibrated(then[usable], truth[usable])

    def realised(score: Floats, label: Counts, called: Counts, rows: Counts) -> Mapping[str, float]:
        return metrics.values(of_classes(score[rows], np.eye(len(places))[label[rows]], called[rows]))

    return Task(
        CLASSES,
        len(usable),
        np.isfinite(now).all(axis=1) & (chosen[1] >= 0),
        real >= 0,
        lambda rows: realised(then, truth, chosen[0], usable[rows]),
        lambda rows: realised(now, real, chosen[1], rows),
        lambda rows: estimates.estimated_classes(now[rows], chosen[1][rows], means),
        (_calibration_note([mean.used for mean in means]),),
    )


def regression(asked: Asked, reference: pa.Table, current: pa.Table) -> Task:
    """Return the task of a predicted number."""
    name = asked.prediction or _only(asked.scores, "--prediction")
    then, now = (_finite(column(table, name, side), name) for table, side in ((reference, "reference"), (current, "current")))
    truth, real = (_finite(c, asked.label) for c in _labels(asked, reference, current))
    usable = np.flatnonzero(np.isfinite(then) & np.isfinite(truth))
    _enough(usable, name, asked.label)
    inputs, seen, left_out = encoded(reference, current, {asked.label, asked.time, name})
    known = losses.learned(inputs[usable], then[usable], truth[usable])
    notes = ["r2 is not estimated: it needs the spread of labels that have not come."]
    notes += [f"Not used to estimate: {', '.join(left_out[:10])}{' …' if len(left_out) > 10 else ''}."] if left_out else []
    notes += [] if known else [f"Nothing is estimated: the reference has fewer than {losses.LEAST_ROWS} rows with a label."]
    return Task(
        NUMBERS,
        len(usable),
        np.isfinite(now),
        np.isfinite(real),
        lambda rows: of_numbers(then[usable[rows]], truth[usable[rows]]),
        lambda rows: of_numbers(now[rows], real[rows]),
        lambda rows: losses.estimated(known, seen[rows], now[rows]) if known else {},
        tuple(notes),
    )


def column(table: pa.Table, name: str, side: str) -> pa.ChunkedArray:
    """Return a column that must be there, once.

    Raises:
        ConfigError: it is not, or twice.
    """
    there = table.column_names
    if there.count(name) != 1:
        told = f"has the column '{name}' {there.count(name)} times" if name in there else f"has no column '{name}'"
        raise ConfigError(f"The {side} file {told}; it has {', '.join(there[:20])}.")
    return table.column(name)


def flags(labels: pa.ChunkedArray, name: str, positive: str = "") -> Floats:
    """Return labels of two classes as 1 and 0, shape (n,), NaN where there is none.

    Raises:
        ConfigError: nobody can tell which class is meant.
    """
    if positive or kind_of(labels.type, "numeric") != "numeric":
        found = [None if text is None else text.strip() for text in classes(labels)]
        if positive:
            return np.array([np.nan if text is None else float(text == positive) for text in found], dtype=np.float64)
        known = {None: np.nan} | dict.fromkeys(TRUE, 1.0) | dict.fromkeys(FALSE, 0.0)
        lowered = [None if text is None else text.lower() for text in found]
        if strange := [text for text, low in zip(found, lowered, strict=True) if low not in known]:
            told = f"'{strange[0][:60]}'" if strange[0] else "an empty text"
            raise ConfigError(f"The column '{name}' holds {told}; name the class that counts as true with --positive.")
        return np.array([known[low] for low in lowered], dtype=np.float64)
    found_numbers = _finite(labels, name)
    there = set(np.unique(found_numbers[np.isfinite(found_numbers)])[:3].tolist())
    if not (there <= {0.0, 1.0} or there <= {-1.0, 1.0}):
        raise ConfigError(
            f"The column '{name}' holds other numbers than 0 and 1; name the one that counts as true with --positive."
        )
    return np.where(np.isfinite(found_numbers), (found_numbers > 0).astype(np.float64), np.nan)


def class_columns(asked: Sequence[str], reference: pa.Table, labels: Sequence[str | None]) -> dict[str, str]:
    """Return the score column of each class: as given ("class=column"), by the end of its name, or in the order of the classes.

    Raises:
        ConfigError: there are fewer than two columns, or they cannot be told apart.
    """
    if len(asked) < 2:
        raise ConfigError("A task of several classes needs a score column each: --score a=p_a --score b=p_b …")
    there = set(reference.column_names)
    pairs = [("", text) if text in there else (text.partition("=")[0], text.partition("=")[2]) for text in asked]
    if all(name for name, _ in pairs):
        return dict(pairs)
    found = sorted({text for text in labels if text is not None}, key=_ordered)
    if len(found) > MOST_CLASSES:
        raise ConfigError(f"The label column holds {len(found):,} classes; at most {MOST_CLASSES} can be estimated.")
    columns = [where for _, where in pairs]
    ends = {name: [c for c in columns if c == name or c.endswith((f"_{name}", f"-{name}", f".{name}"))] for name in found}
    if all(len(fits) == 1 for fits in ends.values()) and len({fits[0] for fits in ends.values()}) == len(columns):
        return {name: fits[0] for name, fits in ends.items()}
    if len(found) == len(columns):
        return dict(zip(found, columns, strict=True))
    raise ConfigError(f"{len(columns)} score columns stand for {len(found)} classes; say which: --score CLASS=COLUMN.")


def _ordered(text: str) -> tuple[int, float, str]:
    try:
        return 0, float(text), ""
    except ValueError:
        return 1, 0.0, text


def _labels(asked: Asked, reference: pa.Table, current: pa.Table) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Return the label column of both; the current file need not have it."""
    known = column(reference, asked.label, "reference")
    if asked.label not in current.column_names:
        return known, pa.chunked_array([pa.nulls(len(current))])
    return known, column(current, asked.label, "current")


def _decided(asked: Asked, table: pa.Table, score: Floats) -> Floats:
    """Return the thresholded class as 1 and 0, NaN where there is none: as logged, or by the threshold."""
    if asked.prediction:
        return flags(column(table, asked.prediction, "reference and the current"), asked.prediction, asked.positive)
    return np.where(np.isfinite(score), (score >= asked.threshold).astype(np.float64), np.nan)


def _chosen(asked: Asked, table: pa.Table, score: Floats, places: Mapping[str, int]) -> Counts:
    """Return the place of the chosen class, −1 where there is none: as logged, or the one with the highest score."""
    if asked.prediction:
        return _places(classes(column(table, asked.prediction, "reference and the current")), places)
    return np.where(np.isfinite(score).all(axis=1), np.nan_to_num(score, nan=-1).argmax(axis=1), -1)


def _places(found: Sequence[str | None], places: Mapping[str, int]) -> Counts:
    return np.array([-1 if text is None else places.get(text, -1) for text in found], dtype=np.int64)


def _finite(values: pa.ChunkedArray, name: str) -> Floats:
    if kind_of(values.type, "numeric") != "numeric":
        raise ConfigError(f"The column '{name}' must hold numbers.")
    found = numbers(values)
    found[~np.isfinite(found)] = np.nan
    return found


def _only(names: tuple[str, ...], option: str) -> str:
    if len(names) != 1:
        raise ConfigError(f"This task needs {option} once; it is given {len(names)} times.")
    return names[0]


def _enough(usable: Counts, score: str, label: str) -> None:
    if not len(usable):
        raise ConfigError(
            f"No row of the reference file has both a usable score ('{score}': 0 to 1 for a class) and a label ('{label}')."
        )


def _calibration_note(used: Sequence[bool]) -> str:
    if any(used):
        return "Scores are calibrated on the reference before anything is estimated: as they are they do not mean what they say."
    return "Scores are taken as they are: calibrating them on the reference makes them no better."
