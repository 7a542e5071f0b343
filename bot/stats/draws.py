"""How many independent draws are some rows? A column of the weekday is one draw a day, however many rows the day has.

Taking rows for independent makes every slow column cry wolf: within an hour the weekday, the month and the weather are constant,
and six of seven weekdays have vanished. How slow a column is, its reference tells: how often two neighbouring rows, in the order
of time, differ, against how often two rows picked at random would.
"""

import numpy as np

from bot.core.profiles import CategoryProfile, ColumnProfile
from bot.stats.learned import shared


@shared
def independence(reference: ColumnProfile) -> float | None:
    """Return how many independent draws one row of this column is worth: 1 for rows in no order, near 0 for a slow column.

    None where nobody has looked at the order of the rows.
    """
    if not reference.followed or not reference.count:
        return None
    differing = 1 - _same(reference)
    if differing <= 0:  # one value: it never changes, so nobody can say how slowly it would
        return None
    return min(1.0, (reference.changes + 1) / (reference.followed * differing))


def draws(reference: ColumnProfile, current: ColumnProfile) -> tuple[float, float]:
    """Return how many independent draws the values of a window and of its reference are, in this order.

    Where nobody knows the order of the reference's rows, each is one.
    """
    worth = independence(reference)
    worth = 1.0 if worth is None else worth
    return current.count * worth, reference.count * worth


def _same(column: ColumnProfile) -> float:
    """Return the chance that two rows picked at random are equal; levels beyond the cap count as all different."""
    if isinstance(column, CategoryProfile):
        levels = np.fromiter(column.counts.values(), np.float64, len(column.counts))
        return float(((levels / column.count) ** 2).sum())
    return float((((column.up_to - column.below) / column.count) ** 2).sum())
