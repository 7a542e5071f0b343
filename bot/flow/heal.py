"""Heal: what a policy lets the bot do by itself, so often a day on one model. No policy lets it unless it says `auto`.

It acts where an incident is open that no person has taken up, and where the evidence suggests all that has to be chosen for exactly
one of the playbooks that are offered. The proposal and its approval are rows like any other; beyond the budget, people are asked.
What it mended and came back was not mended: from then on it asks on that model, until a person arms it again.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from bot.core.approvals import Policy, Principal, Proposal
from bot.core.audit import BOT, AuditEntry
from bot.core.errors import AiopsError, Conflict
from bot.core.holds import Hold, Kind, brake
from bot.core.incidents import Incident
from bot.core.models import Model
from bot.core.playbooks import Playbook
from bot.core.ports import Unit
from bot.core.words import duration
from bot.flow import announce
from bot.flow.decide import POLICY, by_policy
from bot.flow.desk import Desk
from bot.flow.explain import explained
from bot.flow.membership import known, refuse_unless
from bot.flow.propose import options, propose, taken_up

DEMOTED = "demoted"
"""In an incident's evidence: it came back, and that was held against the bot once."""


def heal_all(desk: Desk) -> int:
    """Propose and, inside the budget, approve for every incident where a policy lets the bot; return how many were proposed."""
    if not any(policy.auto_per_day for _, policy in desk.every_policy):
        return 0
    with desk.store.read() as unit:
        open_ = [incident for incident in unit.incidents(open_only=True) if incident.model_key in desk.models]
        fresh = [incident for incident in open_ if explained(incident) and not taken_up(unit, incident)]
        paused = brake(unit)
    for incident in open_:
        _demote_if_back(desk, incident)
    return 0 if paused else sum(_heal(desk, incident) for incident in fresh)


def _heal(desk: Desk, incident: Incident) -> bool:
    try:
        return _proposed(desk, incident)
    except AiopsError:  # a person or another replica was first, or a platform does not answer: the incident is with people
        return False


def _proposed(desk: Desk, incident: Incident) -> bool:
    ready = {name: chosen for name, chosen in _offered(desk, incident) if all(chosen.values())}
    policies = {name: desk.policy(desk.playbooks[name], desk.model(incident.model_key)) for name in ready}
    mending = [name for name in ready if desk.playbooks[name].verification.checks]
    contenders = mending or [name for name in ready if policies[name].auto_per_day]  # what mends nothing stands in nobody's way
    if len(contenders) != 1 or not policies[contenders[0]].auto_per_day:
        return False
    (name,) = contenders
    suggested, policy = ready[name], policies[name]

    def settle(unit: Unit, proposal: Proposal) -> None:
        _settle(desk, unit, proposal, policy)

    propose(desk, incident.id, name, suggested, by=Principal(BOT), settle=settle)
    return True


def _offered(desk: Desk, incident: Incident) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the playbooks that are offered, each with what is suggested for everything that has to be chosen."""
    offers: list[dict[str, object]] = options(desk, incident.id)["playbooks"]  # type: ignore[assignment]
    for offer in offers:
        yield str(offer["name"]), {str(p["name"]): p["default"] for p in offer["parameters"]}  # type: ignore[attr-defined]


def _settle(desk: Desk, unit: Unit, proposal: Proposal, policy: Policy) -> None:
    """Approve it in the policy's name, or say why people have to."""
    model_key, now = f"{proposal.model}@{proposal.environment}", desk.clock.now()
    used = used_today(unit, model_key, now)
    why = _why_not(unit, model_key, used, policy.auto_per_day)
    if not why:
        by_policy(desk, unit, proposal, f"auto, {used + 1} of {policy.auto_per_day} today.")
        return
    row = unit.audit(AuditEntry(now, BOT, "auto.asked", proposal.id, proposal.incident, {"why": why}))
    words = f"The bot proposes this and asks you to approve; {why}."
    announce.line(unit, unit.incident(proposal.incident), row, ":raised_hand:", words)


def _why_not(unit: Unit, model_key: str, used: int, per_day: int) -> str:
    """Say why the bot may not approve by itself now; empty where it may."""
    if brake(unit):
        return "it is paused"
    if hold := asked(unit, model_key):
        return hold.reason
    return f"{used} of {per_day} today are used up" if used >= per_day else ""


def used_today(unit: Unit, model_key: str, now: datetime) -> int:
    """Return how many plans for this model the bot has approved by itself since midnight, UTC."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return sum(run.queued_at >= midnight and by_itself(unit.proposal(run.proposal)) for run in unit.runs(model=model_key))


def by_itself(proposal: Proposal) -> bool:
    """Return whether the bot both proposed and approved it."""
    return (proposal.proposed_by, proposal.decided_by) == (BOT, POLICY)


def asked(unit: Unit, model_key: str) -> Hold | None:
    """Return why the bot asks people on this model instead of acting by itself; None where it does not."""
    return next((hold for hold in unit.holds(Kind.ASK) if hold.subject == model_key), None)


def _demote_if_back(desk: Desk, incident: Incident) -> None:
    """Let the bot ask from now on where it had mended the very same trouble by itself and that has come back; once an incident."""
    if DEMOTED in incident.evidence:
        return
    with desk.store.write() as unit:
        incident, now = unit.incident(incident.id), desk.clock.now()
        words = _came_back(unit, incident)
        if not words or not incident.open or DEMOTED in incident.evidence:
            return
        saved = unit.save_incident(replace(incident, evidence={**incident.evidence, DEMOTED: words}))
        if unit.hold(Hold(Kind.ASK, incident.model_key, BOT, now, words)):
            row = unit.audit(AuditEntry(now, BOT, "auto.demoted", incident.model_key, incident.id, {"why": words}))
            told = f"{words[0].upper()}{words[1:]}: from now on the bot asks until a person types /aiops auto arm {incident.model}."
            announce.line(unit, saved, row, ":warning:", told, mention=desk.directory.mention(incident.team))


def _came_back(unit: Unit, incident: Incident) -> str:
    """Say what was mended by the bot itself and did not stay mended; empty where nothing was."""
    for earlier in unit.incidents(model=incident.model_key):
        if earlier.key != incident.key or earlier.resolved_at is None:
            continue
        for run in unit.runs(incident=earlier.id):
            proposal, later = unit.proposal(run.proposal), incident.opened_at - earlier.resolved_at
            if run.mended and by_itself(proposal) and later <= proposal.policy.auto_returned:
                what = f"what '{run.plan.playbook}' had mended by itself in #{earlier.id}"
                return f"{what} came back after {duration(later)} as #{incident.id}"
        break
    return ""


def arm(desk: Desk, name: str, *, by: Principal) -> Hold:
    """Let the bot act by itself on a model again; return why it did not.

    Raises:
        NotAllowed: this person may not approve what the bot did by itself there.
        Conflict: it does so already.
    """
    model = desk.model(name)
    may = [policy.who for _, policy in allowed(desk, model)]
    if not may:
        raise Conflict(f"No policy lets the bot act by itself on {model.key}, so there is nothing to arm.")
    refuse_unless(known(desk, by, *may), may, "arm it")
    with desk.store.write() as unit:
        hold = unit.lift(Kind.ASK, model.key)
        if hold is None:
            raise Conflict(f"The bot was not disarmed on {model.key}, so nothing was changed.")
        unit.audit(AuditEntry(desk.clock.now(), by.id, "auto.armed", model.key, payload={"why": hold.reason}))
    return hold


def allowed(desk: Desk, model: Model) -> Iterator[tuple[Playbook, Policy]]:
    """Yield the playbooks that the bot may carry out by itself on this model."""
    for playbook in desk.playbooks.values():
        policy = desk.policy(playbook, model)
        if policy.auto_per_day and desk.offers(playbook, model):
            yield playbook, policy


def budgets(desk: Desk) -> list[dict[str, object]]:
    """Return what the bot may do by itself, model by model: how much of it is used today, and where it asks and why."""
    with desk.store.read() as unit:
        return [
            {
                "model": model.key,
                "playbooks": [playbook.name for playbook, _ in may],
                "used": used_today(unit, model.key, desk.clock.now()),
                "per_day": max(policy.auto_per_day for _, policy in may),
                "asks": hold.reason if (hold := asked(unit, model.key)) else "",
            }
            for model in desk.models.values()
            if (may := list(allowed(desk, model)))
        ]
