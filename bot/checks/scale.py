"""Scale: has a column got another unit, or another sign?"""

from collections.abc import Iterator

import numpy as np

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.profiles import NumericProfile
from bot.core.readings import Reading
from bot.core.words import number
from bot.stats.draws import independence
from bot.stats.scale import Jump, jump, other_than_zero

LEAST_ROWS = 50
NEARLY_ALL = 0.95


@check("scale", family=Family.DATA_QUALITY, unit="share", label="values at another scale", threshold=Threshold(0.05, 0.20))
def scale(reference: Reading, current: Reading) -> Iterator[Measured]:
    """The share of values that are 10 or more times larger or smaller than they were, or of the other sign, 0 to 1."""
    for name, then in reference.columns.items():
        if not isinstance(then, NumericProfile):
            continue
        now = current.columns.get(name)
        if not isinstance(now, NumericProfile):
            yield NotMeasured(name, "no numbers in the window", current.rows)
        elif then.magnitudes is None or now.magnitudes is None or then.magnitudes.shape != now.magnitudes.shape:
            yield NotMeasured(name, "the stored reference is older than this check: it has to be read anew", now.count)
        elif then.low == then.high:
            yield NotMeasured(name, "the reference has one value: that says nothing of how it varies", now.count)
        elif (fewest := min(other_than_zero(then.magnitudes), rows := other_than_zero(now.magnitudes))) < LEAST_ROWS:
            yield NotMeasured(name, f"not enough data: {fewest:,} of {LEAST_ROWS} values other than zero", now.count)
        else:
            found = jump(then.magnitudes, now.magnitudes, independence(then) or 1.0)
            share, band = (found.share, (found.low, found.high)) if found else (0.0, (0.0, 0.0))
            words = _words(found, then, now) if found else ""
            yield Measurement(name, share, rows, reference=0.0, interval=band, detail=words)


def _words(found: Jump, then: NumericProfile, now: NumericProfile) -> str:
    """Say what has happened to how many values."""
    who = "the values are" if found.share >= NEARLY_ALL else f"about {found.share * 100:.0f} % of the values are"
    if found.factor < 0:
        return f"{who} of the other sign than in the reference"
    times = _factor(found, then, now)
    return f"{who} about {number(max(times, 1 / times))} times {'larger' if times > 1 else 'smaller'} than in the reference"


def _factor(found: Jump, then: NumericProfile, now: NumericProfile) -> float:
    """Return the factor as exactly as can be known: by the means where all has jumped, else the power of ten that is near."""
    with np.errstate(all="ignore"):
        by_means = float(np.float64(now.mean) / np.float64(then.mean))
    if found.share >= NEARLY_ALL and 0.8 < by_means / found.factor < 1.25:
        return float(f"{by_means:.2g}")
    power = float(10.0 ** round(np.log10(found.factor)))
    return power if 0.7 < power / found.factor < 1.4 else float(f"{found.factor:.2g}")
