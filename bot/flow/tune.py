"""Tune: a check with the lines that judge it here: the model's own, and those that were measured."""

from collections.abc import Mapping
from dataclasses import replace

from bot.core.checks import Check, Family, Threshold
from bot.core.lines import Line, Lines
from bot.core.words import SHARE, amount

LEFT = 0.1


def tuned(check: Check, overrides: Mapping[str, Threshold]) -> Check:
    """Return the check with the model's own lines: "check" for all its subjects, "check.subject" for one."""
    own = {key.partition(".")[2]: line for key, line in overrides.items() if key.startswith(f"{check.name}.")}
    return replace(check, threshold=overrides.get(check.name, check.threshold), thresholds={**check.thresholds, **own})


def lined(check: Check, lines: Lines) -> Check:
    """Return the check with its measured lines laid over the fixed ones."""
    measured = {
        subject: effective(check.judged_by(subject), line, check.unit_of(subject)) for subject, line in lines.of(check.name).items()
    }
    return replace(check, thresholds={**check.thresholds, **measured}) if measured else check


def effective(fixed: Threshold, line: Line, unit: str = "") -> Threshold:
    """Return the line that judges: the measured one, but never nearer to healthy than a fixed one that has to be kept.

    Nor may it leave the scale: a column that is gone and a model that is silent must always be seen, however unruly the reference.
    The warning goes along where it would lie beyond the critical line.
    """
    line = replace(line, value=_on_scale(fixed, line.value, unit))
    farther = max if fixed.above else min
    nearer = min if fixed.above else max
    keeps = fixed.critical is not None and not line.sole
    critical = farther(fixed.critical, line.value) if keeps and fixed.critical is not None else line.value
    warning = None if fixed.warning is None else nearer(fixed.warning, critical)
    why = line.why if critical == line.value else f"fixed; chance alone reaches {amount(line.value, unit)} ({line.why})"
    return replace(fixed, critical=critical, warning=warning, origin=why)


def _on_scale(fixed: Threshold, value: float, unit: str) -> float:
    """Return the line, at most nine tenths of the way from the fixed one to the end of its scale."""
    if fixed.critical is None:
        return value
    if not fixed.above:
        return max(value, fixed.critical * LEFT) if fixed.critical > 0 else value
    return min(value, 1 - (1 - fixed.critical) * LEFT) if unit == SHARE else value


def floored(check: Check, least_rows: int) -> Check:
    """Return the check with at least this many rows asked for; data quality is judged whatever there is."""
    if not least_rows or check.family is Family.DATA_QUALITY or not check.of_rows:
        return check
    lines = {subject: _with_least(line, least_rows) for subject, line in check.thresholds.items()}
    return replace(check, threshold=_with_least(check.threshold, least_rows), thresholds=lines)


def _with_least(line: Threshold, least_rows: int) -> Threshold:
    return replace(line, least_rows=max(line.least_rows, least_rows))
