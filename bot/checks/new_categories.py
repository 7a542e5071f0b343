"""New categories: how much comes in levels that the model has never seen?"""

from collections.abc import Iterator, Mapping

import numpy as np
from scipy import special

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.profiles import CategoryProfile
from bot.core.readings import Reading
from bot.core.words import quoted, some
from bot.stats.draws import draws
from bot.stats.rates import beyond, wilson

LEAST_ROWS = 30
RARELY = 0.001


@check(
    "new_categories", family=Family.DATA_QUALITY, unit="share", threshold=Threshold(0.01, 0.05, least_rows=LEAST_ROWS), ever=True
)
def new_categories(reference: Reading, current: Reading) -> Iterator[Measured]:
    """The share of rows in levels that the reference does not have, 0 to 1, beyond what its rarest levels let expect."""
    for name, then in reference.columns.items():
        if not isinstance(then, CategoryProfile):
            continue
        now = current.columns.get(name)
        if not isinstance(now, CategoryProfile) or not now.count or not then.count:
            yield NotMeasured(name, "no categories on one side, or another type", current.rows)
            continue
        unseen = {level: rows for level, rows in now.counts.items() if level not in then.counts}
        if then.other:
            sure = _exploded(then, now, unseen)
            yield _measured(name, then, now, sure) if sure else _cannot_tell(name, then, now)
        else:
            yield _measured(name, then, now, unseen, now.other)


def _measured(name: str, then: CategoryProfile, now: CategoryProfile, unseen: Mapping[str, int], unnamed: int = 0) -> Measurement:
    """Judge the rows of unseen levels against Good and Turing: as many are usual as rows of the reference are the only ones."""
    fresh = sum(unseen.values()) + unnamed
    rows, known = draws(then, now)
    alone = sum(count == 1 for count in then.counts.values()) / then.count
    share = fresh / now.count
    band = beyond((share * rows, rows), (alone * known + 1, known + 1))
    worst = sorted(unseen, key=lambda level: (-unseen[level], level))
    words = f"{fresh:,} of {now.count:,} rows"
    if worst:
        words += f" are {some([quoted(level) for level in worst])}, which the reference does not have"
    return Measurement(name, share, now.count, reference=0.0, interval=band, detail=words)


def _exploded(then: CategoryProfile, now: CategoryProfile, unseen: Mapping[str, int]) -> dict[str, int]:
    """Return the levels that surely come more often than any that the reference may have dropped: rarer than its rarest name.

    Surely: by Poisson's tail, one of all the levels that might have been.
    """
    rows, known = draws(then, now)
    rarest = min(then.counts.values(), default=then.other) / then.count
    expected = rows * wilson(rarest * known, known)[1]
    seen = np.asarray(list(unseen.values()), dtype=np.float64)
    sure = special.gammainc(seen / now.count * rows, expected) <= RARELY / (len(unseen) + now.other + 1)
    return {level: n for (level, n), certain in zip(unseen.items(), sure, strict=True) if certain}


def _cannot_tell(name: str, then: CategoryProfile, now: CategoryProfile) -> NotMeasured:
    words = f"the reference names only {len(then.counts):,} of {then.distinct:,} levels: a new one looks like a rare one"
    return NotMeasured(name, words, now.count)
