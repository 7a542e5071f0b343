"""The people: whether those who must approve can."""

from collections.abc import Iterator, Mapping

from bot.config import ApprovalPart, Settings
from bot.core.playbooks import Playbook
from bot.doctor.remarks import Remark, hint, ok, problem


def approvals(settings: Settings, playbooks: Mapping[str, Playbook]) -> Iterator[Remark]:
    """Look at every playbook's policy: is there one, has it people, are they enough, can they approve each other's proposals?"""
    for name, playbook in playbooks.items():
        part, lacking = settings.approvals.get(name), _lacking(settings, playbook)
        if part is not None and part.roles:
            yield _policy(name, part, settings.roles)
            if lacking:
                where = "`serving:`" if lacking == "serving" else f"`connectors: {{{lacking}: …}}`"
                yield hint("approvals", f"'{name}' is never offered: no model has {where}.", "Name a platform there in aiops.yaml.")
        elif not lacking:  # one that no model can use needs nobody
            yield hint("approvals", f"nobody may approve '{name}'.", f"Add roles under approvals: {name}: in aiops.yaml.")
    for name in settings.approvals:
        if name not in playbooks:
            known = ", ".join(playbooks) or "none"
            yield problem("approvals", f"there is no playbook '{name}'.", f"Playbooks: {known}. See: aiops playbooks")


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
            f"the role '{empty[0]}', which may approve '{name}', has no people.",
            "Add Slack user ids to it under roles.",
        )
    people = {person for role in part.roles for person in roles[role]}
    if part.quorum > len(people):
        return problem(
            "approvals",
            f"'{name}' needs {part.quorum} approvals, but only {len(people)} may give one.",
            "Add people to its roles, or lower its quorum.",
        )
    if part.quorum == len(people) and not part.self_approval:
        return hint(
            "approvals",
            f"'{name}' needs all of its {len(people)} approvers, and nobody may approve what they proposed themselves.",
            "Add one more person to its roles, so that any of them may propose it.",
        )
    return ok("approvals", f"'{name}': {part.quorum} of {len(people)} people within {part.expires}.")
