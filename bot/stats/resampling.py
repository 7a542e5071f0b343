"""Windows that might have been: which parts of a reference make each of them, and the reference without those parts.

A window differs from another by its days, not by its rows: bad outcomes and odd traffic come in days that follow each other. Blocks
of consecutive parts are therefore drawn with replacement (Künsch 1989), each about the cube root of the parts long. A drawn window
is measured against the reference *without* its parts, or it would be compared with itself.
"""

from dataclasses import replace

import numpy as np

from bot.core.profiles import CategoryProfile, ColumnProfile, Counts, NumericProfile


def drawn(parts: int, take: int, times: int) -> Counts:
    """Return which parts make each window, shape (times, take); the same ones at every call.

    With `take` 1 every part is a window of its own, each once, however many times were asked for.
    """
    if take == 1:
        return np.arange(parts, dtype=np.int64)[:, None]
    length = max(1, min(take, parts, round(parts ** (1 / 3))))
    blocks = -(-take // length)
    starts = np.random.default_rng(0).integers(0, parts - length + 1, (times, blocks))
    placed = starts[:, :, None] + np.arange(length)
    return np.asarray(placed.reshape(times, -1)[:, :take], dtype=np.int64)


def without(whole: ColumnProfile, part: ColumnProfile) -> ColumnProfile:
    """Return the profile of the rows of `whole` that are not in `part`, which was counted like it; another kind changes nothing."""
    if isinstance(whole, NumericProfile) and isinstance(part, NumericProfile):
        return _fewer_numbers(whole, part)
    if isinstance(whole, CategoryProfile) and isinstance(part, CategoryProfile):
        return _fewer_levels(whole, part)
    return whole


def _fewer_numbers(whole: NumericProfile, part: NumericProfile) -> NumericProfile:
    n, m = whole.count - part.count, part.count
    mean = (whole.mean * whole.count - part.mean * m) / n if n > 0 else whole.mean
    between = (mean - part.mean) ** 2 * n * m / max(n + m, 1)
    return replace(
        whole,
        rows=max(0, whole.rows - part.rows),
        nulls=max(0, whole.nulls - part.nulls),
        nans=max(0, whole.nans - part.nans),
        infinities=max(0, whole.infinities - part.infinities),
        below=np.maximum(whole.below - part.below, 0),
        up_to=np.maximum(whole.up_to - part.up_to, 0),
        sum_up_to=whole.sum_up_to - part.sum_up_to,
        bins=np.maximum(whole.bins - part.bins, 0),
        mean=mean,
        squares=max(0.0, whole.squares - part.squares - between),
        far=None if whole.far is None or part.far is None else max(0, whole.far - part.far),
        magnitudes=_less(whole.magnitudes, part.magnitudes),
        sentinels=_less(whole.sentinels, part.sentinels),
    )


def _less(whole: Counts | None, part: Counts | None) -> Counts | None:
    """Return what is left of counts; None where one side was not counted."""
    return None if whole is None or part is None else np.maximum(whole - part, 0)


def _fewer_levels(whole: CategoryProfile, part: CategoryProfile) -> CategoryProfile:
    counts = {level: max(0, rows - part.counts.get(level, 0)) for level, rows in whole.counts.items()}
    named = sum(part.counts.get(level, 0) for level in whole.counts)
    rest = part.count - named
    return replace(
        whole,
        rows=max(0, whole.rows - part.rows),
        nulls=max(0, whole.nulls - part.nulls),
        counts=counts,
        other=max(0, whole.other - rest),
    )
