"""Propose: an incident and a playbook become a plan that people can judge before anything is touched."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bot.core.actions import Action, Change, Json, Plan, Verification, canonical
from bot.core.approvals import Principal, Proposal
from bot.core.audit import AuditEntry
from bot.core.errors import Conflict, NotAllowed, NotFound
from bot.core.incidents import Incident, State
from bot.core.models import Model, split_words
from bot.core.playbooks import Parameter, Playbook, Step
from bot.core.ports import Unit
from bot.flow import cards
from bot.flow.desk import Desk
from bot.flow.preview import preview
from bot.flow.resolve import supersede
from bot.flow.rest import why_not_again
from bot.flow.together import refuse_conflicts
from bot.flow.way_back import planned_again

CHOSEN = ("version", "feature", "split", "team")
"""Kinds of parameters that are chosen from what the incident and the platform know."""

SAME = "same"
"""In a playbook's verification: the checks that opened the incident."""


def options(desk: Desk, number: int) -> dict[str, object]:
    """Return the playbooks that fit an incident, each with what has to be chosen; or why there is none."""
    incident, model = _incident(desk, number)
    remedies, resting = _awake(desk, incident, model)
    fitting = [p for p in remedies if all(choosable(desk, incident, model, parameter) for parameter in p.parameters)]
    if not fitting:
        why = (
            " ".join(resting)
            or str(incident.evidence.get("why_none", ""))
            or f"No playbook mends {incident.family.words}; a person has to."
        )
        return {"playbooks": [], "resting": resting, "why_none": why}
    offers = [offer(desk, incident, model, playbook) for playbook in fitting]
    return {"playbooks": offers, "resting": resting, "why_none": ""}


def _awake(desk: Desk, incident: Incident, model: Model) -> tuple[list[Playbook], list[str]]:
    """Return the remedies that may be proposed now, and a sentence for each that may not yet, or not again."""
    with desk.store.read() as unit:
        told = [(playbook, why_not_again(desk, unit, incident, playbook)) for playbook in desk.remedies(incident, model)]
    return [playbook for playbook, why in told if not why], [why for _, why in told if why]


def offer(desk: Desk, incident: Incident, model: Model, playbook: Playbook) -> dict[str, object]:
    """Return a playbook with what has to be chosen."""
    return {
        "name": playbook.name,
        "title": playbook.title,
        "summary": playbook.summary,
        "suggestion": incident.evidence.get("suggestion", ""),
        "parameters": [
            {
                "name": p.name,
                "title": p.title or p.name,
                "kind": p.kind,
                "choices": [{"value": c, "text": c} for c in p.choices] or _choices(desk, incident, model, p.kind),
                "default": _suggested(desk, incident, model, p),
            }
            for p in playbook.parameters
        ],
    }


def _suggested(desk: Desk, incident: Incident, model: Model, parameter: Parameter) -> str:
    """Return what the incident itself says should be chosen, else the playbook's default."""
    if parameter.kind == "version":
        return str(incident.evidence.get("best", ""))
    if parameter.kind == "feature":
        return next(iter(_inputs(incident, model)), "")
    if parameter.kind == "split":
        return next((choice["value"] for choice in _splits(incident)), "")
    if parameter.kind == "team":
        return next((team for team in _to_tell(incident) if team in desk.directory.teams()), parameter.default)
    return parameter.default


def _to_tell(incident: Incident) -> list[str]:
    """Return who may have to do with it: the team that feeds the most likely cause, then the one it was handed to."""
    cause = incident.evidence.get("cause")
    return [str(cause.get("team", "")) if isinstance(cause, Mapping) else "", incident.handed_to]


def _inputs(incident: Incident, model: Model) -> list[str]:
    """Return the model's inputs that the incident is about, the worst first; not every finding speaks of one."""
    return list(dict.fromkeys(f.column for f in incident.findings if model.feature(f.column)))


def _choices(desk: Desk, incident: Incident, model: Model, kind: str) -> list[dict[str, str]]:
    """Return what can be chosen, each with what is known of it; nothing where anything can be written."""
    if kind == "feature":
        return [{"value": name, "text": name} for name in _inputs(incident, model)]
    if kind == "split":
        return _splits(incident)
    if kind == "team":
        return [{"value": team, "text": team} for team in desk.directory.teams()]
    return _versions(desk, incident, model) if kind == "version" else []


def choosable(desk: Desk, incident: Incident, model: Model, parameter: Parameter) -> bool:
    """Return whether there is anything to choose, where the choice is one from what there is."""
    return parameter.kind not in CHOSEN or bool(_choices(desk, incident, model, parameter.kind))


def _splits(incident: Incident) -> list[dict[str, str]]:
    """Return the split that was decided, where the incident is that another one is served."""
    decided = incident.evidence.get("decided")
    return [{"value": canonical(decided), "text": split_words(decided)}] if isinstance(decided, Mapping) else []


def _versions(desk: Desk, incident: Incident, model: Model) -> list[dict[str, str]]:
    split = desk.split(model)
    rows: Sequence[Mapping[str, object]] = incident.evidence.get("versions", [])  # type: ignore[assignment]
    told = {
        str(row["version"]): f"{row['version']}: {row['metric']} {row['value_text']} {row['value_interval_text']}" for row in rows
    }
    return [{"value": v, "text": told.get(v, v)} for v in reversed(desk.versions(model)) if split.get(v, 0.0) < 1.0]


Settle = Callable[[Unit, Proposal], None]
"""Says in the transaction of a proposal what becomes of it."""


def propose(
    desk: Desk,
    number: int,
    playbook: str,
    parameters: Json,
    *,
    by: Principal,
    settle: Settle | None = None,
) -> Proposal:
    """Plan a playbook for an incident and ask for approval. Nothing is changed yet.

    `settle` is for the bot itself, which proposes only where no person has taken the incident up.

    Raises:
        NotAllowed: no policy lets anybody approve it, the incident is not one that it mends, or it rests after an earlier run.
        Conflict: a run is at work already, or a person was first.
    """
    incident, model = _incident(desk, number)
    chosen = desk.playbooks.get(playbook)
    if chosen is None:
        raise NotFound(f"There is no playbook '{playbook}' here. Known: {', '.join(sorted(desk.playbooks)) or 'none'}.")
    policy = desk.policy(chosen, model)
    with desk.store.read() as unit:
        guard(desk, unit, incident, chosen)
    plan = make_plan(desk, model, incident, chosen, parameters)
    now = desk.clock.now()
    proposal = Proposal(
        id=secrets.token_hex(6),
        incident=number,
        model=model.name,
        environment=model.environment,
        plan=plan,
        proposed_by=by.id,
        proposed_at=now,
        expires_at=now + policy.expires,
        policy=policy,
        preview=preview(desk, incident, chosen, plan),
    )
    with desk.store.write() as unit:
        if any(not run.state.over for run in unit.runs(incident=number)):
            raise Conflict(f"A run is already at work on incident #{number}.")
        incident = unit.incident(number)
        if settle and taken_up(unit, incident):
            raise Conflict(f"Somebody has taken incident #{number} up meanwhile.")
        guard(desk, unit, incident, chosen)  # once more: planning asked the platform, and meanwhile it may have been resolved
        supersede(desk, unit, incident, reason="a newer proposal took its place.")
        unit.add_proposal(proposal)
        row = unit.audit(AuditEntry(now, by.id, "proposal.made", proposal.id, number, {"playbook": playbook, "plan": plan.hash}))
        cards.card(desk, unit, proposal, row)
        if settle:
            settle(unit, proposal)
    return proposal


def taken_up(unit: Unit, incident: Incident) -> bool:
    """Return whether anybody has acknowledged an incident or proposed something for it."""
    return incident.state is not State.OPEN or bool(unit.proposals(incident=incident.id))


def _incident(desk: Desk, number: int) -> tuple[Incident, Model]:
    with desk.store.read() as unit:
        incident = unit.incident(number)
    return incident, desk.model(incident.model_key)


def guard(desk: Desk, unit: Unit, incident: Incident, playbook: Playbook) -> None:
    """Raise NotAllowed where this playbook may not be proposed for this incident."""
    if not incident.open:
        raise NotAllowed(f"Incident #{incident.id} is resolved; there is nothing left to mend.")
    if not playbook.offered_for(incident.family, incident.severity):
        raise NotAllowed(f"'{playbook.name}' does not mend {incident.family.words} at {incident.severity.value}.")
    model = desk.model(incident.model_key)
    if not playbook.meant_for(model.tier, model.environment):
        raise NotAllowed(f"'{playbook.name}' is not meant for models of tier {model.tier} in {model.environment}.")
    if not desk.policy(playbook, model).who:
        where = f"{incident.model} in {incident.environment}"
        raise NotAllowed(f"Nobody may approve '{playbook.name}' on {where}: name a role for it under `approvals:` in aiops.yaml.")
    if why := why_not_again(desk, unit, incident, playbook):
        raise NotAllowed(why)


def make_plan(desk: Desk, model: Model, incident: Incident, playbook: Playbook, parameters: Json) -> Plan:
    """Return the frozen plan: every change from → to, read from the platform as it stands now."""
    chosen = _chosen(desk, model, incident, playbook, parameters)
    changes: list[Change] = []
    back: list[Change] = []
    for step in desk.expand(playbook, chosen):
        if step.optional and not desk.plays(step, model):
            continue
        before = next((change.after for change in reversed(changes) if (change.on, change.action) == (step.on, step.action)), None)
        platform = desk.platform(model, step.on)
        action = action_of(desk, playbook, step)
        planned = action.plan(platform, model.name, step.parameters, step=step.name, before=before)
        changes.append(_timed(planned, step))
        if step.again:
            given = planned_again(changes, step.parameters)
            back.append(_timed(action.plan(platform, model.name, given, step=step.name, before=None), step))
    refuse_conflicts(model, changes)
    if not changes:
        raise NotAllowed(f"With what was chosen '{playbook.name}' would do nothing.")
    wanted = playbook.verification
    same = tuple(dict.fromkeys(f.check for f in incident.findings))
    checks = same if wanted.checks == (SAME,) else wanted.checks
    return Plan(
        playbook=playbook.name,
        playbook_hash=playbook.hash,
        model=model.name,
        environment=model.environment,
        changes=tuple(changes),
        verification=Verification(checks, wanted.least_rows, wanted.within_s),
        parameters=chosen,
        lock=playbook.lock,
        back=tuple(back),
    )


def _timed(planned: Change, step: Step) -> Change:
    """Return the change with what the playbook says of its time: how long it is measured, waited for, tried again."""
    return replace(
        planned,
        hold_s=step.hold_s,
        measure_share_within=step.within,
        on=step.on,
        patience_s=step.patience_s,
        retries=step.retries,
        pause_s=step.pause_s,
        gate=step.gate,
        gate_s=step.gate_s,
        together=step.together,
    )


def action_of(desk: Desk, playbook: Playbook, step: Step) -> Action:
    """Return the action that a step uses, or raise NotFound."""
    if step.action not in desk.actions:
        raise NotFound(f"'{playbook.name}' uses the action '{step.action}', which is not installed.")
    return desk.actions[step.action]


def _chosen(desk: Desk, model: Model, incident: Incident, playbook: Playbook, parameters: Json) -> dict[str, object]:
    chosen: dict[str, object] = {}
    for parameter in playbook.parameters:
        value = str(parameters.get(parameter.name) or _suggested(desk, incident, model, parameter))
        if not value:
            raise NotAllowed(f"Choose '{parameter.title or parameter.name}' first; nothing here says which one is right.")
        if parameter.kind in CHOSEN:
            _known(desk, incident, model, parameter, value)
        chosen[parameter.name] = value
    return chosen


def _known(desk: Desk, incident: Incident, model: Model, parameter: Parameter, value: str) -> None:
    known = [choice["value"] for choice in _choices(desk, incident, model, parameter.kind)]
    if value in known:
        return
    what = {
        "version": f"a version of {model.name} that traffic could go to",
        "feature": "an input that this is about",
        "split": "a split that was decided here",
        "team": "a team of aiops.yaml",
    }[parameter.kind]
    raise NotAllowed(f"'{value}' is not {what}; choose one of {', '.join(known) or 'none'}.")
