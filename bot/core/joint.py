"""Some rows of a window, whole: what only several columns at once can tell.

Profiles know each column alone. Whether two columns still go together, whether a learner can tell today's rows from last spring's,
and in which corner of the inputs the model errs, only rows can tell; a few thousand of them are enough.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from bot.core.profiles import Counts, Floats


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class JointRows:
    """At most a few thousand rows of one window, in the order of time, spread evenly over it; `of` is how many there were.

    Shapes: `values` is (n, k), a column a name; numbers as they are, missing and infinite ones NaN. A column of categories holds
    places in `levels[name]`, NaN where missing. `scores` and `labels` are (n,), NaN where nobody scored or nobody knows the truth
    yet: shares and whether it came true (1 or 0), of a regression the predicted and the true number, of a ranking never known.
    `at` is (n,), epoch seconds.
    """

    names: tuple[str, ...]
    values: Floats
    levels: Mapping[str, tuple[str, ...]]
    scores: Floats
    labels: Floats
    at: Counts
    of: int

    def __len__(self) -> int:
        return len(self.values)

    def column(self, name: str) -> Floats:
        """Return one column, shape (n,)."""
        return self.values[:, self.names.index(name)]

    def rows(self, kept: npt.NDArray[np.bool_]) -> Self:
        """Return only the rows that are kept: shape (n,)."""
        return replace(
            self, values=self.values[kept], scores=self.scores[kept], labels=self.labels[kept], at=self.at[kept], of=int(kept.sum())
        )

    def unlabelled(self) -> Self:
        """Return the rows as if nobody knew the truth yet."""
        return replace(self, labels=np.full(len(self), np.nan))

    def thinned(self, most: int) -> Self:
        """Return at most so many of the rows, evenly spread, the same ones at every call."""
        if len(self) <= most:
            return self
        kept = np.zeros(len(self), dtype=bool)
        kept[np.linspace(0, len(self) - 1, most).round().astype(np.int64)] = True
        return replace(self.rows(kept), of=self.of)


def joined(parts: Sequence[JointRows], most: int) -> JointRows:
    """Return the rows of stretches that follow each other, at least one, as those of one window: at most so many.

    Each stretch may have kept another share of its rows, so a row counts as many as it stands for; columns must be the same.
    """
    levels = {name: tuple(sorted({level for part in parts for level in part.levels[name]})) for name in parts[0].levels}
    values = np.vstack([_renamed(part, levels) for part in parts])
    scores, labels = (np.concatenate([getattr(part, name) for part in parts]) for name in ("scores", "labels"))
    at, of = np.concatenate([part.at for part in parts]), sum(part.of for part in parts)
    both = JointRows(parts[0].names, values, levels, scores, labels, at, of)
    if len(both) <= most:
        return both
    standing = np.cumsum(np.repeat([part.of / max(len(part), 1) for part in parts], [len(part) for part in parts]))
    kept = np.zeros(len(both), dtype=bool)
    kept[np.searchsorted(standing, np.linspace(0, 1, most) * standing[-1] * (1 - 1e-12))] = True
    return replace(both.rows(kept), of=of)


def _renamed(part: JointRows, levels: Mapping[str, tuple[str, ...]]) -> Floats:
    """Return a stretch's values with their categories as places in these levels."""
    values = part.values.copy()
    for name, known in part.levels.items():
        place = {level: float(i) for i, level in enumerate(levels[name])}
        by_place = np.array([*(place[level] for level in known), np.nan])
        column = values[:, part.names.index(name)]
        column[:] = by_place[np.where(np.isnan(column), len(known), column).astype(np.int64)]
    return values
