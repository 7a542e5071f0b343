"""Decide: votes, the quorum, rejection, expiry and abort.

A decision is one row, unique by the database, written in the transaction that reaches the quorum; that same transaction starts the
run. Two people at once, a double click or a click after a crash can therefore start nothing twice.
"""

from dataclasses import replace
from datetime import datetime

from bot.core.approvals import Outcome, Principal, Proposal, Standing, Vote, may_vote, or_refuse
from bot.core.audit import BOT, AuditEntry
from bot.core.errors import Conflict, NotAllowed
from bot.core.holds import brake
from bot.core.incidents import State
from bot.core.ports import Unit
from bot.core.runs import Run, RunState
from bot.core.words import duration
from bot.flow import announce, cards, turn
from bot.flow.desk import Desk
from bot.flow.hand_over import hand_over
from bot.flow.membership import known

RUN = "run_playbook"
"""The durable workflow that carries out an approved plan."""

POLICY = "policy"
"""Who acts where no person does, and in whose name."""


def approve(desk: Desk, number: str, *, by: Principal) -> Proposal:
    """Count one approval; a second click of the same person changes nothing. The quorum starts the run.

    Raises:
        NotAllowed: this person may not, or the proposal is no longer waiting; the sentence says why.
    """
    now = desk.clock.now()
    refused = ""
    by = _known(desk, number, by)
    with desk.store.write() as unit:
        proposal = unit.proposal(number)
        try:
            may_vote(proposal, by, approve=True, now=now)
        except NotAllowed as reason:  # the refusal itself is worth remembering
            unit.audit(AuditEntry(now, by.id, "vote.refused", number, proposal.incident, {"reason": str(reason)}))
            refused = str(reason)
        else:
            proposal = _count(desk, unit, proposal, by, now)
            refused = _held(unit, proposal)
    if refused:
        raise NotAllowed(refused)
    return proposal


def _known(desk: Desk, number: str, who: Principal) -> Principal:
    """Return the person with those of the proposal's user groups that they are in."""
    with desk.store.read() as unit:
        asked = unit.proposal(number).who
    return known(desk, who, asked)


def _count(desk: Desk, unit: Unit, proposal: Proposal, by: Principal, now: datetime) -> Proposal:
    new = unit.add_vote(Vote(proposal.id, by.id, approve=True, at=now))
    full = sum(vote.approve for vote in unit.votes(proposal.id)) >= proposal.policy.quorum
    paused = brake(unit) is not None
    if not new and (paused or not full):
        return proposal
    action = "vote.approved" if new else "vote.confirmed"  # the second: it was complete while the bot was paused
    row = unit.audit(AuditEntry(now, by.id, action, proposal.id, proposal.incident, {"plan": proposal.plan.hash}))
    if paused or not full:
        cards.card(desk, unit, proposal, row)
        return proposal
    approved = proposal.closed(Standing.APPROVED, by=by.id, at=now)
    if not unit.close_proposal(approved):
        raise Conflict("Somebody else decided this at the same moment; look at the card.")
    start(desk, unit, approved, now)
    cards.card(desk, unit, approved, row)
    return approved


def _held(unit: Unit, proposal: Proposal) -> str:
    """Say why an approval that was counted starts nothing now, where a person holds the brake; empty otherwise."""
    hold = brake(unit)
    if hold is None or proposal.standing is not Standing.WAITING:
        return ""
    full = sum(vote.approve for vote in unit.votes(proposal.id)) >= proposal.policy.quorum
    then = "press Approve once more when it is resumed" if full else "others may still approve"
    return f"Your approval is kept, but nothing starts: the bot is paused {hold.words}; {then} (/aiops resume)."


def start(desk: Desk, unit: Unit, proposal: Proposal, now: datetime) -> None:
    """Queue the run of an approved proposal, in the transaction of its decision."""
    run = Run(
        id=proposal.id,
        proposal=proposal.id,
        incident=proposal.incident,
        model=proposal.model,
        environment=proposal.environment,
        plan=proposal.plan,
        state=RunState.QUEUED,
        queued_at=now,
    )
    run = replace(run, outcome=turn.lane_words(unit, run))
    unit.save_run(run)
    incident = unit.save_incident(unit.incident(proposal.incident).moved(State.MITIGATING))
    row = unit.audit(AuditEntry(now, BOT, "run.queued", run.id, run.incident, {"plan": run.plan.hash}))
    unit.enqueue(RUN, run.id, {"run": run.id}, lane=run.model_key)
    cards.progress(unit, run)
    announce.show(desk, unit, incident, row)


def reject(desk: Desk, number: str, *, by: Principal, reason: str) -> Proposal:
    """Close a proposal with a reason; one rejection is enough. The proposer may withdraw it."""
    now = desk.clock.now()
    if not reason.strip():
        raise NotAllowed("Say why in a few words; the proposer will want to know.")
    by = _known(desk, number, by)
    with desk.store.write() as unit:
        proposal = unit.proposal(number)
        may_vote(proposal, by, approve=False, now=now)
        unit.add_vote(Vote(number, by.id, approve=False, at=now, reason=reason))
        closed = proposal.closed(Standing.REJECTED, by=by.id, at=now, reason=reason.strip())
        if not unit.close_proposal(closed):
            raise Conflict("Somebody else decided this at the same moment; look at the card.")
        row = unit.audit(AuditEntry(now, by.id, "proposal.rejected", number, proposal.incident, {"reason": reason}))
        cards.card(desk, unit, closed, row)
    return closed


def expire(desk: Desk) -> int:
    """Give every proposal whose time has run out its policy's outcome, whether or not anybody clicks; return how many ended."""
    now = desk.clock.now()
    with desk.store.write() as unit:
        due = [proposal for proposal in unit.proposals(waiting=True) if now >= proposal.expires_at]
        return sum(_run_out(desk, unit, proposal, now) for proposal in due)


def _run_out(desk: Desk, unit: Unit, proposal: Proposal, now: datetime) -> bool:
    if proposal.outcome is Outcome.ESCALATE:
        _escalate(desk, unit, proposal, now)
        return False
    if proposal.outcome is Outcome.RUN and brake(unit) is None:
        return by_policy(desk, unit, proposal, "nobody objected in time, and its policy says that it runs then.")
    paused = ", and the bot is paused" if proposal.outcome is Outcome.RUN else ""
    closed = proposal.closed(Standing.EXPIRED, by="", at=now, reason=f"nobody decided in time{paused}.")
    if not unit.close_proposal(closed):
        return False
    row = unit.audit(AuditEntry(now, BOT, "proposal.expired", proposal.id, proposal.incident))
    cards.card(desk, unit, closed, row)
    return True


def _escalate(desk: Desk, unit: Unit, proposal: Proposal, now: datetime) -> None:
    """Ask further people, once, for as long again: an edited card reaches nobody's phone, a new line in the thread does."""
    asked = proposal.policy.escalate_to
    extended = replace(proposal, escalated=True, expires_at=now + proposal.policy.expires)
    if not unit.save_proposal(extended):
        return
    payload = {"to": asked.words, "until": extended.expires_at.isoformat()}
    row = unit.audit(AuditEntry(now, BOT, "proposal.escalated", proposal.id, proposal.incident, payload))
    words = f"Nobody has decided in time; {asked.sentence} may decide now, too, within {duration(proposal.policy.expires)}."
    incident = unit.incident(proposal.incident)
    announce.line(unit, incident, row, ":rotating_light:", words, mention=cards.mentions(desk, asked))
    cards.card(desk, unit, extended, row)


def by_policy(desk: Desk, unit: Unit, proposal: Proposal, reason: str) -> bool:
    """Approve it in the name of its policy, and start it; False when somebody was quicker."""
    now = desk.clock.now()
    approved = proposal.closed(Standing.APPROVED, by=POLICY, at=now, reason=reason)
    if not unit.close_proposal(approved):
        return False
    payload = {"plan": proposal.plan.hash, "reason": reason}
    row = unit.audit(AuditEntry(now, BOT, "approved.by_policy", proposal.id, proposal.incident, payload))
    start(desk, unit, approved, now)
    cards.card(desk, unit, approved, row)
    return True


def abort(desk: Desk, number: str, *, by: Principal) -> Run:
    """Ask a run to stop and go back; it is the run itself that compensates, wherever it is. One that has not begun ends at once.

    Raises:
        NotAllowed: this person may not, or the run is over.
    """
    now = desk.clock.now()
    with desk.store.read() as unit:
        proposal = unit.proposal(unit.run(number).proposal)
    by = known(desk, by, proposal.who)
    with desk.store.write() as unit:
        run = unit.run(number)
        or_refuse(by, proposal.who, "abort this run")
        if run.abort_by:
            return run
        if run.state.over:
            raise NotAllowed(f"This run is over: {(run.outcome or run.state.value).rstrip('.')}.")
        stopped = replace(run, abort_by=by.id)
        unit.save_run(stopped)
        unit.audit(AuditEntry(now, by.id, "run.abort_asked", number, run.incident))
        if run.state is RunState.QUEUED:  # whom it waits for may take days, and there is nothing to put back
            hand_over(desk, unit, number, RunState.FAILED, "It was aborted. Nothing had been changed.")
            return unit.run(number)
        cards.progress(unit, stopped)
    return stopped
