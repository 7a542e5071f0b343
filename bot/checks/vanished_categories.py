"""Vanished categories: which levels used to come, and do no more?"""

from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.profiles import CategoryProfile
from bot.core.readings import Reading
from bot.core.words import quoted, some
from bot.stats.draws import draws, independence
from bot.stats.rates import wilson

LEAST_ROWS = 100
RARELY = 0.001
"""Levels are gone when chance would keep all of them away this rarely."""


@check("vanished_categories", family=Family.DATA_QUALITY, unit="share", threshold=Threshold(0.05, 0.25, least_rows=LEAST_ROWS))
def vanished_categories(reference: Reading, current: Reading) -> Iterator[Measured]:
    """The reference's share of levels that are gone, 0 to 1; one that is only rare, or slow to come again, does not count."""
    for name, then in reference.columns.items():
        if not isinstance(then, CategoryProfile):
            continue
        now = current.columns.get(name)
        if not isinstance(now, CategoryProfile) or not now.count or not then.count:
            yield NotMeasured(name, "no categories on one side, or another type", current.rows)
        elif independence(then) is None and len(then.counts) > 1:
            words = "nobody knows how quickly the column changes: the reference's rows are in no order, or it has to be read anew"
            yield NotMeasured(name, words, now.count)
        else:
            yield _measured(name, then, now)


def _measured(name: str, then: CategoryProfile, now: CategoryProfile) -> Measurement:
    rows, known = draws(then, now)
    absent = {level: count for level, count in then.counts.items() if not now.counts.get(level)}
    surely = {count for count in set(absent.values()) if not _chance(count / then.count, known, rows, len(then.counts))}
    gone = [level for level, count in absent.items() if count in surely]
    gone.sort(key=lambda level: (-then.counts[level], level))
    share = sum(then.counts[level] for level in gone) / then.count
    band = wilson(share * known, known) if gone else (0.0, 0.0)
    words = f"{some([quoted(level) for level in gone])} had {share * 100:.1f} % of the reference's rows, none of {now.count:,} now"
    return Measurement(name, share, now.count, reference=0.0, interval=band, detail=words if gone else "")


def _chance(share: float, known: float, rows: float, levels: int) -> bool:
    """Return whether so many independent rows may well lack one of the levels, by the least share that `known` rows leave it."""
    return bool((1 - wilson(share * known, known)[0]) ** rows > RARELY / levels)
