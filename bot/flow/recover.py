"""Recover: when an incident's findings count as back to normal."""

from collections.abc import Sequence

from bot.core.checks import Check
from bot.core.findings import Finding, Verdict
from bot.core.models import Watch
from bot.core.ports import Unit
from bot.flow.desk import Desk


def recovered(desk: Desk, unit: Unit, watch: Watch, findings: Sequence[Finding]) -> bool:
    """Return whether each of these, and its windows before, was healthy and back under the lower line (hysteresis)."""
    windows = watch.recovery.windows or watch.persistence.n
    return all(
        _back(desk.checks.get(seen.check), watch.recovery.under, seen)
        for finding in findings
        for seen in (finding, *unit.history(finding.model, finding.key, windows)[-windows:])
    )


def _back(check: Check | None, under: float, finding: Finding) -> bool:
    """Return whether one window was healthy with room to spare: a value that hovers at its line has not come back."""
    if finding.verdict is not Verdict.HEALTHY:
        return False
    if check is None or under >= 1 or finding.value is None or finding.threshold is None:
        return True
    line = check.judged_by(finding.column)
    if line.two_sided:
        null = line.null or 0.0
        return abs(finding.value - null) <= under * abs(finding.threshold - null)
    if line.above:
        return finding.value <= under * finding.threshold
    return finding.value >= finding.threshold / under
