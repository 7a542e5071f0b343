"""Two files, compared column by column with the very checks and lines that watch models; no configuration, nothing stored."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from bot.app import registries
from bot.core.checks import Check, Family
from bot.core.findings import Finding, judge
from bot.core.profiles import ColumnProfile
from bot.core.readings import Reading
from bot.core.windows import Window
from bot.sources.files import table_of
from bot.sources.table import kind_of, profiled


def compare_tables(reference: Path, current: Path) -> dict[str, Any]:
    """Return how far each column of one file has moved from the other's, as plain data.

    `{"reference": {"rows"}, "current": {"rows"}, "features": [{"feature", "kind", "missing", "measurements": [{"check", "value",
    "p_value", "interval", "threshold", "verdict", "reason"}]}], "findings": [those that are bad]}`.

    Raises:
        SourceUnavailable: a file is not there, or is neither Parquet nor CSV.
    """
    before, after = table_of(reference), table_of(current)
    kinds = {name: kind_of(before.schema.field(name).type) for name in before.column_names}
    then = _reading(before, kinds, {})
    now = _reading(after, kinds, then.columns)
    found = [
        f for check in _drift_checks().values() for f in judge(check, check.measure(then, now), model="files", window=now.window)
    ]
    return {
        "reference": {"rows": then.rows},
        "current": {"rows": now.rows},
        "features": [_feature(name, kinds[name], then, now, found) for name in then.columns],
        "findings": [_measured(f) | {"feature": f.subject} for f in found if f.bad],
    }


def _drift_checks() -> dict[str, Check]:
    return {name: check for name, check in registries().checks.items() if check.family is Family.DRIFT}


def _reading(table: pa.Table, kinds: Mapping[str, str], like: Mapping[str, ColumnProfile]) -> Reading:
    there = [name for name in kinds if name in table.column_names]
    columns = {name: profiled(table.column(name), kinds[name], like.get(name)) for name in there}
    window = Window.ending(datetime.now(UTC), timedelta(days=1))  # files have no time; a window must have one
    return Reading(window, len(table), columns, {name: kind_of(table.schema.field(name).type) for name in there})


def _feature(name: str, kind: str, then: Reading, now: Reading, found: list[Finding]) -> dict[str, Any]:
    return {
        "feature": name,
        "kind": kind,
        "missing": {"reference": _missing(then, name), "current": _missing(now, name)},
        "measurements": [_measured(f) for f in found if f.subject == name and _speaks(f, kind)],
    }


def _speaks(finding: Finding, kind: str) -> bool:
    """Return whether a check has something to say about this kind of column: an unknown without rows behind it is none."""
    return finding.value is not None or finding.n > 0 or kind == "numeric"


def _missing(reading: Reading, name: str) -> float:
    """Return the share of missing values, 0 to 1; a column that is not there at all is all missing."""
    column = reading.columns.get(name)
    return column.missing / reading.rows if column is not None and reading.rows else float(column is None)


def _measured(finding: Finding) -> dict[str, Any]:
    told = {"check": finding.check, "value": finding.value, "p_value": finding.p_value, "threshold": finding.threshold}
    interval = {"interval": list(finding.interval)} if finding.interval else {}
    return told | interval | {"verdict": finding.verdict.value, "reason": finding.reason, "n": finding.n}
