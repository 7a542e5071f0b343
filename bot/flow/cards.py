"""Cards: what a proposal that waits for people, and a run at work, look like; each lives in its incident's thread."""

from datetime import timedelta

from bot.core.actions import Change, Plan, Verification
from bot.core.approvals import Outcome, Proposal, Standing, Who
from bot.core.audit import AuditRow
from bot.core.checks import Family
from bot.core.findings import SERVED
from bot.core.holds import Kind, brake
from bot.core.notices import Notice
from bot.core.ports import Unit
from bot.core.runs import Run, RunState
from bot.core.words import duration, plain
from bot.flow.desk import Desk


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
        "steps": plan_words(proposal.plan),
        **({"back": [change.words for change in proposal.plan.back]} if proposal.plan.back else {}),
        "plan_hash": proposal.plan.hash[:12],
        "preview": list(proposal.preview.get("lines", [])),  # type: ignore[call-overload]
        "blast_radius": proposal.preview.get("blast_radius", ""),
        "verification": verification_words(desk, proposal),
        "expires_at": proposal.expires_at.isoformat(),
        "quorum": f"{sum(bool(v['approve']) for v in votes)}/{proposal.policy.quorum}",
        "approvers": proposal.who.words,
        "approver_by": sorted(proposal.who.people),
        **({"confirm": proposal.policy.confirm} if proposal.policy.confirm else {}),
        "proposed_by": proposal.proposed_by,
        "votes": votes,
        "standing": proposal.standing.value,
        "decided_by": proposal.decided_by,
        "reason": proposal.reason,
        **({"then": then(proposal)} if waiting and proposal.outcome is not Outcome.REJECT else {}),
        **(paused(unit) if waiting else {}),
        **glass(proposal),
        "buttons": buttons(proposal),
    }


def plan_words(plan: Plan) -> list[str]:
    """Return the steps of a plan as those who approve must know them, in order."""
    pairs = zip(plan.changes, (None, *plan.changes), strict=False)
    return [beside(c, before) + step_words(c, first=not beside(c, before)) for c, before in pairs]


def beside(change: Change, before: Change | None) -> str:
    """Return what stands before a step that begins together with the one above it; empty for every other."""
    return "at the same time: " if before and change.together and change.together == before.together else ""


def step_words(change: Change, *, first: bool = True) -> str:
    """Return a step as those who approve must know it: what it does, what it waits for before, how often it is tried.

    Parallel steps wait before the `first` of them.
    """
    before = f"when a person continues it ({change.gate}): " if change.gate and first else ""
    tries = f" (tried {change.retries + 1} times at most)" if change.retries else ""
    return f"{before}{change.words}{tries}"


def buttons(proposal: Proposal) -> list[dict[str, str]]:
    """Return what a person may press now; the value is the proposal's number and nothing else."""
    if proposal.glass_by and not proposal.reviewed_by:
        return [{"action": "review", "text": "Write the review…", "value": proposal.id, "style": "primary"}]
    if proposal.standing is not Standing.WAITING:
        return []
    alone = [{"action": "break_glass", "text": "Break glass…", "value": proposal.id}] if proposal.policy.break_glass else []
    return [
        {"action": "approve", "text": "Approve", "value": proposal.id, "style": "primary"},
        {"action": "reject", "text": "Reject…", "value": proposal.id, "style": "danger"},
        *alone,
    ]


def glass(proposal: Proposal) -> dict[str, object]:
    """Return what a card says of a broken glass; nothing where none was broken."""
    if not proposal.glass_by:
        return {}
    return {"glass": {"by": proposal.glass_by, "reviewed_by": proposal.reviewed_by, "review": proposal.review}}


def reviews(unit: Unit) -> dict[str, object]:
    """Return the reviews that are owed, oldest first; nothing where none is, so that messages stay as they are."""
    owed = [(hold, unit.proposal(hold.subject)) for hold in unit.holds(Kind.REVIEW)]
    rows = [
        {
            "number": hold.subject,
            "by": hold.by,
            "at": hold.at.isoformat(),
            "reason": hold.reason,
            "incident": proposal.incident,
            "model": proposal.model,
            "plan": proposal.plan.words,
        }
        for hold, proposal in owed
    ]
    return {"reviews": rows} if rows else {}


def then(proposal: Proposal) -> str:
    """Say what happens by itself when nobody decides in time."""
    if proposal.outcome is Outcome.RUN:
        return "If nobody rejects it by then, it runs by itself."
    return f"After that {proposal.policy.escalate_to.sentence} may decide, too."


def paused(unit: Unit) -> dict[str, object]:
    """Return what a card says while a person holds the brake; nothing otherwise, so that cards stay as they are."""
    hold = brake(unit)
    return {"paused": {"by": hold.by, "at": hold.at.isoformat(), "reason": hold.reason}} if hold else {}


def verification_words(desk: Desk, proposal: Proposal) -> str:
    """Say what must be seen before the incident closes."""
    wanted = proposal.plan.verification
    if not wanted.checks:
        return "nothing is verified by itself; when it is done, the incident goes back to people"
    within = duration(timedelta(seconds=wanted.within_s))
    if wanted.checks == (SERVED,):
        return f"the splitter says so itself, within {within}"
    checks = ", ".join(desk.checks[c].named("") if c in desk.checks else plain(c) for c in wanted.checks)
    return f"{checks} healthy on at least {rows_words(desk, wanted)}, within {within} of data"


def rows_words(desk: Desk, wanted: Verification) -> str:
    """Say how many rows must be seen: only performance needs labelled ones."""
    labelled = any(desk.checks[c].family is Family.PERFORMANCE for c in wanted.checks if c in desk.checks)
    return f"{wanted.least_rows:,} fresh {'labelled ' if labelled else ''}rows"


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
            mention=mentions(desk, proposal.who),
        )
    )


def mentions(desk: Desk, who: Who) -> str:
    """Return how Slack mentions some people: roles, persons, groups."""
    roles = (desk.directory.mention(role) for role in sorted(who.roles))
    return " ".join([*roles, *(f"<@{one}>" for one in sorted(who.people)), *(f"<!subteam^{one}>" for one in sorted(who.groups))])


def progress(unit: Unit, run: Run) -> None:
    """Bring the run's message level with its steps."""
    done = dict(entry.split("\t", 1) for entry in run.progress)
    gate = _gate(unit, run)
    stopped = _stopped(unit, run, done)
    steps = [
        {"words": beside(c, before) + c.words, "state": _step_state(run, done, c, stopped), "measured": done.get(c.step, "")}
        for c, before in zip(run.plan.changes, (None, *run.plan.changes), strict=False)
    ]
    unit.announce(
        Notice(
            key=f"run:{run.id}",
            channel="",
            template="run",
            data={
                "number": run.id,
                "title": f"{plain(run.plan.playbook).capitalize()} of {run.model}",
                "state": run.state.value,
                "steps": steps,
                "outcome": run.outcome,
                "buttons": _buttons(run, gate),
                "aborted_by": run.abort_by,
                "gate": gate,
                **({} if run.state.over else paused(unit)),
            },
            thread=f"incident:{run.incident}",
        )
    )


def _gate(unit: Unit, run: Run) -> dict[str, str]:
    """Return what the run waits for, until when and, once somebody has, who continued it; nothing where it does not wait."""
    if not run.waits:
        return {}
    pressed = next((press.by for press in unit.presses(run.id) if press.step == run.gate), "")
    look = next((change.gate for change in run.plan.changes if change.place == run.gate), "")
    until = run.gate_until.isoformat() if run.gate_until else ""
    return {"step": run.gate, "look": look, "until": until, "continued_by": pressed}


def _buttons(run: Run, gate: dict[str, str]) -> list[dict[str, str]]:
    if run.state.over or run.abort_by:
        return []
    abort = {"action": "abort", "text": "Abort", "value": run.id, "style": "danger"}
    if not gate or gate["continued_by"]:
        return [abort]
    return [{"action": "continue", "text": "Continue", "value": f"{run.id}:{run.gate}", "style": "primary"}, abort]


def _stopped(unit: Unit, run: Run, done: dict[str, str]) -> str:
    """Return the step at which a run failed that went back; empty where it was aborted, or nobody continued it."""
    change = next((c for c in run.plan.changes if c.step not in done), None)
    if run.state is not RunState.COMPENSATED or change is None or run.abort_by:
        return ""
    reached = not change.gate or any(press.step == change.place for press in unit.presses(run.id))
    return change.step if reached else ""


def _step_state(run: Run, done: dict[str, str], change: Change, stopped: str) -> str:
    if run.state is RunState.COMPENSATED:
        if change.step == stopped:
            return "failed"
        return "undone" if change.step in done or change.step in run.undone else "waiting"
    if change.step in done:
        return "done"
    first_open = next(c for c in run.plan.changes if c.step not in done)
    if change.place == first_open.place and run.state is not RunState.QUEUED:
        return "failed" if run.state.over else "waiting" if run.gate == change.place else "doing"
    return "waiting"
