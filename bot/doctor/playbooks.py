"""What is legal in a playbook and unwise: one sentence each, with what would be better."""

import re
from collections.abc import Iterator, Sequence

from bot.core.models import Model
from bot.core.playbooks import Playbook

MOVES = "moves traffic"
SERVING = {"set_traffic": MOVES, "switch_version": MOVES, "set_alias": MOVES, "set_toggle": "switches a flag"}
WORD = re.compile(r"[A-Za-z_]\w*")


def unwise(playbook: Playbook, models: Sequence[Model] = (), *, allowed: bool = True) -> Iterator[str]:
    """Yield what a careful colleague would remark; `allowed` is whether anybody may approve it."""
    yield from _steps(playbook)
    yield from _parameters(playbook)
    if not allowed:
        yield f"nobody may approve it, so it is never offered; name roles under `approvals: {playbook.name}:` in aiops.yaml."
    if models:
        yield from _models(playbook, models)


def _steps(playbook: Playbook) -> Iterator[str]:
    does = next((SERVING[step.action] for step in playbook.steps if step.action in SERVING), "")
    if does and not playbook.verification.checks:
        yield f"it {does} and verifies nothing, so nobody notices when that did not help; add `verification`."
    if playbook.steps[0].gate:
        yield f"step '{playbook.steps[0].name}' is the first and has a gate, but the approval itself is one; leave it out."
    for step in playbook.steps:
        if step.action == "set_traffic" and not step.hold_s:
            yield f"step '{step.name}' has no `hold`, so its traffic is counted for no time at all; give it some seconds."
        if step.action == "set_toggle" and not step.hold_s:
            yield f"step '{step.name}' has no `hold`, so nobody looks whether applications follow; give it some minutes."


def _parameters(playbook: Playbook) -> Iterator[str]:
    used = set(WORD.findall(str([(step.parameters, step.when, step.gate) for step in playbook.steps])))
    for parameter in playbook.parameters:
        if parameter.name not in used:
            yield f"people are asked for '{parameter.name}', but no step uses it; leave it out."


def _models(playbook: Playbook, models: Sequence[Model]) -> Iterator[str]:
    for part in playbook.parts:
        if not any(model.platform(part) for model in models):
            where = "`serving:`" if part == "serving" else f"`connectors: {{{part}: …}}`"
            yield f"no model names what plays its {part}, so it is never offered; add {where} to those that have one."
    if not any(playbook.meant_for(model.tier, model.environment) for model in models):
        yield "no model is of its tiers and environments, so it is never offered; look at `offered` and at the models' `tier`."
