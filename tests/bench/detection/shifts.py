"""What is done to a window, at what size. Everything else about it stays as drawn."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tests.bench.detection.sets import DataSet

A_A = "none"
AGAIN = 3
"""So many windows in a row have the same trouble: enough for two bad ones out of three."""


@dataclass(frozen=True)
class Draw:
    """One window to be made of a set: `column` is the one that is harmed, `text` the one of the texts, if there is any."""

    data: DataSet
    random: np.random.Generator
    column: str
    text: str = ""

    def rows(self) -> pd.DataFrame:
        return self.data.drawn(self.random)

    def share(self, frame: pd.DataFrame, size: float) -> np.ndarray:
        return self.random.random(len(frame)) < size


Shift = Callable[[Draw, float], pd.DataFrame]


def added(frame: pd.DataFrame, column: str, amount: np.ndarray) -> pd.DataFrame:
    """Return the rows with something added to a column; whole numbers stay whole, or a sensor's grid would tell by itself."""
    values = frame[column].to_numpy(float)
    whole = np.nanmax(np.abs(values - np.round(values)), initial=0.0) == 0
    moved = values + amount
    return frame.assign(**{column: np.round(moved) if whole else moved})


def mean(draw: Draw, size: float) -> pd.DataFrame:
    """One feature moves by `size` standard deviations."""
    frame = draw.rows()
    return added(frame, draw.column, np.full(len(frame), size * draw.data.population[draw.column].std()))


def mean_of_all(draw: Draw, size: float) -> pd.DataFrame:
    """Every numeric feature moves by `size` of its standard deviations."""
    frame = draw.rows()
    for name in draw.data.numeric:
        frame = added(frame, name, np.full(len(frame), size * draw.data.population[name].std()))
    return frame


def noise(draw: Draw, size: float) -> pd.DataFrame:
    """Gaussian noise of `size` standard deviations on one feature."""
    frame = draw.rows()
    return added(frame, draw.column, draw.random.normal(0, size * draw.data.population[draw.column].std(), len(frame)))


def lost(draw: Draw, size: float) -> pd.DataFrame:
    """A share of one feature is null."""
    frame = draw.rows()
    return frame.assign(**{draw.column: frame[draw.column].mask(draw.share(frame, size))})


def stuck(draw: Draw, size: float) -> pd.DataFrame:
    """A share of one feature is its median."""
    frame, usual = draw.rows(), draw.data.population[draw.column].median()
    return frame.assign(**{draw.column: frame[draw.column].mask(draw.share(frame, size), usual)})


def hundredfold(draw: Draw, size: float) -> pd.DataFrame:
    """A share of one feature is a hundred times as large: another unit."""
    frame = draw.rows()
    return frame.assign(**{draw.column: frame[draw.column].mask(draw.share(frame, size), frame[draw.column] * 100)})


def new_category(draw: Draw, size: float) -> pd.DataFrame:
    """A share of a text column has a level that was never there."""
    frame = draw.rows()
    return frame.assign(**{draw.text: frame[draw.text].mask(draw.share(frame, size), "never seen")})


def label_shift(draw: Draw, size: float) -> pd.DataFrame:
    """The share of positives moves by `size`; each class looks as before."""
    truth, n = draw.data.population["label"].to_numpy(), draw.data.window_rows
    usual = truth.mean()
    positive = draw.random.random(n) < (usual + size if usual + size <= 0.95 else usual - size)
    ups, downs = np.flatnonzero(truth == 1), np.flatnonzero(truth == 0)
    return draw.data.taken(np.where(positive, draw.random.choice(ups, n), draw.random.choice(downs, n)))


def concept(draw: Draw, size: float) -> pd.DataFrame:
    """A share of the negatives turns out positive: the same inputs mean something else."""
    frame = draw.rows()
    return frame.assign(label=frame["label"].mask(draw.share(frame, size), 1.0))


@dataclass(frozen=True)
class Scenario:
    """A shift at several sizes; `course` says how much of the size each window of a run has."""

    words: str
    shift: Shift
    sizes: tuple[float, ...]
    course: tuple[float, ...] = field(default=(1.0,) * AGAIN)


RAMP = tuple(step / 8 for step in range(1, 9))
SCENARIOS: Mapping[str, Scenario] = {
    "mean": Scenario("mean of one feature moves (sd)", mean, (0.25, 0.5, 1.0)),
    "mean of all": Scenario("mean of every number moves (sd)", mean_of_all, (0.1, 0.25, 0.5)),
    "noise": Scenario("noise on one feature (sd)", noise, (0.5, 1.0, 2.0)),
    "lost": Scenario("share of one feature lost", lost, (0.1, 0.3, 0.6)),
    "stuck": Scenario("share of one feature stuck", stuck, (0.1, 0.3, 0.6)),
    "×100": Scenario("share of one feature × 100", hundredfold, (0.02, 0.2, 1.0)),
    "new category": Scenario("share with a new category", new_category, (0.02, 0.1, 0.3)),
    "label shift": Scenario("share of positives moves", label_shift, (0.1, 0.2, 0.3)),
    "concept": Scenario("labels mean something else (share)", concept, (0.1, 0.2, 0.4)),
    "gradual": Scenario("mean of one feature climbs over 8 windows (sd)", mean, (0.5, 1.0), RAMP),
    "recurring": Scenario("mean of one feature moves every other window (sd)", mean, (0.5, 1.0), (0.0, 1.0) * 3),
}
"""`recurring` harms every other window only; those between must stay quiet."""
