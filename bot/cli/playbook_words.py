"""A playbook as a person would say it: what it is for, what it asks, what it does."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from bot.core.approvals import Policy
from bot.core.playbooks import Parameter, Playbook, Step
from bot.core.words import duration

Row = tuple[str, ...]


def facts(playbook: Playbook, policies: Sequence[tuple[str, Policy]]) -> dict[str, object]:
    """Return what it is, by name, empty where it says nothing; `policies` each come with what they hold for."""
    return {
        "name": playbook.name,
        "title": playbook.title,
        "summary": playbook.summary,
        "owner": playbook.owner,
        "risk": playbook.risk,
        "command": playbook.command,
        "mends": ", ".join(sorted(family.words for family in playbook.families)),
        "severities": ", ".join(sorted(playbook.severities)),
        "only for": _only_for(playbook),
        "rests": _rests(playbook),
        "lock": f"{playbook.lock}: no two runs at once that need it, whatever their models" if playbook.lock else "",
        "approved by": "; ".join(_approved_by(words, policy) for words, policy in policies) or "nobody yet",
        "verifies": verifies(playbook),
        "hash": playbook.hash,
    }


def parameters(playbook: Playbook) -> Iterator[Row]:
    """Yield each parameter: name, kind with its limits, default, what people are asked."""
    for p in playbook.parameters:
        yield p.name, _kind(p), p.default or "must be chosen, or is suggested", p.title


def steps(playbook: Playbook) -> Iterator[Row]:
    """Yield each step: name, action, part, what it depends on, parameters."""
    for s in playbook.steps:
        yield s.name, s.action, s.on, _depends(s), ", ".join(f"{name} = {value}" for name, value in s.parameters.items())


def _depends(step: Step) -> str:
    """Return when it is done at all, what it waits for and how often it is tried; empty where it simply is done."""
    when = f"when {step.when}" if step.when else ""
    optional = f"where something plays its {step.on}" if step.optional else ""
    gate = f"when a person continues it within {duration(timedelta(seconds=step.gate_s))}: {step.gate}" if step.gate else ""
    tries = f"tried {step.retries + 1} times at most" if step.retries else ""
    together = f"together with the others of '{step.together}'" if step.together else ""
    again = "once more on the way back, where that is needed" if step.again else ""
    return "; ".join(text for text in (together, when, optional, gate, tries, again) if text)


def _approved_by(words: str, policy: Policy) -> str:
    return f"{policy.quorum} of {', '.join(policy.who.words)}" + (f" ({words})" if words else "")


def _only_for(playbook: Playbook) -> str:
    tiers = f"tier {' or '.join(sorted(playbook.tiers))}" if playbook.tiers else ""
    return ", in ".join(text for text in (tiers, " or ".join(sorted(playbook.environments))) if text)


def _rests(playbook: Playbook) -> str:
    rest = f"{duration(playbook.cooldown)} after each run on a model" if playbook.cooldown else ""
    often = f"tried {playbook.max_attempts} × at most on one incident" if playbook.max_attempts else ""
    return "; ".join(text for text in (rest, often) if text)


def _kind(parameter: Parameter) -> str:
    """Return its kind with its limits: "number, 1 to 20", "text: small, large"."""
    if parameter.choices:
        return f"{parameter.kind}: {', '.join(parameter.choices)}"
    least, most = (None if limit is None else f"{limit:g}" for limit in (parameter.least, parameter.most))
    if least and most:
        return f"{parameter.kind}, {least} to {most}"
    return parameter.kind + (f", {least} at least" if least else f", {most} at most" if most else "")


def verifies(playbook: Playbook) -> str:
    """Return what must be seen before it counts as mended."""
    wanted = playbook.verification
    if not wanted.checks:
        return "nothing: when it is done, the incident goes back to people"
    checks = "the checks that opened the incident" if wanted.checks == ("same",) else ", ".join(wanted.checks)
    rows = f" on {wanted.least_rows:,} fresh rows" if wanted.least_rows else ""
    return f"{checks} healthy{rows}, within {duration(timedelta(seconds=wanted.within_s))}"
