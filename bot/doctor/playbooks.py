"""What is legal in a playbook and unwise: one sentence each, with what would be better."""

import re
from collections.abc import Iterator, Sequence

from bot.core.models import Model
from bot.core.playbooks import Playbook

WORD = re.compile(r"[A-Za-z_]\w*")


def unwise(playbook: Playbook, models: Sequence[Model] = (), *, allowed: bool = True) -> Iterator[str]:
    """Yield what a careful colleague would remark; `allowed` is whether anybody may approve it."""
    moves = [step for step in playbook.steps if step.action == "set_traffic"]
    if moves and not playbook.verification.checks:
        yield "it moves traffic and verifies nothing, so nobody notices when that did not help; add `verification`."
    for step in moves:
        if not step.hold_s:
            yield f"step '{step.name}' has no `hold`, so its traffic is counted for no time at all; give it some seconds."
    used = set(WORD.findall(str([(step.parameters, step.when) for step in playbook.steps])))
    for parameter in playbook.parameters:
        if parameter.name not in used:
            yield f"people are asked for '{parameter.name}', but no step uses it; leave it out."
    if not allowed:
        yield f"nobody may approve it, so it is never offered; name roles under `approvals: {playbook.name}:` in aiops.yaml."
    for part in playbook.parts:
        if models and not any(model.platform(part) for model in models):
            where = "`serving:`" if part == "serving" else f"`connectors: {{{part}: …}}`"
            yield f"no model names what plays its {part}, so it is never offered; add {where} to those that have one."
