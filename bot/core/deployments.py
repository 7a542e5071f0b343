"""Deployments: replicated servers of a model, whose pods come from one template, and the platforms that roll them out.

A template is known by its digest, never copied into a plan: templates hold settings and sometimes secrets, and the platform itself
keeps every earlier one (a ReplicaSet) to go back to. Stamps that only restart pods are no part of the digest.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from bot.core.actions import Effect, Going, Json, Platform
from bot.core.errors import ActionFailed, ConfigError


class NotNow(ActionFailed):
    """The platform cannot be asked at this moment; that says nothing about what it does."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A pod template that a Deployment has had, and the ReplicaSet that keeps it."""

    replica_set: str
    number: int
    template: str
    images: tuple[str, ...]

    @property
    def words(self) -> str:
        """Its images and number, for people."""
        return f"{', '.join(self.images)} (revision {self.number})"

    @property
    def snapshot(self) -> Json:
        """What a plan keeps of it."""
        return {**asdict(self), "images": list(self.images)}


@dataclass(frozen=True, slots=True)
class Rollout:
    """Where a Deployment stands: pods wanted, made from the newest template, there at all, and available.

    `observed`: its controller has seen the newest order; `paused`: it rolls nothing out; `failed`: why it has given up, in words;
    `trouble`: what keeps it from making pods just now.
    """

    template: str
    stamp: str
    wanted: int
    updated: int
    total: int
    available: int
    observed: bool = True
    paused: bool = False
    failed: str = ""
    trouble: str = ""

    @property
    def done(self) -> bool:
        """Whether all pods that are wanted, and no others, come from the newest template and are available."""
        return self.observed and self.updated == self.total == self.available == self.wanted

    @property
    def words(self) -> str:
        """How far it is."""
        if not self.observed:
            return "the order was not taken up yet"
        old = self.total - self.updated
        parts = [f"{self.updated} of {self.wanted} replicas are new, {self.available} available"]
        return ", ".join([*parts, *([f"{old} old"] if old > 0 else []), *([self.trouble] if self.trouble else [])])


@dataclass(frozen=True, slots=True)
class Pods:
    """Pods that are ready and come from one ReplicaSet, with the images that they really run."""

    replica_set: str
    images: tuple[str, ...]
    ready: int


class Deployments(Platform, Protocol):
    """Rolls out replicated servers.

    Every write is from → to: it changes nothing that already stands at "to", and raises WorldMoved where somebody else has moved it
    away from "from". All raise ActionFailed, and writes OutcomeUnknown when they were cut off.
    """

    def rollout(self, target: str) -> Rollout:
        """Return where the model's Deployment stands."""
        ...

    def revisions(self, target: str) -> Sequence[Revision]:
        """Return its templates, the one in use first, then the newest."""
        ...

    def pods(self, target: str) -> Sequence[Pods]:
        """Return what really runs: its ready pods, by ReplicaSet."""
        ...

    def limits(self, target: str) -> tuple[int, int]:
        """Return the least and the most replicas that the configuration lets it have."""
        ...

    def autoscaler(self, target: str) -> str:
        """Return in words what else sets its replicas; empty where nothing does."""
        ...

    def stamp(self, target: str, template: str, stamp: str) -> None:
        """Stamp this template: a new stamp replaces every pod, the earlier one takes the earlier pods again; "" is none."""
        ...

    def scale(self, target: str, before: int, after: int) -> None:
        """Set how many replicas are wanted."""
        ...

    def roll_to(self, target: str, template: str, revision: Revision) -> None:
        """Take an earlier revision's template in place of this one."""
        ...


def deployments(platform: Platform, action: str) -> Deployments:
    """Return the platform as one that rolls out Deployments, or say that it does not."""
    if not hasattr(platform, "rollout"):
        raise ConfigError(f"'{platform.name}' rolls out no Deployments, so {action} cannot use it.")
    return platform  # type: ignore[return-value]


def patiently(look: Callable[[], Effect | Going]) -> Effect | Going:
    """Look; a platform that cannot be asked now is asked again at the next look, until the step's time is over."""
    try:
        return look()
    except NotNow as why:
        return Going(str(why))


def not_yet(seen: Rollout, step: str) -> Going | None:
    """Return how far a rollout is, None when it is done.

    Raises:
        ActionFailed: its platform has given up.
    """
    if seen.failed:
        raise ActionFailed(f"'{step}' failed: {seen.failed.rstrip('.')} ({seen.words}).")
    return None if seen.done else Going(seen.words)


def pods_words(pods: Sequence[Pods]) -> str:
    """Say what really runs."""
    told = [(f"{group.ready} pods run" if group.ready != 1 else "1 pod runs", ", ".join(group.images)) for group in pods]
    return "; ".join(f"{count} {images}" for count, images in told) or "no pod is ready"
