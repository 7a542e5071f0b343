"""Announce: what an incident looks like to people, as facts for the templates.

One root message an incident, always level with its state; what happened goes into its thread, one line an event. Nothing here
decides anything, and nothing here is Slack: the surface renders and delivers. Proposals and runs have cards of their own
(`bot.flow.cards`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.core.actions import Json
from bot.core.audit import BOT, AuditRow
from bot.core.findings import Finding, Verdict
from bot.core.incidents import Incident, State
from bot.core.models import Model, split_words
from bot.core.notices import Notice
from bot.core.ports import Unit
from bot.core.runs import Run
from bot.core.words import amount, between, duration, some, unit_after
from bot.flow.cards import reviews
from bot.flow.desk import Desk


def seconds(start: datetime, end: datetime) -> float:
    """Return the seconds between two moments."""
    return (end - start).total_seconds()


def finding_data(finding: Finding) -> dict[str, object]:
    """Return a finding as a row of the card."""
    low, high = finding.interval or (None, None)
    return {
        "check": finding.check,
        "subject": finding.subject,
        "name": finding.named,
        "value": finding.value,
        "value_text": amount(finding.value, finding.unit),
        "reference": finding.reference,
        "reference_text": amount(finding.reference, finding.unit),
        "interval": [low, high] if finding.interval else None,
        "interval_text": between(low, high, finding.unit) if finding.interval else "",
        "threshold": finding.threshold,
        "threshold_text": amount(finding.threshold, finding.unit),
        "unit": finding.unit,
        "unit_text": unit_after(finding.unit),
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
                "buttons": buttons(incident, remedies=bool(model and desk.remedies(incident, model))),
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


def buttons(incident: Incident, *, remedies: bool) -> list[dict[str, str]]:
    """Return what a person may press now; the value is the incident's number and nothing else.

    Where an incident was handed to others, a remedy is only asked for if there is one.
    """
    proposes = remedies or not incident.handed_to
    number_ = str(incident.id)
    details = {"action": "details", "text": "Details", "value": number_}
    resolve = {"action": "resolve", "text": "Resolve…", "value": number_}
    propose = {"action": "propose", "text": "Propose a remedy…", "value": number_, "style": "primary"}
    match incident.state:
        case State.OPEN:
            first = [{"action": "acknowledge", "text": "Acknowledge", "value": number_}]
            return [*first, *([propose] if proposes else []), details, resolve]
        case State.ACKNOWLEDGED:
            return [*([propose] if proposes else []), details, resolve]
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
            data={"emoji": emoji, "text": text, "by": "" if by == BOT else by, "witness": row.witness},
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
    moved = some([f"{f.subject} ({f.named} {amount(f.value, f.unit)})" for f in largest.values()], 4) + " moved"
    mine = [f for f in unit.latest(model.key) if f.tells(model.primary)]
    if mine and mine[0].verdict is not Verdict.UNKNOWN:
        told = f"{mine[0].named} {amount(mine[0].value, mine[0].unit)} on {mine[0].n:,} labelled rows"
        if mine[0].verdict is Verdict.HEALTHY:
            return f"{moved}, but labels say that {model.name} does well ({told}): not paging."
        return f"{moved}; labels say how {model.name} does ({told}), and that is what pages."
    return f"{moved}; not yet important and persistent enough to page."


def digest(desk: Desk, unit: Unit, slot: datetime) -> None:
    """Bring the day's digest message level with its notes: one message a day, edited as lines come."""
    day = slot.replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [{"model": n.model, "text": n.text, "at": n.at.isoformat()} for n in unit.notes(day)]
    title = f"Noticed on {day:%d %B %Y}, and on purpose not paged"
    unit.announce(
        Notice(f"digest:{day:%Y-%m-%d}", desk.digest_channel, "digest", {"title": title, "lines": lines, **reviews(unit)})
    )


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


def current_split(desk: Desk, model: Model) -> str:
    """Return the split as people say it."""
    return split_words(desk.split(model))
