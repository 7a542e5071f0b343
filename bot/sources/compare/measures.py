"""The measures of `aiops drift`: name, what kind of column it is for, the lines that judge it, and how it is taken."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bot.core.checks import Threshold
from bot.core.errors import ConfigError
from bot.sources.compare.pairs import Levels, Numbers
from bot.stats import binned
from bot.stats.distances import Association, chi_square
from bot.stats.smirnov import exact_p_value
from bot.stats.transport import NARROWEST, Between

LEAST_ROWS = 30
SIGNIFICANCE = 0.05
MOSTLY = 0.5
NUMERIC, CATEGORICAL = "numeric", "categorical"
Pair = Numbers | Levels


@dataclass(frozen=True, slots=True)
class Found:
    """What a measure says of one column.

    `interval` is what an approximation can still be (None: exact), `beyond` what chance does not explain (None: not asked for).
    `certainty` is the p-value that judges where it is not the one that is told; `line` how much of the measure's unit a line counts
    in: W1 is judged in standard deviations, χ² by the V that it makes.
    `doubt` says why the value, though computed, judges nothing.
    """

    value: float
    p_value: float | None = None
    interval: Between | None = None
    beyond: float | None = None
    certainty: float | None = None
    line: float = 1.0
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """A named way to measure one column of two files.

    `usual`: the kinds of column of which it is part of the default policy; `squared`: it grows with a change's square, as PSI does.
    """

    name: str
    label: str
    kinds: tuple[str, ...]
    usual: tuple[str, ...]
    warning: float
    critical: float
    take: Callable[[Pair], Found | None]
    squared: bool = False

    def threshold(self, scale: float = 1.0) -> Threshold:
        """Return its lines, in units of `scale`."""
        return Threshold(self.warning * scale, self.critical * scale, least_rows=LEAST_ROWS, significance=SIGNIFICANCE)


def _ks(pair: Pair) -> Found | None:
    if not isinstance(pair, Numbers):
        return None
    known = pair.smirnov
    return Found(known.low, exact_p_value(known.low, pair.reference.count, pair.current.count), _inexact(known))


def _wasserstein(pair: Pair) -> Found | None:
    return _carried(pair, 1.0, pair.deviation or NARROWEST) if isinstance(pair, Numbers) else None


def _normed(pair: Pair) -> Found | None:
    return _carried(pair, pair.deviation or NARROWEST, 1.0) if isinstance(pair, Numbers) else None


def _carried(pair: Numbers, unit: float, line: float) -> Found:
    """Return W1 in this unit; that the two columns differ at all is Smirnov's to be sure of."""
    with np.errstate(over="ignore", invalid="ignore"):
        known = Between(*(np.float64(end) / unit for end in pair.transport))
    chance = exact_p_value(pair.smirnov.low, pair.reference.count, pair.current.count)
    doubt = "" if np.isfinite([known.high, unit, line]).all() else "numbers too large to be added up"
    return Found(float(known.low), None, _inexact(known), certainty=chance, line=line, doubt=doubt)


def _inexact(known: Between) -> Between | None:
    return Between(float(known.low), float(known.high)) if known.low < known.high else None


def _chi_square(pair: Pair) -> Found | None:
    found, certain = _associations(pair)
    if found is None or certain is None:
        return None
    rows = float(pair.then.sum() + pair.now.sum())
    return Found(found.statistic, found.p_value, None, certain.corrected_v**2 * rows, certain.p_value, line=rows)


def _cramers_v(pair: Pair) -> Found | None:
    found, certain = _associations(pair)
    if found is None or certain is None:
        return None
    return Found(found.cramers_v, found.p_value, None, certain.corrected_v, certain.p_value)


def _associations(pair: Pair) -> tuple[Association | None, Association | None]:
    """Return χ² over all levels, and over those of which there are enough rows to be certain."""
    if not isinstance(pair, Levels):
        return None, None
    return chi_square(pair.then, pair.now), chi_square(*binned.pooled(pair.then, pair.now))


def _binned(take: Callable[..., binned.Moved | None], *how: binned.Distance) -> Callable[[Pair], Found | None]:
    def taken(pair: Pair) -> Found | None:
        then, now = pair.deciles if isinstance(pair, Numbers) else (pair.then, pair.now)
        moved = take(*how, then, now)
        if moved is None:
            return None
        blind = isinstance(pair, Numbers) and len(then) < 2 and not pair.constant
        doubt = "the reference is nearly one value: its deciles are one bin, which cannot move" if blind else ""
        return Found(moved.value, moved.p_value, None, moved.beyond, doubt=doubt)

    return taken


def settled(measure: Measure, pair: Pair, found: Found) -> Found:
    """Return what was found, with a doubt where it is large only because most rows are of levels that are rare: names, ids."""
    line = measure.warning * found.line
    if isinstance(pair, Numbers) or found.beyond is None or not found.beyond < line <= found.value:
        return found
    common = binned.common(pair.then, pair.now)
    if common.any() and min(float(side[common].sum() / side.sum()) for side in (pair.then, pair.now)) >= MOSTLY:
        return found
    return replace(found, doubt="most rows are of levels too rare to be compared one by one")


BOTH = (NUMERIC, CATEGORICAL)
MEASURES = {
    measure.name: measure
    for measure in (
        Measure("ks", "KS", (NUMERIC,), (NUMERIC,), 0.1, 0.2, _ks),
        Measure("wasserstein", "Wasserstein", (NUMERIC,), (), 0.1, 0.3, _wasserstein),
        Measure("wasserstein_normed", "Wasserstein / sd", (NUMERIC,), (), 0.1, 0.3, _normed),
        Measure("jensen_shannon", "Jensen–Shannon", BOTH, (), 0.1, 0.2, _binned(binned.moved, binned.jensen_shannon)),
        Measure("hellinger", "Hellinger", BOTH, (), 0.1, 0.2, _binned(binned.moved, binned.hellinger)),
        Measure("psi", "PSI", BOTH, BOTH, 0.1, 0.25, _binned(binned.stability), squared=True),
        Measure("chi2", "χ²", (CATEGORICAL,), (CATEGORICAL,), 0.1**2, 0.3**2, _chi_square, squared=True),
        Measure("cramers_v", "Cramér's V", (CATEGORICAL,), (CATEGORICAL,), 0.1, 0.3, _cramers_v),
        Measure("total_variation", "total variation", BOTH, (), 0.1, 0.2, _binned(binned.moved, binned.total_variation)),
        Measure("l_infinity", "L∞", BOTH, (), 0.1, 0.2, _binned(binned.moved, binned.l_infinity)),
    )
}
"""By name. W1 is judged in standard deviations of the reference, which one outlier can inflate: it is not in the usual policy."""


def chosen(names: Iterable[str], *, every: bool) -> dict[str, Sequence[Measure]]:
    """Return by kind of column which measures are taken: those named, or every one, or the usual ones.

    Raises:
        ConfigError: there is no measure of that name, or both were asked for.
    """
    wanted = list(dict.fromkeys(name.strip() for given in names for name in given.split(",") if name.strip()))
    if strange := [name for name in wanted if name not in MEASURES]:
        raise ConfigError(f"There is no check '{strange[0][:60]}'; there are: {', '.join(MEASURES)}.")
    if wanted and every:
        raise ConfigError("Give either --checks or --all, not both: --all takes every check there is.")
    return {
        kind: [
            measure
            for measure in MEASURES.values()
            if kind in measure.kinds and (measure.name in wanted or every or (not wanted and kind in measure.usual))
        ]
        for kind in BOTH
    }
