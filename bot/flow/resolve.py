"""Resolve: acknowledge, close with a cause, and the time it took."""

from dataclasses import replace

from bot.core.approvals import Principal, Standing
from bot.core.audit import BOT, AuditEntry
from bot.core.errors import Conflict, NotAllowed
from bot.core.incidents import Incident, State
from bot.core.ports import Unit
from bot.flow import announce, cards
from bot.flow.desk import Desk
from bot.flow.served import ACCEPTED, kept


def acknowledge(desk: Desk, number: int, *, by: Principal) -> Incident:
    """Say that somebody is on it; a second click changes nothing, another person's is told who was first."""
    now = desk.clock.now()
    with desk.store.write() as unit:
        incident = unit.incident(number)
        if incident.acknowledged_by == by.id:
            return incident
        if incident.acknowledged_by:
            raise Conflict(f"Incident #{number} is acknowledged already; its message says by whom.")
        saved = unit.save_incident(incident.moved(State.ACKNOWLEDGED, acknowledged_by=by.id, acknowledged_at=now))
        row = unit.audit(AuditEntry(now, by.id, "incident.acknowledged", incident.key, number))
        announce.line(unit, saved, row, ":eyes:", "Acknowledged.", by=by.id)
        announce.show(desk, unit, saved, row)
    return saved


def resolve(desk: Desk, number: int, *, by: Principal, cause: str) -> Incident:
    """Close it by hand, with a cause; refused while a run is at work, because verification decides then.

    Where something else is served than was decided, this is the decision to keep it.
    """
    if not cause.strip():
        raise NotAllowed("Say the cause in a few words; it is what makes the next incident shorter.")
    with desk.store.read() as unit:
        keeps = kept(desk, unit.incident(number))
    with desk.store.write() as unit:
        incident = unit.incident(number)
        incident = replace(incident, evidence={**incident.evidence, **keeps})
        if any(not run.state.over for run in unit.runs(incident=number)):
            raise Conflict(f"A run is at work on incident #{number}; abort it first or wait for its verification.")
        return close(desk, unit, incident, by=by.id, cause=cause.strip())


def close(desk: Desk, unit: Unit, incident: Incident, *, by: str, cause: str) -> Incident:
    """Close an incident inside the caller's transaction: state, audit row, thread and root message together."""
    now = desk.clock.now()
    saved = unit.save_incident(incident.moved(State.RESOLVED, resolved_at=now, resolved_by=by, cause=cause))
    seconds = announce.seconds(incident.opened_at, now)
    accepted = {ACCEPTED: incident.evidence[ACCEPTED]} if ACCEPTED in incident.evidence else {}
    row = unit.audit(
        AuditEntry(now, by, "incident.resolved", incident.key, incident.id, {"cause": cause, "seconds": round(seconds), **accepted})
    )
    supersede(desk, unit, saved, reason=f"incident #{incident.id} is resolved.")
    announce.line(unit, saved, row, ":white_check_mark:", f"Resolved: {cause}", by=by)
    announce.show(desk, unit, saved, row)
    return saved


def supersede(desk: Desk, unit: Unit, incident: Incident, *, reason: str) -> None:
    """Close every proposal that still waits on this incident; their buttons vanish and a late click is told why."""
    now = desk.clock.now()
    for proposal in unit.proposals(incident=incident.id, waiting=True):
        closed = replace(proposal, standing=Standing.SUPERSEDED, decided_by="", decided_at=now, reason=reason)
        if unit.close_proposal(closed):
            row = unit.audit(AuditEntry(now, BOT, "proposal.superseded", proposal.id, incident.id, {"reason": reason}))
            cards.card(desk, unit, closed, row)
