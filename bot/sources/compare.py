"""Two files, no set-up: which columns moved? What `aiops drift` shows.

The numbers are those of the checks, taken exactly: every value of the reference is a cut point and no level is dropped. Missing
values are counted apart and left out of every distance.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from bot.core.checks import Check, Family, Measurement, Threshold
from bot.core.findings import Finding, Verdict, judge
from bot.core.profiles import CategoryProfile, ColumnProfile, NumericProfile
from bot.core.windows import Window
from bot.sources.files import table_of
from bot.sources.table import kind_of, profiled
from bot.stats.distances import aligned, chi_square, exact_p_value, kolmogorov_smirnov, stability_index
from bot.stats.rates import lost

EVERYTHING = 2**62
"""No cap: of two files every distinct value is kept."""

LEAST_ROWS = 30
TIME = "time"
"""A kind of column that is never compared: time passes, it does not drift."""

WHEN = Window.ending(datetime(1970, 1, 2, tzinfo=UTC), timedelta(days=1))
"""Two files have no window; a finding must have one."""

Measured = tuple[float, float | None]
Measure = Callable[[ColumnProfile, ColumnProfile], Measured | None]


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One column in both files."""

    name: str
    kind: str
    reference: ColumnProfile
    current: ColumnProfile

    def shares_missing(self) -> dict[str, float]:
        """Return the share of rows without a value, by side."""
        sides = {"reference": self.reference, "current": self.current}
        return {side: column.missing / column.rows if column.rows else 0.0 for side, column in sides.items()}


def _ks(then: ColumnProfile, now: ColumnProfile) -> Measured | None:
    if not isinstance(then, NumericProfile) or not isinstance(now, NumericProfile):
        return None
    found = kolmogorov_smirnov(then, now)
    return (found.value, exact_p_value(found.value, then.count, now.count)) if found else None


def _psi(then: ColumnProfile, now: ColumnProfile) -> Measured | None:
    if isinstance(then, NumericProfile) and isinstance(now, NumericProfile):
        found = stability_index(then.bins, now.bins)
    elif isinstance(then, CategoryProfile) and isinstance(now, CategoryProfile):
        found = stability_index(*aligned(then, now))
    else:
        return None
    return (found.value, found.p_value) if found else None


def _association(then: ColumnProfile, now: ColumnProfile, what: str) -> Measured | None:
    if not isinstance(then, CategoryProfile) or not isinstance(now, CategoryProfile):
        return None
    found = chi_square(*aligned(then, now))
    return (getattr(found, what), found.p_value) if found else None


def _missing(then: ColumnProfile, now: ColumnProfile) -> Measured | None:
    """Return which share of the reference's values is gone."""
    if not now.rows or then.missing == then.rows:
        return None
    return lost((now.missing, now.rows), (then.missing, then.rows))[0], None


def _line(warning: float, critical: float) -> Threshold:
    return Threshold(warning, critical, least_rows=LEAST_ROWS, significance=0.05)


LINES: Mapping[str, tuple[str, Threshold, Measure]] = {
    "missing": ("", Threshold(0.25, 0.5, least_rows=LEAST_ROWS), _missing),
    "ks": ("numeric", _line(0.1, 0.2), _ks),
    "psi": ("", _line(0.1, 0.25), _psi),
    "chi2": ("categorical", Threshold(), lambda then, now: _association(then, now, "statistic")),
    "cramers_v": ("categorical", _line(0.1, 0.3), lambda then, now: _association(then, now, "cramers_v")),
}
"""By name: the kind of column it measures, the lines that judge it, and how. χ² grows with the rows, so V judges for it."""


def compare_tables(reference: Path, current: Path) -> dict[str, Any]:
    """Return how far each column of `current` is from `reference`, as plain JSON.

    Raises:
        SourceUnavailable: one of the two cannot be read.
    """
    return compared(table_of(reference), table_of(current))


def compared(reference: pa.Table, current: pa.Table) -> dict[str, Any]:
    """Return the same for two tables in memory."""
    pairs = list(_pairs(reference, current))
    found = [finding for name in LINES for finding in _judged(name, pairs)]
    broken = list(_broken(reference, current))
    return {
        "reference": {"rows": len(reference)},
        "current": {"rows": len(current)},
        "features": [_feature(pair, [f for f in found if f.subject == pair.name]) for pair in pairs],
        "findings": [_told(finding) for finding in (*broken, *(f for f in found if f.bad))],
        "left_out": [
            {"feature": name, "reason": "a time"} for name, *both in _common(reference, current) if _kinds(*both) == (TIME, TIME)
        ],
    }


def _pairs(reference: pa.Table, current: pa.Table) -> Iterator[Pair]:
    for name, then, now in _common(reference, current):
        kind, other = _kinds(then, now)
        if kind == other != TIME:
            side = profiled(then, kind, None, EVERYTHING)
            yield Pair(name, kind, side, profiled(now, kind, side, EVERYTHING))


def _common(reference: pa.Table, current: pa.Table) -> Iterator[tuple[str, pa.ChunkedArray, pa.ChunkedArray]]:
    """Yield the columns that both have; of a doubled name the first."""
    for name in dict.fromkeys(reference.column_names):
        if name in current.column_names:
            yield name, *(table.column(table.column_names.index(name)) for table in (reference, current))


def _kinds(then: pa.ChunkedArray, now: pa.ChunkedArray) -> tuple[str, str]:
    """Return what each side is; one without any value is what the other is."""
    empty = [pa.types.is_null(side.type) for side in (then, now)]
    return _kind(now if empty[0] else then), _kind(then if empty[1] else now)


def _kind(column: pa.ChunkedArray) -> str:
    return TIME if pa.types.is_temporal(column.type) else kind_of(column.type, "categorical")


def _judged(name: str, pairs: list[Pair]) -> list[Finding]:
    """Hold one measure of all columns against its lines; the correction for many columns is over these."""
    kind, line, measure = LINES[name]
    results = []
    for pair in pairs:
        found = measure(pair.reference, pair.current) if kind in ("", pair.kind) else None
        if found is not None:
            rows = pair.current.rows if name == "missing" else pair.current.count
            results.append(Measurement(pair.name, found[0], rows, p_value=found[1]))
    return judge(Check(name, Family.DRIFT, "", lambda _then, _now: iter(results), line), results, model="", window=WHEN)


def _feature(pair: Pair, found: list[Finding]) -> dict[str, Any]:
    verdicts = {f.check: f.verdict.value for f in found}
    told = [
        {
            "check": f.check,
            "value": f.value,
            "p_value": f.p_value,
            "threshold": f.threshold,
            "verdict": verdicts["cramers_v" if f.check == "chi2" else f.check],
        }
        for f in found
    ]
    if not set(verdicts) - {"missing"}:
        told.append({"check": "psi", "value": None, "p_value": None, "threshold": None, "verdict": Verdict.UNKNOWN.value})
    return {"feature": pair.name, "kind": pair.kind, "missing": pair.shares_missing(), "measurements": told}


def _broken(reference: pa.Table, current: pa.Table) -> Iterator[Finding]:
    """Yield what cannot be compared: columns that are lost, new, or of another type."""
    lost = {name: "the column is gone" for name in reference.column_names if name not in current.column_names}
    kinds = {name: _kinds(then, now) for name, then, now in _common(reference, current)}
    changed = {name: f"was {then}, is {now}" for name, (then, now) in kinds.items() if then != now}
    for name, why in (lost | changed).items():
        yield Finding("", "schema", Family.DATA_QUALITY, name, Verdict.CRITICAL, why, WHEN)
    for name in dict.fromkeys(current.column_names):
        if name not in reference.column_names:
            yield Finding("", "schema", Family.DATA_QUALITY, name, Verdict.UNKNOWN, "the column is new", WHEN)


def _told(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "feature": finding.subject,
        "verdict": finding.verdict.value,
        "value": finding.value,
        "reason": finding.reason,
    }
