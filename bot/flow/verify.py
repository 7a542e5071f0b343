"""Verify: the same checks, on fresh data only, decide whether it helped.

Fresh means: after the last step of the run. Fewer labelled rows than the plan asks for is "not yet", never "healthy"; data that
stays too thin until the plan's deadline hands the incident to people, with what was tried.
"""

from dataclasses import replace
from datetime import datetime

from bot.core.actions import Json
from bot.core.audit import BOT, AuditEntry
from bot.core.checks import Family
from bot.core.errors import AiopsError
from bot.core.findings import SERVED, Finding, Verdict, worst
from bot.core.holds import brake
from bot.core.incidents import Incident
from bot.core.models import Model
from bot.core.ports import Journal
from bot.core.readings import Reading
from bot.core.runs import Run, RunState
from bot.core.windows import Window
from bot.core.words import amount, plain
from bot.flow import announce, cards
from bot.flow.desk import Desk
from bot.flow.detect import detect
from bot.flow.hand_over import hand_over
from bot.flow.recover import proven
from bot.flow.resolve import close
from bot.flow.served import traffic
from bot.flow.watch import beside, of_whole_rows, reference


def verify(desk: Desk, journal: Journal, number: str) -> Json:
    """Look again and again until fresh data decide; return {"verdict": "healthy" | "critical" | "handed over", "reason": …}."""
    looks = 0
    while True:
        seen = journal.step(f"verify/{looks}", lambda: _look(desk, number))
        if seen["verdict"] == "healthy":
            return journal.step("end", lambda s=seen: _succeed(desk, number, s))  # type: ignore[misc]
        if seen["verdict"] == "critical":
            return seen
        if seen["late"]:
            return journal.step("end", lambda s=seen: _give_up(desk, number, s))  # type: ignore[misc]
        journal.sleep(desk.poll_s)
        looks += 1


def _look(desk: Desk, number: str) -> Json:
    with desk.store.read() as unit:
        run = unit.run(number)
        incident, paused = unit.incident(run.incident), brake(unit)
    if run.abort_by:
        return {"verdict": "critical", "reason": "It was aborted.", "rows": 0, "late": False, "findings": []}
    wanted = run.plan.verification
    since = run.fresh_since or desk.data.now()
    late = (desk.data.now() - since).total_seconds() >= wanted.within_s
    try:
        findings, rows = fresh_findings(desk, desk.model(run.model_key), run, incident, since)
    except AiopsError as reason:
        return {"verdict": "unknown", "reason": str(reason), "rows": 0, "late": late, "findings": []}
    verdict = _verdict(desk, findings) if rows >= wanted.least_rows else Verdict.UNKNOWN
    told = [announce.finding_data(f) for f in findings]
    _say(desk, number, rows)
    decided = {Verdict.HEALTHY: "healthy", Verdict.CRITICAL: "critical", Verdict.WARNING: "unknown", Verdict.UNKNOWN: "unknown"}[
        verdict
    ]
    if paused and decided == "critical":  # going back by itself would act while a person holds the brake; look again then
        decided, late = "unknown", False
    return {
        "verdict": decided,
        "reason": _reason(desk, findings, rows, wanted.least_rows),
        "rows": rows,
        "late": late,
        "findings": told,
    }


def _verdict(desk: Desk, findings: list[Finding]) -> Verdict:
    """Return the worst, where health must be proven: a loss that only might be chance is not known to be mended."""
    doubtful = any(f.verdict is Verdict.HEALTHY and not proven(desk.checks.get(f.check), f) for f in findings)
    return max(worst(findings), Verdict.UNKNOWN if doubtful else Verdict.HEALTHY, key=lambda verdict: verdict.rank)


def fresh_findings(desk: Desk, model: Model, run: Run, incident: Incident, since: datetime) -> tuple[list[Finding], int]:
    """Return what the plan's checks say about the subjects that opened the incident, and the rows they rest on."""
    asked = [check for check in run.plan.verification.checks if check != SERVED]
    told = [traffic(desk, model, run.split)] if SERVED in run.plan.verification.checks else []
    if not asked:
        return told, 0
    watch = model.watch_of(asked[0])
    now = desk.data.now()
    if now - watch.lag <= since:
        return [], 0
    window = Window(since, now - watch.lag)
    like = reference(desk, model)
    reading = desk.source(model).reading(model, window, like.distributions, as_of=now, whole_rows=of_whole_rows(desk, model, asked))
    usual, reading, lines = beside(desk, model, watch, like, reading, keep=True)
    blamed = {f.key for f in incident.findings}
    findings = detect(desk, model, replace(watch, checks=tuple(asked)), usual, reading, lines=lines)
    return [*told, *(f for f in findings if f.key in blamed)], _rows(reading, incident.family)


def _rows(reading: Reading, family: Family) -> int:
    if family is Family.PERFORMANCE:
        return len(reading.outcomes) if reading.outcomes is not None else 0
    return reading.rows


def _reason(desk: Desk, findings: list[Finding], rows: int, least: int) -> str:
    if rows < least:
        return f"not enough fresh data yet: {rows:,} of {least:,} rows."
    bad = [f for f in findings if not proven(desk.checks.get(f.check), f)] or findings
    words = [f"{_name(f)} {amount(f.value, f.unit)} ({_judgement(desk, f)})" for f in bad[:3]]
    on = f"On {rows:,} fresh rows: " if rows else ""
    return f"{on}{'; '.join(words)}." if words else "The checks that opened the incident measured nothing."


def _name(finding: Finding) -> str:
    """Return the metric that was measured, or the column it was measured on."""
    of_the_model = finding.family is Family.PERFORMANCE or finding.check == SERVED
    return finding.named if of_the_model else plain(finding.subject)


def _judgement(desk: Desk, finding: Finding) -> str:
    """Return the verdict; of a value beyond its line, which only might be chance, that more rows have to tell."""
    if finding.verdict is Verdict.HEALTHY and not proven(desk.checks.get(finding.check), finding):
        return f"not proven healthy: beyond its line of {amount(finding.threshold, finding.unit)}, though it may be chance"
    return f"{finding.verdict.value}; {finding.reason}" if finding.reason else finding.verdict.value


def _say(desk: Desk, number: str, rows: int) -> None:
    """Show the waiting live in the run's message, in steps coarse enough not to flood Slack with edits."""
    with desk.store.write() as unit:
        run = unit.run(number)
        wanted = run.plan.verification
        share = min(rows, wanted.least_rows) * 10 // wanted.least_rows * 10 if wanted.least_rows else 100
        words = f"Verifying: {share} % of {cards.rows_words(desk, wanted)}"
        if run.outcome != words and not run.state.over:
            run = replace(run, outcome=words)
            unit.save_run(run)
            cards.progress(unit, run)


def _succeed(desk: Desk, number: str, seen: Json) -> Json:
    now = desk.clock.now()
    with desk.store.write() as unit:
        run = unit.run(number)
        if run.state.over:
            return {"state": run.state.value, "outcome": run.outcome, "verdict": "healthy"}
        incident = unit.incident(run.incident)
        outcome = f"Verified: {seen['reason']}"
        run = replace(run, state=RunState.SUCCEEDED, ended_at=now, outcome=outcome, result={"findings": seen["findings"]})
        unit.save_run(run)
        unit.audit(AuditEntry(now, BOT, "run.succeeded", number, run.incident, {"rows": seen["rows"]}))
        cards.progress(unit, run)
        cause = f"Mended by '{run.plan.playbook}': {run.plan.words}"
        saved = close(desk, unit, incident, by=BOT, cause=cause)
        announce.closing(unit, saved, run, seen)
    return {"state": RunState.SUCCEEDED.value, "outcome": outcome, "verdict": "healthy"}


def _give_up(desk: Desk, number: str, seen: Json) -> Json:
    """Nobody can say whether it helped: what was done stays, and people decide."""
    words = f"The plan was carried out, but fresh data could not confirm it in time: {seen['reason']}"
    with desk.store.write() as unit:
        return hand_over(desk, unit, number, RunState.HANDED_OVER, words)
