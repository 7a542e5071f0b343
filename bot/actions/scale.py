"""Scale a Deployment: another number of replicas, within the limits of the configuration, unless an autoscaler owns it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bot.core.actions import ARROW, Action, Change, Effect, Going, Json, Platform
from bot.core.deployments import Deployments, deployments, not_yet, patiently, pods_words
from bot.core.errors import ActionFailed, ConfigError, WorldMoved


@dataclass(frozen=True)
class Scale(Action):
    """Sets how many replicas a Deployment has, within limits, and waits until they are available; not where an autoscaler rules."""

    name: str
    needs: ClassVar[Sequence[str]] = ("rollout",)

    def plan(self, platform: Platform, target: str, parameters: Json, *, step: str, before: Json | None) -> Change:
        """Return the change; `replicas` is a number, or how many more or fewer ("+2", "-1"). The plan itself is absolute.

        Raises:
            ConfigError: it is no number within the limits, or changes nothing.
            ActionFailed: an autoscaler sets the replicas.
        """
        on = _deployments(platform)
        now = int(str(before["replicas"])) if before is not None else on.rollout(target).wanted
        wanted = _wanted(str(parameters.get("replicas", "")), now, step)
        least, most = on.limits(target)
        if not least <= wanted <= most:
            raise ConfigError(
                f"{target} may have {least} to {most} replicas, not {wanted}; `least` and `most` in aiops.yaml say so."
            )
        if wanted == now:
            raise ConfigError(f"{target} has {now} replicas already; choose another number.")
        _unowned(on, target)
        words = f"{now}{ARROW}{wanted} replicas"
        return Change(step, self.name, target, {"replicas": now}, {"replicas": wanted}, words)

    def precheck(self, platform: Platform, change: Change) -> None:
        """Raise WorldMoved unless it has the replicas that the plan found, or leads to."""
        on = _deployments(platform)
        now = on.rollout(change.target).wanted
        if now not in (_count(change.before), _count(change.after)):
            raise WorldMoved(
                f"{change.target} now has {now} replicas, but the plan was made for {_count(change.before)}; propose it again."
            )
        _unowned(on, change.target)

    def apply(self, platform: Platform, change: Change, key: str) -> None:  # noqa: ARG002 - absolute, so a repetition changes nothing
        """Ask for the replicas."""
        _deployments(platform).scale(change.target, _count(change.before), _count(change.after))

    def read_back(self, platform: Platform, change: Change, key: str) -> None:  # noqa: ARG002
        """Raise ActionFailed unless the Deployment wants them now."""
        _require(_deployments(platform), change.target, _count(change.after))

    def measure(self, platform: Platform, change: Change, key: str) -> Effect | Going:  # noqa: ARG002
        """Return how many are available, until all are; ActionFailed where they cannot be made, or somebody else scales."""
        return patiently(lambda: self._measured(platform, change))

    def _measured(self, platform: Platform, change: Change) -> Effect | Going:
        on = _deployments(platform)
        seen = on.rollout(change.target)
        _require(on, change.target, _count(change.after))
        going = not_yet(seen, change.step)
        if going is not None:
            said = f"{seen.available} of {seen.wanted} replicas are available"
            return Going(f"{said}: {seen.trouble}" if seen.trouble else said) if seen.observed else going
        return Effect(f"{seen.available} replicas: {pods_words(on.pods(change.target))}", {"replicas": seen.available})

    def blast(self, changes: Sequence[Change]) -> str:
        """Say from how many to how many."""
        before, after = _count(changes[0].before), _count(changes[-1].after)
        what = "adds" if after > before else "takes away"
        return f"{what} {abs(after - before)} of {changes[0].target}'s {max(before, after)} pods"

    def undo(self, platform: Platform, change: Change, key: str) -> str:  # noqa: ARG002
        """Set the replicas of before; WorldMoved where somebody else has set others meanwhile."""
        on, before = _deployments(platform), _count(change.before)
        on.scale(change.target, _count(change.after), before)
        _require(on, change.target, before)
        return f"{change.target} was set back to {before} replicas, and that was read back."


def _wanted(text: str, now: int, step: str) -> int:
    found = re.fullmatch(r"([+-]?)([0-9]{1,6})", text.strip())
    if not found:
        raise ConfigError(f"Step '{step}': replicas must be a whole number such as 4, or a difference such as +2.")
    sign, number = found[1], int(found[2])
    return {"": number, "+": now + number, "-": now - number}[sign]


def _count(state: Json) -> int:
    return int(str(state["replicas"]))


def _unowned(on: Deployments, target: str) -> None:
    owner = on.autoscaler(target)
    if owner:
        raise ActionFailed(f"The replicas of {target} are set by {owner}, which would undo this; change its limits instead.")


def _require(on: Deployments, target: str, replicas: int) -> None:
    now = on.rollout(target).wanted
    if now != replicas:
        raise ActionFailed(f"{target} should have {replicas} replicas, but its Deployment says {now}.")


def _deployments(platform: Platform) -> Deployments:
    return deployments(platform, "scale")


scale = Scale("scale")
