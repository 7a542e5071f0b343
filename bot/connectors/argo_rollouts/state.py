"""Where a Rollout stands, read from it and from its ReplicaSets, as the controller and its `kubectl` plug-in understand them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.connectors.kubernetes.api import line
from bot.connectors.kubernetes.papers import Paper, at, count, digest, owned, rows, template, text
from bot.core.errors import ActionFailed

HASH = "rollouts-pod-template-hash"
REVISION = "rollout.argoproj.io/revision"
WHOLE = 100
HEALTHY, PAUSED = "Healthy", "Paused"
AT_STEP = "CanaryPauseStep"
"""Why it is paused where one of its own steps says so; an analysis without a verdict pauses it for another reason."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A pod template that a Rollout has had, and the ReplicaSet that keeps it, by its hash; `label` is its version, if any."""

    hash: str
    name: str
    number: int
    template: str
    label: str
    available: int
    paper: Paper

    @property
    def words(self) -> str:
        """What people call it."""
        return self.label or self.name


@dataclass(frozen=True, slots=True)
class Seen:
    """A Rollout: the stable version and the one of its template, the same where nothing goes on; `older` could be gone back to.

    `index` is the step it is at, `weight` what was ordered for the newer version, of `most`; `routed` the weight or the pods that
    each hash has by now. `exact`: a router shares traffic, so a share of it can be had; `held`: somebody has paused it by hand.
    """

    stable: Kept
    newest: Kept
    older: tuple[Kept, ...]
    steps: Sequence[Paper]
    index: int
    most: int
    routed: Mapping[str, int]
    exact: bool
    aborted: bool
    promoting: bool
    observed: bool
    verified: bool
    held: bool
    template: str
    phase: str
    message: str
    version: str

    @property
    def going(self) -> bool:
        """Whether two versions are there: a rollout goes on, or was aborted and its template not put back."""
        return self.newest.hash != self.stable.hash

    @property
    def revisions(self) -> tuple[Kept, ...]:
        """Those between which traffic can be moved, older ones first; of one that goes on, only its two."""
        return (self.stable, self.newest) if self.going else (*self.older, self.stable)

    @property
    def weight(self) -> int:
        """The weight of the newer version that was ordered, of `most`: GetCurrentSetWeight of the controller."""
        if self.aborted:
            return 0
        if self.promoting or self.index >= len(self.steps):
            return self.most
        weights = (at(step, "setWeight") for step in reversed(self.steps[: self.index + 1]))
        return next((weight for weight in weights if isinstance(weight, int)), 0)

    @property
    def ordered(self) -> Mapping[str, float]:
        """The share of each hash that was ordered."""
        if not self.going:
            return {self.stable.hash: 1.0}
        return {self.stable.hash: 1 - self.weight / self.most, self.newest.hash: self.weight / self.most}

    @property
    def halts(self) -> Mapping[int, int]:
        """The weights at which its steps wait until somebody goes on → the index of the step that sets them."""
        pairs = zip(self.steps, self.steps[1:], range(len(self.steps)), strict=False)
        return {step["setWeight"]: n for step, after, n in pairs if _sets(step) and _waits(after)}

    @property
    def standing(self) -> str:
        """Its phase and what it says of it, for people."""
        return f"{self.phase.lower()}{f' ({self.message})' if self.message else ''}"


def _sets(step: Paper) -> bool:
    return isinstance(at(step, "setWeight"), int)


def _waits(step: Paper) -> bool:
    return "pause" in step and not at(step, "pause", "duration")


def seen(where: str, paper: Paper, papers: Sequence[Paper], label: str) -> Seen:
    """Return where the Rollout stands.

    Raises:
        ActionFailed: it is of a kind that the bot does not move, or does not say what it runs.
    """
    _movable(where, paper)
    uid = text(paper, "metadata", "uid")
    kept = {one.hash: one for one in (_kept(row, label) for row in papers if owned(row, "Rollout", uid)) if one is not None}
    stable, newest = kept.get(line(at(paper, "status", "stableRS"))), kept.get(line(at(paper, "status", "currentPodHash")))
    if stable is None or newest is None:
        raise ActionFailed(f"{where} has no stable version yet; look again when its first rollout has ended.")
    others = [one for one in kept.values() if one.number < stable.number and one.template != stable.template]
    canary = at(paper, "spec", "strategy", "canary")
    exact, weights = bool(at(canary, "trafficRouting")), at(paper, "status", "canary", "weights")
    return Seen(
        stable=stable,
        newest=newest,
        older=tuple(sorted(others, key=lambda one: one.number)),
        steps=list(rows(canary, "steps")),
        index=count(paper, "status", "currentStepIndex"),
        most=count(canary, "trafficRouting", "maxTrafficWeight") or WHOLE,
        routed=_weights(weights) if weights else _pods(kept.values(), stable if exact else None),
        exact=exact,
        aborted=at(paper, "status", "abort") is True,
        promoting=at(paper, "status", "promoteFull") is True,
        observed=_observed(paper),
        verified=at(weights, "verified") is not False,
        held=at(paper, "spec", "paused") is True,
        template=digest(template(paper)),
        phase=line(at(paper, "status", "phase")) or "of unknown phase",
        message=line(at(paper, "status", "message")),
        version=text(paper, "metadata", "resourceVersion"),
    )


def _movable(where: str, paper: Paper) -> None:
    if at(paper, "spec", "workloadRef"):
        raise ActionFailed(f"{where} takes its template from another object (workloadRef), which the bot does not change.")
    if not isinstance(at(paper, "spec", "strategy", "canary"), dict):
        raise ActionFailed(f"{where} does not roll out by canary; the bot moves traffic of that strategy only.")


def _kept(row: Paper, label: str) -> Kept | None:
    hashed = line(at(row, "metadata", "labels", HASH))
    if not hashed:
        return None
    number = line(at(row, "metadata", "annotations", REVISION))
    return Kept(
        hash=hashed,
        name=text(row, "metadata", "name"),
        number=int(number[:9]) if number.isascii() and number.isdigit() else 0,
        template=digest(template(row)),
        label=line(at(row, "spec", "template", "metadata", "labels", label)) if label else "",
        available=count(row, "status", "availableReplicas"),
        paper=row,
    )


def _weights(found: Paper) -> dict[str, int]:
    weights: dict[str, int] = {}
    for row in (at(found, "canary"), at(found, "stable"), *rows(found, "additional")):
        hashed = line(at(row, "podTemplateHash"))
        weights[hashed] = weights.get(hashed, 0) + count(row, "weight")
    return weights


def _pods(kept: Iterable[Kept], alone: Kept | None) -> dict[str, int]:
    """Return who gets traffic where nobody has set a weight: the stable one `alone` behind a router, else each by its pods."""
    return {one.hash: one.available for one in kept if one.available and alone in (None, one)}


def _observed(paper: Paper) -> bool:
    """Return whether the controller has seen the newest order; it writes the generation as text."""
    told = line(at(paper, "status", "observedGeneration"))
    taken = not told.isascii() or not told.isdigit() or int(told[:18]) >= count(paper, "metadata", "generation")
    unpausing = at(paper, "status", "controllerPause") is True and not list(rows(paper, "status", "pauseConditions"))
    return taken and not unpausing
