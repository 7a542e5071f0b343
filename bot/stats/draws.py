"""How many independent draws are some rows? A column of the weekday is one draw a day, however many rows the day has.

Taking rows for independent makes every slow column cry wolf: within an hour the weekday, the month and the weather are constant,
and six of seven weekdays have vanished. How slow a column is, its reference tells: how often two neighbouring rows, in the order
of time, differ, against how often two rows picked at random would.
"""

from bot.core.profiles import CategoryProfile, ColumnProfile


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


def draws(reference: ColumnProfile, rows: int) -> float:
    """Return how many independent draws so many rows of this column are; where nobody knows the order, each row is one."""
    worth = independence(reference)
    return float(rows) if worth is None else rows * worth


def _same(column: ColumnProfile) -> float:
    """Return the chance that two rows picked at random are equal; levels beyond the cap count as all different."""
    if isinstance(column, CategoryProfile):
        return sum((rows / column.count) ** 2 for rows in column.counts.values())
    return float((((column.up_to - column.below) / column.count) ** 2).sum())
