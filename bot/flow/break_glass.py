"""Break glass: one person approves alone when there is nobody else, and owes a reason now and a review by somebody else later.

Loud on purpose: everybody who should have been asked is mentioned, and the review stays listed as open until it is written. The
brake holds all the same, and the plan is the very one that was proposed.
"""

from dataclasses import replace

from bot.core.approvals import Principal, Proposal, Standing, Vote, may_break_glass, may_review
from bot.core.audit import AuditEntry
from bot.core.errors import Conflict, NotAllowed
from bot.core.holds import Hold, Kind, brake
from bot.core.ports import Unit
from bot.flow import announce, cards
from bot.flow.decide import start
from bot.flow.desk import Desk
from bot.flow.membership import known


def break_glass(desk: Desk, number: str, *, by: Principal, reason: str) -> Proposal:
    """Approve a proposal alone, even one's own, and start it.

    Raises:
        NotAllowed: no reason, not this person, not this proposal, or not while the bot is paused; a refusal is audited.
        Conflict: somebody else decided it at the same moment.
    """
    if not reason.strip():
        raise NotAllowed("Say why nobody else could be asked; whoever reviews this will read it.")
    with desk.store.read() as unit:
        asked = unit.proposal(number).policy.break_glass
    by, now, refused = known(desk, by, asked), desk.clock.now(), ""
    with desk.store.write() as unit:
        proposal = unit.proposal(number)
        try:
            may_break_glass(proposal, by, now=now)
            _not_paused(unit)
        except NotAllowed as no:  # who tried is worth remembering, above all here
            unit.audit(AuditEntry(now, by.id, "break_glass.refused", number, proposal.incident, {"reason": str(no)}))
            refused = str(no)
        else:
            proposal = _broken(desk, unit, proposal, by, reason.strip())
    if refused:
        raise NotAllowed(refused)
    return proposal


def _not_paused(unit: Unit) -> None:
    if hold := brake(unit):
        raise NotAllowed(f"The bot is paused {hold.words}, and that holds for break-glass, too; /aiops resume comes first.")


def _broken(desk: Desk, unit: Unit, proposal: Proposal, by: Principal, reason: str) -> Proposal:
    now = desk.clock.now()
    approved = replace(proposal.closed(Standing.APPROVED, by=by.id, at=now, reason=reason), glass_by=by.id)
    if not unit.close_proposal(approved):
        raise Conflict("Somebody else decided this at the same moment; look at the card.")
    unit.add_vote(Vote(proposal.id, by.id, approve=True, at=now, reason=reason))
    payload = {"plan": proposal.plan.hash, "reason": reason, "own": by.id == proposal.proposed_by}
    row = unit.audit(AuditEntry(now, by.id, "break_glass.used", proposal.id, proposal.incident, payload))
    unit.hold(Hold(Kind.REVIEW, proposal.id, by.id, now, reason))
    start(desk, unit, approved, now)
    words = f"BREAK-GLASS: approved by one person alone. Why: {reason}. Somebody else has to review it."
    incident = unit.incident(proposal.incident)
    announce.line(unit, incident, row, ":rotating_light:", words, by=by.id, mention=cards.mentions(desk, proposal.who))
    announce.digest(desk, unit, desk.data.now())
    cards.card(desk, unit, approved, row)
    return approved


def review(desk: Desk, number: str, *, by: Principal, words: str) -> Proposal:
    """Write the review that a break-glass approval owes; once, and never by the person who broke the glass.

    Raises:
        NotAllowed: nothing was written, this person may not, or there is nothing to review.
    """
    if not words.strip():
        raise NotAllowed("Write what you found: was it right to act alone, and what should be different next time?")
    with desk.store.read() as unit:
        proposal = unit.proposal(number)
    by, now = known(desk, by, proposal.who | proposal.policy.break_glass), desk.clock.now()
    with desk.store.write() as unit:
        proposal = unit.proposal(number)
        may_review(proposal, by)
        reviewed = replace(proposal, reviewed_by=by.id, review=words.strip())
        unit.save_proposal(reviewed)
        unit.lift(Kind.REVIEW, number)
        payload = {"review": reviewed.review, "glass_by": proposal.glass_by}
        row = unit.audit(AuditEntry(now, by.id, "break_glass.reviewed", number, proposal.incident, payload))
        incident = unit.incident(proposal.incident)
        announce.line(unit, incident, row, ":memo:", f"Break-glass reviewed: {reviewed.review}", by=by.id)
        announce.digest(desk, unit, desk.data.now())
        cards.card(desk, unit, reviewed, row)
    return reviewed


def remind(desk: Desk) -> int:
    """List the reviews that are owed in today's digest, on a day without other news too; return how many they are."""
    with desk.store.write() as unit:
        owed = unit.holds(Kind.REVIEW)
        if owed:
            announce.digest(desk, unit, desk.data.now())
    return len(owed)
