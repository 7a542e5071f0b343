"""The numerics of measured lines, as the story asks for them."""

import numpy as np
import numpy.typing as npt

from bot.core.profiles import ColumnProfile, Floats
from bot.stats import looks, resampling, tails


class Resampled:
    """The `Resampling` of `bot.stats`."""

    def drawn(self, parts: int, take: int, times: int) -> npt.NDArray[np.int64]:
        """Return which parts make each window, shape (times, take)."""
        return resampling.drawn(parts, take, times)

    def without(self, whole: ColumnProfile, part: ColumnProfile) -> ColumnProfile:
        """Return the profile of a column without some of its rows."""
        return resampling.without(whole, part)

    def chance_a_look(self, wanted: float, windows: float, step: float, persist: tuple[int, int], measures: int) -> float:
        """Return the chance of one look with which at most so many false incidents come in a time of so many windows."""
        return looks.chance_a_look(wanted, windows, step, persist, measures)

    def heights(self, badness: Floats, chance: float, independent: float) -> Floats:
        """Return a line a measure, any of which draws cross with this chance; NaN where there is nothing to learn."""
        return tails.heights(badness, chance, independent)
