"""One check, held against its own lines: what a person would be told."""

from collections.abc import Sequence

from bot.core.checks import Check, Measurement, NotMeasured
from bot.core.findings import Finding, judge
from bot.core.profiles import Floats
from bot.core.readings import Reading
from tests.fakes.readings import a_reading

Values = Floats | Sequence[str | None]


def compared(then: Values, now: Values) -> tuple[Reading, Reading]:
    """Return a reference and a window of one column, x."""
    reference = a_reading({"x": then})
    return reference, a_reading({"x": now}, like=reference)


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
