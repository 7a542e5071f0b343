"""Called: a playbook by its own slash command finds the one open incident that is meant, and what it asks there."""

from collections.abc import Mapping, Sequence

from bot.core.errors import Conflict, NotAllowed, NotFound
from bot.core.incidents import Incident
from bot.core.playbooks import Playbook
from bot.flow.desk import Desk
from bot.flow.propose import choosable, guard, offer

WORDS = "[MODEL or #INCIDENT]"
"""What may stand after the command."""

LISTED = 10


def by_command(playbooks: Mapping[str, Playbook]) -> dict[str, Playbook]:
    """Return the playbooks that have a slash command of their own, by command."""
    return dict(sorted((playbook.command, playbook) for playbook in playbooks.values() if playbook.command))


def meant(desk: Desk, command: str, text: str) -> tuple[Playbook, Incident]:
    """Return the command's playbook, and the open incident that the words after it mean: a model's, by number, or the only one.

    Raises:
        NotFound: no playbook answers to it, or there is no such incident or model.
        NotAllowed: the incident is resolved.
        Conflict: several incidents could be meant; the sentence names them.
    """
    playbook = by_command(desk.playbooks).get(command)
    if playbook is None:
        raise NotFound(f"No playbook answers to {command[:40]} here any more; /aiops help lists the commands that there are.")
    words = text.split()
    if len(words) > 1:
        raise NotFound(f"Write one model or one incident after {command}, such as {command} #12.")
    word = words[0] if words else ""
    if (digits := word.removeprefix("#")).isascii() and digits.isdigit():
        return playbook, _numbered(desk, digits)
    return playbook, _only_one(desk, playbook, word)


def asks(desk: Desk, incident: Incident, playbook: Playbook) -> dict[str, object]:
    """Return the playbook as the proposal's form shows it for this incident.

    Raises:
        NotAllowed: it may not be proposed there; the sentence says why.
    """
    model = desk.model(incident.model_key)
    with desk.store.read() as unit:
        guard(desk, unit, incident, playbook)
    if not desk.offers(playbook, model):
        raise NotAllowed(
            f"'{playbook.name}' needs platforms that {model.key} does not have; /aiops incident {incident.id} says more."
        )
    if lacking := next((p for p in playbook.parameters if not choosable(desk, incident, model, p)), None):
        raise NotAllowed(
            f"There is nothing to choose for '{lacking.title or lacking.name}' now, so this playbook cannot be proposed."
        )
    return offer(desk, incident, model, playbook)


def _numbered(desk: Desk, digits: str) -> Incident:
    if len(digits) > 9:
        raise NotFound(f"'{digits[:12]}…' is no number of an incident; write it like #12.")
    with desk.store.read() as unit:
        incident = unit.incident(int(digits))
    if not incident.open:
        raise NotAllowed(f"Incident #{incident.id} is resolved; there is nothing left to mend.")
    return incident


def _only_one(desk: Desk, playbook: Playbook, word: str) -> Incident:
    """Return the incident that is open for this model, or at all; of several the one that this playbook mends."""
    if word and not any(word in (model.key, model.name) for model in desk.models.values()):
        desk.model(word[:60])  # says which models there are
    with desk.store.read() as unit:
        found = [i for i in unit.incidents(open_only=True) if word in ("", i.model, i.model_key)]
    if not found:
        raise NotFound(f"No incident is open{f' for {word}' if word else ''}, so there is nothing to mend with {playbook.command}.")
    fitting = [i for i in found if _mends(desk, playbook, i)] or found
    if len(fitting) > 1:
        raise Conflict(f"Which one? {_listed(fitting)}. Write its number: {playbook.command} #{min(i.id for i in fitting)}")
    return fitting[0]


def _mends(desk: Desk, playbook: Playbook, incident: Incident) -> bool:
    """Return whether it is offered there; a model that is watched no more is offered nothing."""
    model = desk.models.get(incident.model_key)
    return model is not None and playbook in desk.remedies(incident, model)


def _listed(incidents: Sequence[Incident]) -> str:
    told = [f"#{i.id} {i.model} ({i.family.words})" for i in sorted(incidents, key=lambda i: i.id)]
    more = f" and {len(told) - LISTED} more" if len(told) > LISTED else ""
    return f"{len(told)} incidents are open: {', '.join(told[:LISTED])}{more}"
