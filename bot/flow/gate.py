"""Gate: in the middle of a run, before a step, a person looks and says that it may go on.

A press is a row in the database, unique by run and step, so a double click or a click after a crash passes nothing twice, and a
click at an earlier gate never passes a later one. Who may approve the plan may press; nobody in time means that the run goes back.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bot.core.actions import Change, Json
from bot.core.approvals import Principal, Proposal, or_refuse
from bot.core.audit import BOT, AuditEntry
from bot.core.errors import ActionFailed, NotAllowed
from bot.core.gates import Press
from bot.core.ports import Journal, Unit
from bot.core.runs import Run
from bot.core.words import duration
from bot.flow import announce, cards
from bot.flow.desk import Desk
from bot.flow.membership import known

SLOWEST = 4.0
"""A run that waits looks less often with time, at least once in so many polls: hours of waiting must not fill its journal."""


def wait(desk: Desk, journal: Journal, number: str, change: Change, *, free: Callable[[], Json]) -> None:
    """Wait durably before this step until a person continues the run; `free` raises when it is to stop.

    Raises:
        ActionFailed: nobody continued it in time.
    """
    journal.step(f"{change.step}/gate", lambda: _reach(desk, number, change))
    looks = 0
    while not journal.step(f"{change.step}/gate/{looks}", lambda: _look(desk, number, change, free))["passed"]:
        looks += 1
        journal.sleep(desk.poll_s * min(1 + looks / 20, SLOWEST))


def _reach(desk: Desk, number: str, change: Change) -> Json:
    """Show in the run's message that it waits, and call those who may continue it."""
    now = desk.clock.now()
    with desk.store.write() as unit:
        run = unit.run(number)
        if run.gate == change.step:  # reached in an earlier life: people have been called, and their time runs
            return {}
        run = replace(run, gate=change.step, gate_until=now + timedelta(seconds=change.gate_s), outcome="")
        unit.save_run(run)
        row = unit.audit(AuditEntry(now, BOT, "gate.reached", f"{number}:{change.step}", run.incident, {"look": change.gate}))
        cards.progress(unit, run)
        within = duration(timedelta(seconds=change.gate_s))
        words = (
            f"The run waits before '{change.step}': {change.gate} Press Continue in its message within {within}, or it goes back."
        )
        callers = cards.mentions(desk, unit.proposal(run.proposal).who)
        announce.line(unit, unit.incident(run.incident), row, ":raised_hand:", words, mention=callers)
    return {}


def _look(desk: Desk, number: str, change: Change, free: Callable[[], Json]) -> Json:
    free()
    now = desk.clock.now()
    with desk.store.write() as unit:
        run = unit.run(number)
        passed = any(press.step == change.step for press in unit.presses(number))
        late = not passed and (run.gate_until is None or now >= run.gate_until)
        if run.gate and (passed or late):
            run = replace(run, gate="", gate_until=None)
            unit.save_run(run)
            cards.progress(unit, run)
            if late:
                unit.audit(AuditEntry(now, BOT, "gate.expired", f"{number}:{change.step}", run.incident))
    if late:
        raise ActionFailed(f"Nobody continued it before '{change.step}' within {duration(timedelta(seconds=change.gate_s))}.")
    return {"passed": passed}


def proceed(desk: Desk, gate: str, *, by: Principal) -> Run:
    """Continue the run that waits at this gate ("run:step"); a second press changes nothing.

    Raises:
        NotAllowed: this person may not, or the run does not wait there; the sentence says why.
    """
    number, _, step = gate.partition(":")
    now = desk.clock.now()
    with desk.store.read() as unit:
        asked = unit.proposal(unit.run(number).proposal).who
    by = known(desk, by, asked)
    with desk.store.write() as unit:
        run = unit.run(number)
        if any(press.step == step for press in unit.presses(number)):
            return run
        refused = _why_not(run, step, by, unit.proposal(run.proposal)) or _too_late(desk, run)
        if refused:  # the refusal itself is worth remembering
            unit.audit(AuditEntry(now, by.id, "gate.refused", f"{run.id}:{step}"[:200], run.incident, {"reason": refused}))
        else:
            _pass(desk, unit, run, by)
    if refused:
        raise NotAllowed(refused)
    return run


def _why_not(run: Run, step: str, by: Principal, proposal: Proposal) -> str:
    """Say why this person may not continue it there; like an approval, and never the bot itself."""
    if by.id == BOT:
        return "A person has to look; the bot never continues its own run."
    try:
        or_refuse(by, proposal.who, "continue this run")
    except NotAllowed as reason:
        return str(reason)
    if by.id == proposal.proposed_by and not proposal.policy.self_approval:
        return "You proposed this; someone else has to look and continue it."
    if run.state.over:
        return f"This run is over: {(run.outcome or run.state.value).rstrip('.')}."
    if run.abort_by:
        return "This run is being aborted; it goes back."
    return "" if run.gate == step else "The run does not wait there; its message says where it stands."


def _too_late(desk: Desk, run: Run) -> str:
    late = run.gate_until is not None and desk.clock.now() >= run.gate_until
    return "Nobody continued it in time, so it goes back." if late else ""


def _pass(desk: Desk, unit: Unit, run: Run, by: Principal) -> None:
    now = desk.clock.now()
    unit.press(Press(run.id, run.gate, by.id, now))
    row = unit.audit(AuditEntry(now, by.id, "gate.continued", f"{run.id}:{run.gate}", run.incident, {"plan": run.plan.hash}))
    cards.progress(unit, run)
    announce.line(unit, unit.incident(run.incident), row, ":arrow_forward:", f"Continued before '{run.gate}'.", by=by.id)
