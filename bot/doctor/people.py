"""The people: whether those who must approve can."""

from collections.abc import Iterator, Mapping

from bot.config import Settings
from bot.core.playbooks import Playbook
from bot.doctor.remarks import Remark, hint, ok, problem
from bot.policies import ApprovalPart, policies_of


def approvals(settings: Settings, playbooks: Mapping[str, Playbook]) -> Iterator[Remark]:
    """Look at every policy: has it people, are they enough, can they approve each other's proposals? And has every playbook one?"""
    for name, part in _by_name(settings, playbooks):
        yield _policy(name, part, settings.roles)
    for name, playbook in playbooks.items():
        yield from _playbook(settings, name, playbook)
    for name in _strange(settings, playbooks):
        known = ", ".join(playbooks) or "none"
        yield problem("approvals", f"there is no playbook '{name}'.", f"Playbooks: {known}. See: aiops playbooks")


def _by_name(settings: Settings, playbooks: Mapping[str, Playbook]) -> list[tuple[str, ApprovalPart]]:
    """Return the policies that name anybody, each with what people call it."""
    if isinstance(settings.approvals, Mapping):
        found: list[tuple[str, ApprovalPart]] = [
            (f"'{name}'", part) for name, part in settings.approvals.items() if name in playbooks
        ]
    else:
        found = [(f"rule {number} ({part.rule.words})", part) for number, part in enumerate(settings.approvals, 1)]
    return [(name, part) for name, part in found if part.policy.who]


def _playbook(settings: Settings, name: str, playbook: Playbook) -> Iterator[Remark]:
    lacking, allowed = _lacking(settings, playbook), bool(policies_of(settings.approvals, playbook))
    if lacking and allowed and isinstance(settings.approvals, Mapping):
        where = "`serving:`" if lacking == "serving" else f"`connectors: {{{lacking}: …}}`"
        yield hint("approvals", f"'{name}' is never offered: no model has {where}.", "Name a platform there in aiops.yaml.")
    if not lacking and not allowed:  # one that no model can use needs nobody
        yield hint("approvals", f"nobody may approve '{name}'.", f"Add roles for {name} under approvals: in aiops.yaml.")


def _strange(settings: Settings, playbooks: Mapping[str, Playbook]) -> list[str]:
    """Return the names that policies use and no playbook has."""
    if isinstance(settings.approvals, Mapping):
        used = list(settings.approvals)
    else:
        used = [name for part in settings.approvals for name in part.playbook]
    return [name for name in dict.fromkeys(used) if name not in playbooks]


def _lacking(settings: Settings, playbook: Playbook) -> str:
    """Return a part that a platform must play for this playbook and plays for no model; empty where one model has all it needs."""
    played = [{"serving": model.serving, **model.connectors} for model in settings.models]
    lacks = [[part for part in playbook.parts if not parts.get(part)] for parts in played]
    fewest = min(lacks, key=len, default=[])
    return fewest[0] if fewest else ""


def _policy(name: str, part: ApprovalPart, roles: Mapping[str, tuple[str, ...]]) -> Remark:
    if empty := [role for role in part.roles if not roles.get(role)]:
        return problem(
            "approvals",
            f"the role '{empty[0]}', which may approve {name}, has no people.",
            "Add Slack user ids to it under roles.",
        )
    people = {person for role in part.roles for person in roles[role]} | set(part.people)
    if part.groups:
        return ok("approvals", f"{name}: {part.quorum} of {len(people)} people and {', '.join(part.groups)} within {part.expires}.")
    if part.quorum > len(people):
        return problem(
            "approvals",
            f"{name} needs {part.quorum} approvals, but only {len(people)} may give one.",
            "Add people to its roles, or lower its quorum.",
        )
    if part.quorum == len(people) and not part.self_approval:
        return hint(
            "approvals",
            f"{name} needs all of its {len(people)} approvers, and nobody may approve what they proposed themselves.",
            "Add one more person to its roles, so that any of them may propose it.",
        )
    return ok("approvals", f"{name}: {part.quorum} of {len(people)} people within {part.expires}.")
