"""Detect: one window's reading against the reference becomes findings."""

from collections.abc import Mapping
from dataclasses import replace

from bot.core.checks import Check, Family, Measurement, Threshold
from bot.core.findings import Finding, Verdict, in_slice, judge
from bot.core.models import Model, Watch
from bot.core.readings import Reading
from bot.core.windows import Window
from bot.flow.desk import Desk

BLIND = "source"
"""The name of the check that is always there: can the log be read at all?"""


def detect(desk: Desk, model: Model, watch: Watch, reference: Reading, current: Reading) -> list[Finding]:
    """Run the watch's checks over one reading and its slices, and judge what they measured."""
    found: list[Finding] = []
    for name in watch.checks:
        check = tuned(desk.checks[name], model.thresholds)
        results = check.measure(reference, current)
        found += judge(check, results, model=model.key, window=current.window)
        found += sliced(check, model, reference, current)
    return [replace(finding, importance=model.importance(finding.column)) for finding in found]


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


def tuned(check: Check, overrides: Mapping[str, Threshold]) -> Check:
    """Return the check with the model's own lines: "check" for all its subjects, "check.subject" for one."""
    own = {key.partition(".")[2]: line for key, line in overrides.items() if key.startswith(f"{check.name}.")}
    return replace(check, threshold=overrides.get(check.name, check.threshold), thresholds={**check.thresholds, **own})


def readable(model: Model, reading: Reading) -> Finding:
    """Say that the log could be read: what an incident about a lost log waits for."""
    return Finding(model.key, BLIND, Family.DATA_QUALITY, "model", Verdict.HEALTHY, "", reading.window, n=reading.rows)


def blind(model: Model, window: Window, reason: str) -> Finding:
    """Say that nothing could be measured, and why: unknown, never healthy."""
    return Finding(model.key, BLIND, Family.DATA_QUALITY, "model", Verdict.UNKNOWN, reason, window)
