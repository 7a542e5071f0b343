"""Measured columns become findings: a measure is judged over all columns at once, because so is the correction for many."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.checks import Check, Family, Measurement, Threshold
from bot.core.findings import Finding, Verdict, judge
from bot.core.windows import Window
from bot.sources.compare.measures import LEAST_ROWS, SIGNIFICANCE, Found, Measure
from bot.sources.compare.pairs import Held
from bot.stats.rates import lost

WHEN = Window.ending(datetime(1970, 1, 2, tzinfo=UTC), timedelta(days=1))
"""Two files have no window; a finding must have one."""

GONE = Threshold(0.25, 0.5, least_rows=LEAST_ROWS)
"""Which share of the values that the reference has may be missing: a column that falls silent has moved, whatever is left of it."""


@dataclass(frozen=True, slots=True)
class Column:
    """What was found of one column: what each side holds, and each measure's answer by name."""

    name: str
    kind: str
    reference: Held
    current: Held
    found: Mapping[str, Found] = field(default_factory=dict)
    picture: dict[str, Any] | None = None

    @property
    def rows(self) -> int:
        """How many rows of the smaller side there are to be sure of."""
        return min(self.reference.count, self.current.count)


Json = dict[str, Any]


def told(columns: Sequence[Column], broken: Sequence[Finding], measures: Mapping[str, Sequence[Measure]]) -> Json:
    """Return features and findings as plain JSON, the worst finding first, and the verdict over all of them."""
    by_name = {measure.name: measure for some in measures.values() for measure in some}
    judged = {(f.check, f.subject): f for measure in by_name.values() for f in _judged(measure, columns)}
    gone = {f.subject: f for f in _gone(columns)}
    features, verdicts = [], [f.verdict for f in broken]
    for column in columns:
        told = [_measurement(measure, column, judged.get((measure.name, column.name))) for measure in measures[column.kind]]
        verdict = _verdict([row["verdict"] for row in told], gone.get(column.name))
        verdicts.append(verdict)
        features.append(_feature(column, verdict, told))
    bad = [f for f in (*broken, *gone.values(), *judged.values()) if f.bad or f.check == "schema"]
    bad.sort(key=lambda f: (-f.verdict.rank, -_far(f, by_name.get(f.check))))
    overall = max(verdicts, key=lambda v: v.rank, default=Verdict.UNKNOWN)
    return {"features": features, "findings": [_finding(f) for f in bad], "verdict": overall.value}


def _far(finding: Finding, measure: Measure | None) -> float:
    """Return how far beyond its line a finding is, so that different measures can be ranked; what is broken comes first."""
    if measure is None or not finding.threshold or finding.value is None:
        return math.inf
    times = finding.value / finding.threshold
    return math.sqrt(times) if measure.squared else times


def broken(then: Sequence[str], now: Sequence[str], kinds: Mapping[str, tuple[str, str]]) -> Iterator[Finding]:
    """Yield what cannot be compared: columns that are lost, of another type, or new."""
    lost_ones = {name: "the column is gone" for name in then if name not in now}
    changed = {name: f"was {before}, is {after}" for name, (before, after) in kinds.items() if before != after}
    for name, why in (lost_ones | changed).items():
        yield Finding("", "schema", Family.DATA_QUALITY, name, Verdict.CRITICAL, why, WHEN)
    for name in now:
        if name not in then:
            yield Finding("", "schema", Family.DATA_QUALITY, name, Verdict.UNKNOWN, "the column is new", WHEN)


def _judged(measure: Measure, columns: Iterable[Column]) -> list[Finding]:
    """Hold one measure of all columns against its lines."""
    results, lines = [], {}
    for column in columns:
        found = column.found.get(measure.name)
        if found is not None and not found.doubt:
            certain = found.value if found.beyond is None else min(found.beyond, found.value)
            chance = found.p_value if found.certainty is None else found.certainty
            results.append(Measurement(column.name, found.value, column.rows, None, (certain, found.value), chance))
            lines[column.name] = measure.threshold(found.line)
    check = Check(measure.name, Family.DRIFT, "", lambda _then, _now: iter(()), thresholds=lines, label=measure.label)
    return judge(check, results, model="", window=WHEN)


def _gone(columns: Iterable[Column]) -> list[Finding]:
    """Judge how much of what the reference holds is missing now."""
    results = []
    for column in columns:
        then, now = column.reference, column.current
        if now.rows and then.unusable < then.rows:
            share = lost((now.unusable, now.rows), (then.unusable, then.rows))[0]
            words = f"{now.unusable / now.rows:.1%} without a usable value, reference {then.unusable / then.rows:.1%}"
            results.append(Measurement(column.name, share, now.rows, detail=words))
    check = Check("missing", Family.DATA_QUALITY, "", lambda _then, _now: iter(()), GONE)
    return judge(check, results, model="", window=WHEN)


def _verdict(measured: Sequence[str], gone: Finding | None) -> Verdict:
    """Return a column's verdict: the worst there is; where nothing is bad, one measure that could judge is enough."""
    verdicts = [Verdict(name) for name in measured] + ([gone.verdict] if gone is not None and gone.bad else [])
    known = [verdict for verdict in verdicts if verdict is not Verdict.UNKNOWN]
    if not measured and not known:  # no measure was asked for of this kind of column
        return Verdict.HEALTHY if gone is not None and gone.verdict is Verdict.HEALTHY else Verdict.UNKNOWN
    return max(known, key=lambda v: v.rank, default=Verdict.UNKNOWN)


def _measurement(measure: Measure, column: Column, judged: Finding | None) -> Json:
    found = column.found.get(measure.name)
    row: Json = {"check": measure.name, "value": None, "p_value": None, "threshold": None, "verdict": Verdict.UNKNOWN.value}
    if found is None:
        return row | {"reason": "no values on one side"}
    row |= {"value": found.value, "p_value": found.p_value, "threshold": measure.warning * found.line}
    if judged is None:
        return row | {"reason": found.doubt}
    row |= {"threshold": judged.threshold, "verdict": judged.verdict.value}
    if found.interval is not None:
        row["interval"] = list(found.interval)
    if judged.verdict is Verdict.UNKNOWN:
        row["reason"] = judged.reason
    elif judged.verdict is Verdict.HEALTHY and found.value >= measure.warning * found.line:
        chance = found.p_value if found.certainty is None else found.certainty
        certain = chance is not None and chance <= SIGNIFICANCE
        row["reason"] = "large, but chance explains too much of it" if certain else "large, but within chance"
    return row


def _feature(column: Column, verdict: Verdict, measurements: list[Json]) -> Json:
    sides = {"reference": column.reference, "current": column.current}
    feature: Json = {
        "feature": column.name,
        "kind": column.kind,
        "missing": {side: held.missing / held.rows if held.rows else 0.0 for side, held in sides.items()},
    }
    if any(held.infinite for held in sides.values()):
        feature["infinite"] = {side: held.infinite / held.rows if held.rows else 0.0 for side, held in sides.items()}
    return feature | {"verdict": verdict.value, "measurements": measurements}


def _finding(finding: Finding) -> Json:
    return {
        "check": finding.check,
        "feature": finding.subject,
        "verdict": finding.verdict.value,
        "value": finding.value,
        "p_value": finding.p_value,
        "threshold": finding.threshold,
        "reason": finding.reason,
    }
