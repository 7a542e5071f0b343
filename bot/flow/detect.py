"""Detect: one window's reading against the reference becomes findings."""

from dataclasses import replace

from bot.core.checks import Check, Family, Measurement
from bot.core.findings import Finding, Verdict, in_slice, judge
from bot.core.lines import Lines
from bot.core.models import Model, Watch
from bot.core.readings import Reading
from bot.core.windows import Window
from bot.flow.desk import Desk
from bot.flow.same_hours import Usual
from bot.flow.tune import floored, lined, tuned

NONE = Lines()

BLIND = "source"
"""The name of the check that is always there: can the log be read at all?"""


def detect(
    desk: Desk, model: Model, watch: Watch, reference: Reading | Usual, current: Reading, *, lines: Lines = NONE
) -> list[Finding]:
    """Run the watch's checks over one reading and its slices, and judge; `lines` are measured ones, of the whole only."""
    usual = Usual(reference, reference) if isinstance(reference, Reading) else reference
    found: list[Finding] = []
    for name in watch.checks:
        fixed = floored(tuned(desk.checks[name], model.thresholds), watch.least_rows)
        check = lined(fixed, lines)
        then = usual.asked_by(check)
        results = usual.told(check, list(check.measure(then, current)))
        found += judge(check, results, model=model.key, window=current.window)
        found += sliced(fixed, model, then, current)
    return [_weighed(finding, model.importance(finding.column)) for finding in found]


def _weighed(finding: Finding, importance: float) -> Finding:
    return finding if finding.importance == importance else replace(finding, importance=importance)


def sliced(check: Check, model: Model, reference: Reading, current: Reading) -> list[Finding]:
    """Return what a check finds on the slices that both readings have; the correction for many looks is over all of them together.

    What cannot be measured on a slice (too few rows, no labels yet) is left out: the whole says it once. So is what is healthy,
    unless slices may open incidents: then somebody waits for it.
    """
    results: list[Measurement] = []
    origin: dict[str, tuple[str, str]] = {}
    for name, rows in current.slices.items():
        measured = check.measure(reference.slices[name], rows) if name in reference.slices else ()
        for result in measured:
            if isinstance(result, Measurement):
                subject = in_slice(result.subject, name)
                origin[subject] = (result.subject, name)
                results.append(replace(result, subject=subject))
    lines = {subject: check.judged_by(column) for subject, (column, _) in origin.items()}
    labels = {subject: check.named(column) for subject, (column, _) in origin.items()}
    units = {subject: check.unit_of(column) for subject, (column, _) in origin.items()}
    named = replace(check, thresholds=lines, labels=labels, units=units)
    found = judge(named, results, model=model.key, window=current.window)
    return [
        replace(f, slice=origin[f.subject][1]) for f in found if f.bad or (model.segments_page and f.verdict is Verdict.HEALTHY)
    ]


def readable(model: Model, reading: Reading, trouble: str = "", season: str = "") -> Finding:
    """Say that the log could be read: what an incident about a lost log waits for.

    And which hours the window was held against, and why no lines could be measured, if so.
    """
    reason = "; ".join(part for part in (season, f"the fixed lines judge: {trouble}" if trouble else "") if part)
    return Finding(model.key, BLIND, Family.DATA_QUALITY, "model", Verdict.HEALTHY, reason, reading.window, n=reading.rows)


def blind(model: Model, window: Window, reason: str) -> Finding:
    """Say that nothing could be measured, and why: unknown, never healthy."""
    return Finding(model.key, BLIND, Family.DATA_QUALITY, "model", Verdict.UNKNOWN, reason, window)
