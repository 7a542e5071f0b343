"""Detect: one window's reading against the reference becomes findings."""

from dataclasses import replace

from bot.core.checks import Family
from bot.core.findings import Finding, Verdict, judge
from bot.core.lines import Lines
from bot.core.models import Model, Watch
from bot.core.readings import Reading
from bot.core.windows import Window
from bot.flow.desk import Desk
from bot.flow.tune import floored, lined, tuned

NONE = Lines()

BLIND = "source"
"""The name of the check that is always there: can the log be read at all?"""


def detect(desk: Desk, model: Model, watch: Watch, reference: Reading, current: Reading, *, lines: Lines = NONE) -> list[Finding]:
    """Run the watch's checks over one reading and judge what they measured; `lines` are its measured ones."""
    found: list[Finding] = []
    for name in watch.checks:
        check = floored(lined(tuned(desk.checks[name], model.thresholds), lines), watch.least_rows)
        results = check.measure(reference, current)
        found += judge(check, results, model=model.key, window=current.window)
    return [replace(finding, importance=model.importance(finding.subject)) for finding in found]


def readable(model: Model, reading: Reading, trouble: str = "") -> Finding:
    """Say that the log could be read: what an incident about a lost log waits for; and why no lines could be measured, if so."""
    reason = f"the fixed lines judge: {trouble}" if trouble else ""
    return Finding(model.key, BLIND, Family.DATA_QUALITY, "model", Verdict.HEALTHY, reason, reading.window, n=reading.rows)


def blind(model: Model, window: Window, reason: str) -> Finding:
    """Say that nothing could be measured, and why: unknown, never healthy."""
    return Finding(model.key, BLIND, Family.DATA_QUALITY, "model", Verdict.UNKNOWN, reason, window)
