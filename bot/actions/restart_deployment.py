"""Restart a Deployment: every pod is replaced by a new one of the same template, as fast as its own strategy allows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bot.core.actions import ARROW, UNDO, Action, Change, Effect, Going, Json, Platform
from bot.core.deployments import Deployments, Rollout, deployments, not_yet, patiently, pods_words
from bot.core.errors import ActionFailed, WorldMoved


@dataclass(frozen=True)
class RestartDeployment(Action):
    """Replaces every pod of a Deployment by a new one of the same template, once a step, and follows that to its end."""

    name: str
    needs: ClassVar[Sequence[str]] = ("rollout",)

    def plan(self, platform: Platform, target: str, parameters: Json, *, step: str, before: Json | None) -> Change:  # noqa: ARG002
        """Return the change; it takes no parameters.

        Raises:
            ActionFailed: the Deployment is paused, or cannot be asked.
        """
        on = _deployments(platform)
        seen, revision = _unpaused(on.rollout(target), target), on.revisions(target)[0]
        words = f"{', '.join(revision.images)}, {seen.wanted} pods{ARROW}the same, with new pods"
        return Change(step, self.name, target, {"template": seen.template, "stamp": seen.stamp}, {"template": seen.template}, words)

    def precheck(self, platform: Platform, change: Change) -> None:
        """Raise WorldMoved when it has another template by now: restarting would not be what was approved."""
        seen = _unpaused(_deployments(platform).rollout(change.target), change.target)
        if seen.template != change.before["template"]:
            raise WorldMoved(f"{change.target} has another pod template than the plan was made for; propose it again.")

    def apply(self, platform: Platform, change: Change, key: str) -> None:
        """Stamp the template with the key; the same stamp again replaces nothing."""
        _deployments(platform).stamp(change.target, str(change.before["template"]), key)

    def read_back(self, platform: Platform, change: Change, key: str) -> None:
        """Raise ActionFailed unless the template bears this step's stamp."""
        if _deployments(platform).rollout(change.target).stamp != key:
            raise ActionFailed(f"'{change.step}' was asked for, but the Deployment of {change.target} does not bear its stamp.")

    def measure(self, platform: Platform, change: Change, key: str) -> Effect | Going:
        """Return how far the rollout is, or which pods run at its end; ActionFailed when it is stuck or was overtaken."""
        return patiently(lambda: self._measured(platform, change, key))

    def _measured(self, platform: Platform, change: Change, key: str) -> Effect | Going:
        on = _deployments(platform)
        seen = on.rollout(change.target)
        if seen.stamp != key or seen.template != change.before["template"]:
            raise WorldMoved(f"Somebody else has rolled out something while {change.target} was restarted.")
        going = not_yet(seen, change.step)
        if going is not None:
            return going
        return Effect(f"restarted: {pods_words(on.pods(change.target))}", {"replicas": seen.available, "stamp": key})

    def blast(self, changes: Sequence[Change]) -> str:
        """Say that everything is replaced."""
        return f"replaces every pod of {changes[0].target}, old ones only as new ones become ready"

    def undo(self, platform: Platform, change: Change, key: str) -> str:
        """Give up a restart that has not ended: the earlier stamp takes the earlier pods again, and those that still run stay."""
        on, key = _deployments(platform), key.removesuffix(UNDO)
        seen = on.rollout(change.target)
        if seen.stamp != key:
            return "Nothing was restarted."
        if seen.template != change.before["template"]:
            raise WorldMoved(f"Somebody else has rolled out something to {change.target} meanwhile; that stays.")
        if seen.done:
            return "The restart had ended; its pods stay."
        on.stamp(change.target, seen.template, str(change.before["stamp"]))
        if on.rollout(change.target).stamp != change.before["stamp"]:
            raise ActionFailed(f"The Deployment of {change.target} still bears the restart's stamp.")
        return "The restart was given up: Kubernetes goes back to the pods of before."


def _unpaused(seen: Rollout, target: str) -> Rollout:
    if seen.paused:
        raise ActionFailed(f"The Deployment of {target} is paused and would roll nothing out; `kubectl rollout resume` it first.")
    return seen


def _deployments(platform: Platform) -> Deployments:
    return deployments(platform, "restart_deployment")


restart_deployment = RestartDeployment("restart_deployment")
