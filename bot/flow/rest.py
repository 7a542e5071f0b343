"""Rest: a playbook that has just been tried is not tried again at once, and not without end on one incident."""

from datetime import datetime

from bot.core.incidents import Incident
from bot.core.playbooks import Playbook
from bot.core.ports import Unit
from bot.core.words import duration
from bot.flow.desk import Desk


def why_not_again(desk: Desk, unit: Unit, incident: Incident, playbook: Playbook) -> str:
    """Return why a playbook may not be proposed for this incident now, and when it may; empty where it may.

    A run that never began has tried nothing, so it does not count.
    """
    runs = [run for run in unit.runs(model=incident.model_key) if run.plan.playbook == playbook.name and run.started_at]
    tried = sum(run.incident == incident.id for run in runs)
    if playbook.max_attempts and tried >= playbook.max_attempts:
        times = "once" if tried == 1 else f"{tried} times"
        return f"'{playbook.name}' was tried {times} on incident #{incident.id}, as often as it may be; a person has to go on."
    ended = max((run.ended_at for run in runs if run.ended_at), default=None)
    return _resting(desk, incident, playbook, ended) if ended and playbook.cooldown else ""


def _resting(desk: Desk, incident: Incident, playbook: Playbook, ended: datetime) -> str:
    since, again = desk.clock.now() - ended, ended + playbook.cooldown
    if since >= playbook.cooldown:
        return ""
    left, rests = duration(playbook.cooldown - since), duration(playbook.cooldown)
    return (
        f"'{playbook.name}' ended on {incident.model} {duration(since)} ago and rests {rests} after each run; "
        f"it can be proposed again in {left}, on {again.day} {again:%B} at {again:%H:%M} UTC."
    )
