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
    seen = (one for finding in findings for one in (finding, *unit.history(finding.model, finding.key, windows)[-windows:]))
    if watch.recovery.under >= 1:
        return all(one.verdict is Verdict.HEALTHY for one in seen)
    return all(proven(desk.checks.get(one.check), one, watch.recovery.under) for one in seen)


def proven(check: Check | None, finding: Finding, under: float = 1.0) -> bool:
    """Return whether it is healthy by its own value, `under` times the line at most.

    A value beyond its line is called healthy where chance alone could explain it: that no harm is proven does not prove that there
    is none. And one that hovers at its line has not come back.
    """
    if finding.verdict is not Verdict.HEALTHY:
        return False
    if check is None or finding.value is None or finding.threshold is None:
        return True
    line = check.judged_by(finding.column)
    if line.two_sided:
        null = line.null or 0.0
        return abs(finding.value - null) <= under * abs(finding.threshold - null)
    if line.above:
        return finding.value <= under * finding.threshold
    return finding.value >= finding.threshold / under
