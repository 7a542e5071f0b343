"""One check, held against its own lines: what a person would be told."""

from bot.core.checks import Check, Measurement, NotMeasured
from bot.core.findings import Finding, judge
from bot.core.readings import Reading


def found(check: Check, reference: Reading, current: Reading) -> dict[str, Finding]:
    """Return the findings by subject."""
    results = list(check.measure(reference, current))
    return {finding.subject: finding for finding in judge(check, results, model="m@p", window=current.window)}


def measured(check: Check, reference: Reading, current: Reading) -> dict[str, Measurement]:
    """Return what was measured, by subject."""
    return {m.subject: m for m in check.measure(reference, current) if isinstance(m, Measurement)}


def unmeasured(check: Check, reference: Reading, current: Reading) -> dict[str, str]:
    """Return why there is no number, by subject."""
    return {m.subject: m.reason for m in check.measure(reference, current) if isinstance(m, NotMeasured)}
