"""Hand over: a run that did not mend the incident gives it back to people, with what was tried and how it ended."""

from dataclasses import replace

from bot.core.actions import Json
from bot.core.audit import BOT, AuditEntry
from bot.core.errors import AiopsError
from bot.core.incidents import State
from bot.core.ports import Unit
from bot.core.runs import Run, RunState
from bot.flow import announce, cards
from bot.flow.desk import Desk


def hand_over(desk: Desk, unit: Unit, number: str, state: RunState, outcome: str) -> Json:
    """Close a run that did not mend the incident and give the incident back to people."""
    now = desk.clock.now()
    run = unit.run(number)
    if run.state.over:
        return {"state": run.state.value, "outcome": run.outcome, "verdict": "handed over"}
    run = replace(run, state=state, ended_at=now, outcome=outcome)
    unit.save_run(run)
    incident = unit.incident(run.incident)
    back = incident.moved(State.ACKNOWLEDGED) if incident.state in (State.MITIGATING, State.VERIFYING) else incident
    done = state is RunState.SUCCEEDED
    told, mark = (outcome, ":white_check_mark:") if done else (f"The last try ended: {outcome}", ":leftwards_arrow_with_hook:")
    split = {"split": _split_now(desk, run)} if run.started_at else {}  # one that never began has moved nothing
    saved = unit.save_incident(replace(back, evidence={**back.evidence, "suggestion": told, **split}))
    row = unit.audit(AuditEntry(now, BOT, f"run.{state.value}", number, run.incident, {"outcome": outcome}))
    cards.progress(unit, run)
    announce.line(unit, saved, row, mark, outcome, mention=desk.directory.mention(incident.team))
    announce.show(desk, unit, saved, row)
    return {"state": state.value, "outcome": outcome, "verdict": "handed over"}


def _split_now(desk: Desk, run: Run) -> str:
    try:
        return announce.current_split(desk, desk.model(run.model_key))
    except AiopsError:
        return "unknown: the splitter does not answer"
