"""Report: what is true now, as plain data for Slack, the shell and programs alike."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median

from bot.core.approvals import Principal
from bot.core.checks import Family
from bot.core.errors import AiopsError
from bot.core.findings import Finding, Verdict, worst
from bot.core.holds import Kind
from bot.core.incidents import Incident
from bot.core.models import Model
from bot.core.ports import Unit
from bot.core.words import amount, duration
from bot.flow import announce, cards
from bot.flow.desk import Desk
from bot.flow.membership import known

Data = dict[str, object]
DIGEST_DAYS = 45


def status(desk: Desk) -> Data:
    """Return every model's health in one line each, the worst first."""
    with desk.store.read() as unit:
        rows = [model_status(desk, unit, model) for model in desk.models.values()]
        open_ = [incident_data(i) for i in unit.incidents(open_only=True)]
        waiting = len(unit.proposals(waiting=True))
        held = {**cards.paused(unit), **cards.reviews(unit)}
        asks = [{"model": hold.subject, "reason": hold.reason} for hold in unit.holds(Kind.ASK)]
    rows.sort(key=lambda r: (-Verdict(str(r["verdict"])).rank, str(r["model"])))
    return {
        "at": desk.clock.now().isoformat(),
        "data_at": desk.data.now().isoformat(),
        "models": rows,
        "incidents": open_,
        "waiting": waiting,
        **held,
        **({"asks": asks} if asks else {}),
    }


def model_status(desk: Desk, unit: Unit, model: Model) -> Data:
    """Return one model's health: the worst of what was found last, and the number that matters most."""
    latest = list(unit.latest(model.key))
    open_ = list(unit.incidents(open_only=True, model=model.key))
    primary = next((f for f in latest if f.tells(model.primary)), None)
    verdict = Verdict.CRITICAL if open_ else judged(latest, primary)
    return {
        "model": model.name,
        "environment": model.environment,
        "team": model.team,
        "verdict": verdict.value,
        "reason": "; ".join(i.title for i in open_) or reason_for(verdict, latest, primary),
        "split": split_of(desk, model),
        "metric": announce.finding_data(primary) if primary else None,
        "families": {family.value: worst(f for f in latest if f.family is family).value for family in Family},
        "looked_at": max((f.window.end for f in latest), default=None).isoformat() if latest else "",  # type: ignore[union-attr]
        "incidents": [i.id for i in open_],
    }


def judged(latest: Sequence[Finding], primary: Finding | None) -> Verdict:
    """Return a model's verdict without an incident: drift and secondary metrics warn at most; what is unknown stays unknown."""
    if not latest:
        return Verdict.UNKNOWN
    weighty = [f for f in latest if f.family in (Family.DATA_QUALITY, Family.OPERATIONS) and not f.slice]
    verdict = worst([*weighty, *([primary] if primary else [])])
    if primary is None and verdict is Verdict.HEALTHY:
        return Verdict.UNKNOWN
    return Verdict.WARNING if verdict is Verdict.CRITICAL else verdict


def reason_for(verdict: Verdict, latest: Sequence[Finding], primary: Finding | None) -> str:
    """Return why the verdict is what it is, in a few words."""
    if not latest:
        return "not looked at yet"
    if primary is None:
        return "no labels: nobody can say how well it does"
    if verdict is Verdict.UNKNOWN:
        unknown = next((f for f in latest if f.verdict is Verdict.UNKNOWN), primary)
        return unknown.reason
    told = f"{primary.named} {amount(primary.value, primary.unit)}"
    return f"{told}, reference {amount(primary.reference, primary.unit)}, {primary.n:,} labelled rows"


def split_of(desk: Desk, model: Model) -> str:
    """Return the live split in words; a splitter that does not answer is said, not hidden."""
    if model.serving not in desk.platforms:
        return ""
    try:
        return announce.current_split(desk, model)
    except AiopsError as reason:
        return f"unknown: {reason}"


def incidents(desk: Desk, *, open_only: bool = False, limit: int = 20) -> Data:
    """Return incidents, newest first."""
    with desk.store.read() as unit:
        found = unit.incidents(open_only=open_only, limit=limit)
    return {"incidents": [incident_data(i) for i in found], "open": sum(i.open for i in found)}


def incident(desk: Desk, number: int) -> Data:
    """Return one incident with everything known about it."""
    with desk.store.read() as unit:
        found = unit.incident(number)
        proposals = [cards.proposal_data(desk, unit, p) for p in unit.proposals(incident=number)]
        runs = [
            {"number": r.id, "state": r.state.value, "outcome": r.outcome, "plan": r.plan.words} for r in unit.runs(incident=number)
        ]
    return {
        **incident_data(found),
        "findings": [announce.finding_data(f) for f in found.findings],
        "evidence": {k: v for k, v in found.evidence.items() if k != "chart"},
        "proposals": proposals,
        "runs": runs,
    }


def incident_data(found: Incident) -> Data:
    """Return an incident as a row."""
    took = found.time_to_resolve
    return {
        "number": found.id,
        "model": found.model,
        "environment": found.environment,
        "family": found.family.words,
        "severity": found.severity.value,
        "state": found.state.value,
        "title": found.title,
        "team": found.team,
        "opened_at": found.opened_at.isoformat(),
        "window": str(found.window),
        "resolved_at": found.resolved_at.isoformat() if found.resolved_at else "",
        "took": duration(took) if took else "",
        "took_s": took.total_seconds() if took else None,
        "cause": found.cause,
    }


def report(desk: Desk, model: str | None = None) -> Data:
    """Return the status report: health, incidents with MTTR, runs, what was quiet on purpose, and what is not known."""
    chosen = [desk.model(model)] if model else list(desk.models.values())
    with desk.store.read() as unit:
        health = [model_status(desk, unit, m) for m in chosen]
        found = [i for m in chosen for i in unit.incidents(model=m.key)]
        runs = [r for m in chosen for r in unit.runs(model=m.key)]
        notes = [n for m in chosen for n in unit.notes(desk.data.now() - timedelta(days=DIGEST_DAYS), m.key)]
        latest = [f for m in chosen for f in unit.latest(m.key)]
    return {
        "at": desk.clock.now().isoformat(),
        "data_at": desk.data.now().isoformat(),
        "models": health,
        "incidents": [incident_data(i) for i in sorted(found, key=lambda i: -i.id)],
        "mttr": time_to_resolve(found),
        "runs": [{"number": r.id, "plan": r.plan.words, "state": r.state.value, "outcome": r.outcome} for r in runs],
        "digest": [{"at": n.at.isoformat(), "model": n.model, "text": n.text} for n in notes],
        "unknown": [announce.finding_data(f) for f in latest if f.verdict is Verdict.UNKNOWN][:10],
    }


def time_to_resolve(found: Sequence[Incident]) -> Data:
    """Return the median time to resolve and how many incidents it rests on; those still open are counted apart, and said."""
    took = sorted(i.time_to_resolve.total_seconds() for i in found if i.time_to_resolve)
    still = sum(i.open for i in found)
    words = f"median {duration(timedelta(seconds=median(took)))} over {len(took)} resolved" if took else "none resolved yet"
    return {
        "median_s": median(took) if took else None,
        "resolved": len(took),
        "open": still,
        "words": words + (f", {still} still open" if still else ""),
    }


def audit(desk: Desk, limit: int = 15) -> Data:
    """Return the newest rows of the audit log, newest last."""
    with desk.store.read() as unit:
        rows = unit.audit_rows(limit)
    return {
        "rows": [
            {
                "seq": row.seq,
                "at": row.entry.at.isoformat(),
                "actor": row.entry.actor,
                "action": row.entry.action,
                "target": row.entry.target,
                "incident": row.entry.incident,
                "hash": row.hash[:12],
            }
            for row in rows
        ],
        "head": rows[-1].witness if rows else "",
    }


def home(desk: Desk, who: Principal) -> Data:
    """Return what a person's own page shows: health, what waits for them, what is open."""
    with desk.store.read() as unit:
        waiting = unit.proposals(waiting=True)
    asked = [p for p in waiting if p.proposed_by != who.id and known(desk, who, p.who) in p.who]
    with desk.store.read() as unit:
        mine = [cards.proposal_data(desk, unit, p) for p in asked]
    return {**status(desk), "waiting_for_me": mine, "roles": sorted(who.roles)}


def digest(desk: Desk, since: datetime) -> Data:
    """Return what was noticed and deliberately not paged, and the reviews that are owed."""
    with desk.store.read() as unit:
        notes, owed = unit.notes(since), cards.reviews(unit)
    return {"lines": [{"model": n.model, "text": n.text, "at": n.at.isoformat()} for n in notes], **owed}
