"""What a source tells about one window: everything a check may look at, and no raw rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt

from bot.core.joint import JointRows
from bot.core.metrics import Series
from bot.core.profiles import ColumnProfile, Counts, Floats, Profiles
from bot.core.windows import Window

BINARY, MULTICLASS, REGRESSION, RANKING = "binary", "multiclass", "regression", "ranking"
"""What a model predicts: whether something comes true, which of several classes, a number, or which items of a group come first."""

TASKS = (BINARY, MULTICLASS, REGRESSION, RANKING)

TOP = 10
"""How many items of a group count, where nobody said."""


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Outcomes:
    """Predictions whose truth is known: `scores` in [0, 1], `labels` bool, `versions` text, `at` in epoch seconds, all (n,).

    `at` is when each was predicted: bad outcomes come in bad days, so intervals are made over whole days, not rows.
    `awaited` rows of the same window were predicted but have no label yet; `oldest_awaited` is the time of the first of them.
    `chosen` is the class that was decided on, bool (n,), empty where the log does not say it. Of several classes `scores` are those
    of the chosen one, and `labels` say whether it was right. Of a regression `scores` are the predicted numbers and `values` the
    true ones (n,). Of a ranking `values` are the relevances, 0 or more, and `groups` say which rows were ranked together: a number
    a group, spread evenly over all 64 bits, shape (n,). Nothing else has any.
    """

    scores: Floats
    labels: npt.NDArray[np.bool_]
    versions: npt.NDArray[np.str_]
    at: Counts
    awaited: int = 0
    oldest_awaited: datetime | None = None
    chosen: npt.NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, dtype=bool))
    values: Floats = field(default_factory=lambda: np.empty(0))
    groups: Counts = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.scores)

    def of_version(self, version: str) -> "Outcomes":
        """Return the rows that this version scored."""
        return self.at_rows(self.versions == version)

    def at_rows(self, rows: npt.NDArray[np.bool_] | Counts) -> "Outcomes":
        """Return these rows, by flags of shape (n,) or by place; what is awaited is the same."""
        return replace(
            self,
            scores=self.scores[rows],
            labels=self.labels[rows],
            versions=self.versions[rows],
            at=self.at[rows],
            chosen=self.chosen[rows] if len(self.chosen) else self.chosen,
            values=self.values[rows] if len(self.values) else self.values,
            groups=self.groups[rows] if len(self.groups) else self.groups,
        )

    def thinned(self, most: int) -> "Outcomes":
        """Return at most so many of the rows, evenly spread in their order, the same ones at every call; groups stay whole."""
        if len(self) <= most:
            return self
        if len(self.groups):
            _, place, rows = np.unique(self.groups, return_inverse=True, return_counts=True)
            return self.at_rows((np.cumsum(rows) <= most)[place])
        return self.at_rows(np.unique(np.linspace(0, len(self) - 1, most).astype(np.int64)))


@dataclass(frozen=True, slots=True, eq=False)
class Operations:
    """How serving felt: every request of the window, its failures, and the latencies (ms, shape (requests answered,))."""

    requests: int
    errors: int
    latencies_ms: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One window of one model as its source saw it.

    `rows` counts predictions; `columns` profiles features and the score; `kinds` names each column's type as the source
    reports it ("numeric", "categorical"), so that a lost or changed column is seen even when it has no values. `duplicates` counts
    the rows whose request id another row of the window has already; None where the log has no such ids, or they were not counted.
    `joint` are some of the rows, whole, for what only several columns at once can tell.
    `slices` are the rows of each level of the model's segments, by "origin=JFK", counted at the cut points of the whole.
    `scored` are the scores of all rows, labelled or not, and `chosen` the classes decided on (empty where the log does not say):
    what can be estimated without labels. A reference has none, and neither has a window whose rows were not read.
    `resources` are the model's metrics by name, of the whole only: no log tells them, `bot.flow.meter` asks for them beside it.
    `top` is how many items of a ranked group count.
    `targets` profiles the labels that have come and the classes that were decided on, by the log's names; of the whole only.
    """

    window: Window
    rows: int
    columns: Profiles = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    outcomes: Outcomes | None = None
    operations: Operations | None = None
    newest: datetime | None = None
    versions: Mapping[str, int] = field(default_factory=dict)
    duplicates: int | None = None
    joint: JointRows | None = None
    slices: Mapping[str, "Reading"] = field(default_factory=dict)
    task: str = BINARY
    scored: Floats = field(default_factory=lambda: np.empty(0))
    chosen: npt.NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, dtype=bool))
    resources: Mapping[str, Series] = field(default_factory=dict)
    top: int = TOP
    targets: Profiles = field(default_factory=dict)

    @property
    def distributions(self) -> dict[str, ColumnProfile]:
        """The columns, then the targets: everything whose distribution can be compared with another stretch's."""
        return {**self.columns, **{name: profile for name, profile in self.targets.items() if name not in self.columns}}

    def beside(self, other: "Reading") -> Iterator[tuple[str, ColumnProfile, ColumnProfile | None]]:
        """Yield each of its distributions by name, with what the other has under that name."""
        theirs = other.distributions
        return ((name, mine, theirs.get(name)) for name, mine in self.distributions.items())


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Some logged rows of a window, whole, with their truth: what another version is asked to score again.

    `features` maps a column to values of shape (n,), None where missing; the arrays are aligned with them, `at` as in Outcomes.
    """

    features: Mapping[str, tuple[object, ...]]
    scores: Floats
    labels: npt.NDArray[np.bool_]
    versions: npt.NDArray[np.str_]
    at: Counts

    def __len__(self) -> int:
        return len(self.scores)
