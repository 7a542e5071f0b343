"""Undo a rollout: the pod template of an earlier revision takes the place of the one in use."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bot.core.actions import ARROW, Action, Change, Effect, Going, Json, Platform
from bot.core.deployments import Deployments, Pods, Revision, deployments, not_yet, patiently, pods_words
from bot.core.errors import ActionFailed, ConfigError, NotFound, WorldMoved

PREVIOUS = "previous"


@dataclass(frozen=True)
class UndoRollout(Action):
    """Puts the pod template of an earlier revision back, follows the rollout, and looks which images really run at its end."""

    name: str
    needs: ClassVar[Sequence[str]] = ("rollout",)

    def plan(self, platform: Platform, target: str, parameters: Json, *, step: str, before: Json | None) -> Change:
        """Return the change; `revision` is a number, or "previous": the newest one that differs from what is in use.

        Raises:
            NotFound: there is no such revision any longer.
            ConfigError: it is in use already, or no number.
        """
        revisions = _deployments(platform).revisions(target)
        now = _revision(before) if before is not None else revisions[0]
        wanted = _wanted(revisions, now, str(parameters.get("revision", PREVIOUS)), step)
        return Change(step, self.name, target, now.snapshot, wanted.snapshot, f"{now.words}{ARROW}{wanted.words}")

    def precheck(self, platform: Platform, change: Change) -> None:
        """Raise WorldMoved unless the template is the one of before or after, and both are still kept."""
        on, before, after = _deployments(platform), _revision(change.before), _revision(change.after)
        seen = on.rollout(change.target)
        if seen.paused:
            raise ActionFailed(
                f"The Deployment of {change.target} is paused and would roll nothing out; `kubectl rollout resume` it."
            )
        if seen.template not in (before.template, after.template):
            raise WorldMoved(f"{change.target} no longer runs {before.words}, for which the plan was made; propose it again.")
        kept = {(revision.replica_set, revision.template) for revision in on.revisions(change.target)}
        gone = [revision for revision in (before, after) if (revision.replica_set, revision.template) not in kept]
        if gone:
            raise WorldMoved(f"Kubernetes no longer keeps {gone[0].words} of {change.target}; propose it again.")

    def apply(self, platform: Platform, change: Change, key: str) -> None:  # noqa: ARG002 - absolute, so a repetition changes nothing
        """Put the earlier template in place of the one in use."""
        _deployments(platform).roll_to(change.target, _revision(change.before).template, _revision(change.after))

    def read_back(self, platform: Platform, change: Change, key: str) -> None:  # noqa: ARG002
        """Raise ActionFailed unless the Deployment has that template now."""
        _require(_deployments(platform), change.target, _revision(change.after))

    def measure(self, platform: Platform, change: Change, key: str) -> Effect | Going:  # noqa: ARG002
        """Return how far the rollout is, or what its ready pods really run; ActionFailed when it is stuck or others run."""
        return patiently(lambda: self._measured(platform, change))

    def _measured(self, platform: Platform, change: Change) -> Effect | Going:
        on, wanted = _deployments(platform), _revision(change.after)
        seen = on.rollout(change.target)
        if seen.template != wanted.template:
            raise WorldMoved(f"Somebody else has rolled out something else to {change.target} meanwhile.")
        going = not_yet(seen, change.step)
        if going is not None:
            return going
        pods = on.pods(change.target)
        _all_from(pods, wanted, change.target)
        return Effect(pods_words(pods), {"ready": sum(group.ready for group in pods), "images": list(wanted.images)})

    def blast(self, changes: Sequence[Change]) -> str:
        """Say that everything is replaced."""
        return f"replaces every pod of {changes[0].target} by one of an earlier template, old ones only as new ones become ready"

    def undo(self, platform: Platform, change: Change, key: str) -> str:  # noqa: ARG002
        """Put the template of before back; WorldMoved where somebody else has rolled out another one."""
        on, before = _deployments(platform), _revision(change.before)
        on.roll_to(change.target, _revision(change.after).template, before)
        _require(on, change.target, before)
        return f"The template of {before.words} was put back and read back; Kubernetes rolls it out."


def _wanted(revisions: Sequence[Revision], now: Revision, asked: str, step: str) -> Revision:
    others = [revision for revision in revisions if revision.template != now.template]
    if asked == PREVIOUS:
        found = [revision for revision in others if revision.number < now.number]
    elif asked.isascii() and asked.isdigit():
        found = [revision for revision in others if str(revision.number) == asked.lstrip("0")]
    else:
        raise ConfigError(f"Step '{step}': the revision must be a number, or 'previous'.")
    if not found:
        kept = ", ".join(revision.words for revision in others) or "none"
        raise NotFound(f"Kubernetes keeps no such other revision to go back to; it keeps: {kept}.")
    return found[0]


def _all_from(pods: Sequence[Pods], wanted: Revision, target: str) -> None:
    if not pods or any(group.replica_set != wanted.replica_set for group in pods):
        raise ActionFailed(f"{target} was rolled back to {wanted.words}, but really {pods_words(pods)}.")


def _require(on: Deployments, target: str, wanted: Revision) -> None:
    if on.rollout(target).template != wanted.template:
        raise ActionFailed(f"{target} was rolled back to {wanted.words}, but its Deployment has another template.")


def _revision(state: Json) -> Revision:
    images: Sequence[object] = state["images"]  # type: ignore[assignment]
    return Revision(str(state["replica_set"]), int(str(state["number"])), str(state["template"]), tuple(map(str, images)))


def _deployments(platform: Platform) -> Deployments:
    return deployments(platform, "undo_rollout")


undo_rollout = UndoRollout("undo_rollout")
