"""Announce: what an incident, a proposal or a run looks like to people, as facts for the templates.

One root message an incident, always level with its state; what happened goes into its thread, one line an event. Nothing here
decides anything, and nothing here is Slack: the surface renders and delivers.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.core.actions import Change, Json
from bot.core.approvals import Proposal, Standing
from bot.core.audit import AuditRow
from bot.core.checks import Family
from bot.core.findings import Finding, Verdict
from bot.core.incidents import Incident, State
from bot.core.models import Model, split_words
from bot.core.notices import Notice
from bot.core.ports import Unit
from bot.core.runs import Run, RunState
from bot.flow.desk import Desk

METRICS = {
    "roc_auc": "ROC AUC",
    "brier": "Brier score",
    "brier_skill": "Brier skill",
    "log_loss": "log loss",
    "log_loss_skill": "log-loss skill",
    "calibration": "calibration",
    "calibration_gap": "calibration gap",
    "errors": "error share",
    "latency": "latency",
    "psi": "PSI",
    "ks": "KS",
    "chi_square": "Cramér's V",
}


POINTS = frozenset({"calibration", "calibration_gap"})
"""Differences of two shares: said in points of percent, because a gap of 10 % could mean a tenth of something."""
SHARES = frozenset({"missing", "errors"})


def metric(name: str) -> str:
    """Return a metric's name as people write it."""
    return METRICS.get(name, name.replace("_", " "))


def number(value: float | None) -> str:
    """Return a number with three significant digits, large ones in full: 0.0832, 4.21, 12,340."""
    if value is None:
        return "–"
    if value != value:  # noqa: PLR0124  NaN is the one number that differs from itself
        return "NaN"
    if abs(value) < 0.0005:
        return "0"
    told = f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.3g}"  # from there on three digits would need an exponent
    return told.replace("-", "−")


def amount(name: str, value: float | None) -> str:
    """Return a measure's value with its unit, where its unit is a share: "10.3 points", "78.6 %"; else the number."""
    if value is None or value != value or name not in POINTS | SHARES:  # noqa: PLR0124  NaN
        return number(value)
    return f"{hundredfold(value)} {'points' if name in POINTS else '%'}"


def between(name: str, low: float | None, high: float | None) -> str:
    """Return an interval in the unit of `amount`, without naming it again: "[5, 15.2]"."""
    if low is None or high is None or name not in POINTS | SHARES:
        return f"[{number(low)}, {number(high)}]"
    return f"[{hundredfold(low)}, {hundredfold(high)}]"


def hundredfold(share: float) -> str:
    """Return a share in percent with one digit after the point, and none where it is zero."""
    whole = round(share * 100, 1) + 0.0  # no minus before a zero
    return f"{whole:.1f}".removesuffix(".0").replace("-", "−")


def unit_after(name: str, unit: str) -> str:
    """Return the unit that still has to be written after `amount`: none where that names its own."""
    return "" if name in POINTS | SHARES else unit


def measured_name(finding: Finding) -> str:
    """Return what was measured: a performance check measures its subject, the others measure themselves on a subject."""
    return finding.subject if finding.family is Family.PERFORMANCE else finding.check


def some(names: Sequence[str], most: int = 3) -> str:
    """Return the first few names and how many more there are."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def seconds(start: datetime, end: datetime) -> float:
    """Return the seconds between two moments."""
    return (end - start).total_seconds()


def finding_data(finding: Finding) -> dict[str, object]:
    """Return a finding as a row of the card."""
    low, high = finding.interval or (None, None)
    name = measured_name(finding)
    return {
        "check": finding.check,
        "subject": finding.subject,
        "name": metric(name),
        "value": finding.value,
        "value_text": amount(name, finding.value),
        "reference": finding.reference,
        "reference_text": amount(name, finding.reference),
        "interval": [low, high] if finding.interval else None,
        "interval_text": between(name, low, high) if finding.interval else "",
        "threshold": finding.threshold,
        "threshold_text": amount(name, finding.threshold),
        "unit": finding.unit,
        "unit_text": unit_after(name, finding.unit),
        "n": finding.n,
        "importance": finding.importance,
        "verdict": finding.verdict.value,
        "text": finding.reason,
        "window": str(finding.window),
    }


def show(desk: Desk, unit: Unit, incident: Incident, row: AuditRow | None = None) -> None:
    """Bring the incident's root message level with its state."""
    model = desk.models.get(incident.model_key)
    unit.announce(
        Notice(
            key=f"incident:{incident.id}",
            channel=desk.directory.channel(incident.team),
            template="incident",
            data={
                "number": incident.id,
                "state": incident.state.value,
                "severity": incident.severity.value,
                "model": incident.model,
                "environment": incident.environment,
                "family": incident.family.words,
                "title": incident.title,
                "what_changed": [finding_data(f) for f in incident.findings[:5]],
                "more_findings": max(0, len(incident.findings) - 5),
                "team_mention": desk.directory.mention(incident.team),
                "owner": model.team if model else incident.team,
                "version_split": incident.evidence.get("split", ""),
                "window": str(incident.window),
                "opened_at": incident.opened_at.isoformat(),
                "resolved_after_s": seconds(incident.opened_at, incident.resolved_at) if incident.resolved_at else None,
                "acknowledged_by": incident.acknowledged_by,
                "resolved_by": incident.resolved_by,
                "cause": incident.cause,
                "next_step": next_step(incident),
                "buttons": buttons(incident),
                "witness": row.witness if row else incident.evidence.get("witness", ""),
            },
            mention=desk.directory.mention(incident.team),
        )
    )


def next_step(incident: Incident) -> str:
    """Return what happens next by itself, and what waits for a person."""
    match incident.state:
        case State.RESOLVED:
            return ""
        case State.MITIGATING:
            return "An approved plan is being carried out; every step is read back and measured."
        case State.VERIFYING:
            return "The same checks are run again on fresh data; they close this incident or hand it back."
    if incident.handed_to:
        handed = f"Handed to {incident.handed_to}: no playbook mends broken data. It closes by itself when the data is back."
        return str(incident.evidence.get("why_none") or handed)
    suggestion = incident.evidence.get("suggestion")
    return str(suggestion or "Comparing the other versions on the very same rows; a suggestion follows in the thread.")


def buttons(incident: Incident) -> list[dict[str, str]]:
    """Return what a person may press now; the value is the incident's number and nothing else."""
    number_ = str(incident.id)
    details = {"action": "details", "text": "Details", "value": number_}
    resolve = {"action": "resolve", "text": "Resolve…", "value": number_}
    propose = {"action": "propose", "text": "Propose a remedy…", "value": number_, "style": "primary"}
    match incident.state:
        case State.OPEN:
            first = [{"action": "acknowledge", "text": "Acknowledge", "value": number_}]
            return [*first, *([] if incident.handed_to else [propose]), details, resolve]
        case State.ACKNOWLEDGED:
            return [*([] if incident.handed_to else [propose]), details, resolve]
        case State.RESOLVED:
            return []
    return [details]


def line(unit: Unit, incident: Incident, row: AuditRow, emoji: str, text: str, *, by: str = "", mention: str = "") -> None:
    """Add one event to the incident's thread; its audit row is its name, so it is told once.

    `by` is a Slack id and `mention` a mention, kept apart from `text`: texts hold data, and data must never reach anybody's phone.
    """
    unit.announce(
        Notice(
            key=f"incident:{incident.id}/line:{row.seq}",
            channel="",
            template="line",
            data={"emoji": emoji, "text": text, "by": "" if by == "aiops-bot" else by, "witness": row.witness},
            thread=f"incident:{incident.id}",
            mention=mention,
        )
    )


def evidence(unit: Unit, incident: Incident) -> None:
    """Show the evidence in the thread: what moved, what other versions do on the same rows, and a picture."""
    data = dict(incident.evidence)
    chart = data.pop("chart", {})
    unit.announce(
        Notice(
            key=f"incident:{incident.id}/evidence",
            channel="",
            template="evidence",
            data={"number": incident.id, "model": incident.model, "window": str(incident.window), **data},
            thread=f"incident:{incident.id}",
            chart=chart if isinstance(chart, dict) else {},
        )
    )


def drift_note(unit: Unit, model: Model, findings: Sequence[Finding]) -> str:
    """Say what moved, the largest first, and why nobody was woken for it."""
    largest: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda f: -(f.value or 0.0)):
        largest.setdefault(finding.subject, finding)
    moved = some([f"{f.subject} ({metric(f.check)} {amount(f.check, f.value)})" for f in largest.values()], 4) + " moved"
    mine = [f for f in unit.latest(model.key) if f.family is Family.PERFORMANCE and f.subject == model.primary]
    if mine and mine[0].verdict is Verdict.HEALTHY:
        told = f"{metric(model.primary)} {amount(model.primary, mine[0].value)} on {mine[0].n:,} labelled rows"
        return f"{moved}, but labels say that {model.name} does well ({told}): not paging."
    return f"{moved}; not yet important and persistent enough to page."


def digest(desk: Desk, unit: Unit, slot: datetime) -> None:
    """Bring the day's digest message level with its notes: one message a day, edited as lines come."""
    day = slot.replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [{"model": n.model, "text": n.text, "at": n.at.isoformat()} for n in unit.notes(day)]
    title = f"Noticed on {day:%d %B %Y}, and on purpose not paged"
    unit.announce(Notice(f"digest:{day:%Y-%m-%d}", desk.digest_channel, "digest", {"title": title, "lines": lines}))


def proposal_data(desk: Desk, unit: Unit, proposal: Proposal) -> dict[str, object]:
    """Return a proposal as its card shows it."""
    votes = [{"by": v.by, "approve": v.approve, "at": v.at.isoformat()} for v in unit.votes(proposal.id)]
    playbook = desk.playbooks.get(proposal.plan.playbook)
    waiting = proposal.standing is Standing.WAITING
    return {
        "number": proposal.id,
        "incident": proposal.incident,
        "title": playbook.title if playbook else proposal.plan.playbook,
        "model": proposal.model,
        "steps": [change.words for change in proposal.plan.changes],
        "plan_hash": proposal.plan.hash[:12],
        "preview": list(proposal.preview.get("lines", [])),  # type: ignore[call-overload]
        "blast_radius": proposal.preview.get("blast_radius", ""),
        "verification": verification_words(proposal),
        "expires_at": proposal.expires_at.isoformat(),
        "quorum": f"{sum(bool(v['approve']) for v in votes)}/{proposal.policy.quorum}",
        "approvers": sorted(proposal.policy.roles),
        "proposed_by": proposal.proposed_by,
        "votes": votes,
        "standing": proposal.standing.value,
        "decided_by": proposal.decided_by,
        "reason": proposal.reason,
        "buttons": [
            {"action": "approve", "text": "Approve", "value": proposal.id, "style": "primary"},
            {"action": "reject", "text": "Reject…", "value": proposal.id, "style": "danger"},
        ]
        if waiting
        else [],
    }


def verification_words(proposal: Proposal) -> str:
    """Say what must be seen before the incident closes."""
    wanted = proposal.plan.verification
    checks = ", ".join(metric(c) for c in wanted.checks)
    within = duration(timedelta(seconds=wanted.within_s))
    return f"{checks} healthy on at least {wanted.least_rows:,} fresh labelled rows, within {within} of data"


def card(desk: Desk, unit: Unit, proposal: Proposal, row: AuditRow | None = None) -> None:
    """Bring the approval card level with its proposal."""
    data = proposal_data(desk, unit, proposal)
    data["witness"] = row.witness if row else ""
    unit.announce(
        Notice(
            f"proposal:{proposal.id}",
            "",
            "proposal",
            data,
            thread=f"incident:{proposal.incident}",
            mention=_approvers(desk, proposal),
        )
    )


def _approvers(desk: Desk, proposal: Proposal) -> str:
    return " ".join(desk.directory.mention(role) for role in sorted(proposal.policy.roles))


def progress(unit: Unit, run: Run) -> None:
    """Bring the run's message level with its steps."""
    done = dict(entry.split("\t", 1) for entry in run.progress)
    steps = [
        {"words": c.words, "state": _step_state(run, done, c.step), "measured": done.get(c.step, "")} for c in run.plan.changes
    ]
    unit.announce(
        Notice(
            key=f"run:{run.id}",
            channel="",
            template="run",
            data={
                "number": run.id,
                "title": f"{run.plan.playbook.capitalize()} of {run.model}",
                "state": run.state.value,
                "steps": steps,
                "outcome": run.outcome,
                "buttons": []
                if run.state.over or run.abort_by
                else [{"action": "abort", "text": "Abort", "value": run.id, "style": "danger"}],
                "aborted_by": run.abort_by,
            },
            thread=f"incident:{run.incident}",
        )
    )


def _step_state(run: Run, done: dict[str, str], step: str) -> str:
    if run.state is RunState.COMPENSATED:
        return "undone" if step in done else "waiting"
    if step in done:
        return "done"
    first_open = next((c.step for c in run.plan.changes if c.step not in done), "")
    if step == first_open:
        return "failed" if run.state.over else "doing"
    return "waiting"


def closing(unit: Unit, incident: Incident, run: Run, seen: Json) -> None:
    """Add the short story of a resolved incident to its thread: what it was, what was done, before and after."""
    rows: Sequence[Mapping[str, object]] = seen["findings"]  # type: ignore[assignment]
    after = {(r["check"], r["subject"]): r for r in rows}
    table = [
        {
            "name": b["name"],
            "before": b["value_text"],
            "after": after[k]["value_text"],
            "n_after": after[k]["n"],
            "reference": b["reference_text"],
        }
        for f in incident.findings
        for k, b in [(f.key, finding_data(f))]
        if k in after
    ]
    took = seconds(incident.opened_at, incident.resolved_at) if incident.resolved_at else 0.0
    unit.announce(
        Notice(
            key=f"incident:{incident.id}/closing",
            channel="",
            template="closing",
            data={
                "number": incident.id,
                "title": incident.title,
                "cause": incident.title,
                "took": duration(timedelta(seconds=took)),
                "tried": run.plan.words,
                "table": table,
            },
            thread=f"incident:{incident.id}",
        )
    )


def duration(length: timedelta) -> str:
    """Return a length of time as people say it: "2 min 10 s", "3 h 5 min", "2 d 4 h"."""
    whole = round(length.total_seconds())
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    parts = [(whole % (units[i - 1][1] if i else whole + 1) // size, name) for i, (name, size) in enumerate(units)]
    told = [f"{count} {name}" for count, name in parts if count]
    return " ".join(told[:2]) or "0 s"


def current_split_words(change: Change) -> str:
    """Return the split that a change leads to, as people say it."""
    return split_words({version: float(share) for version, share in change.after.items()})  # type: ignore[arg-type]


def current_split(desk: Desk, model: Model) -> str:
    """Return the split as people say it."""
    return split_words(desk.split(model))
