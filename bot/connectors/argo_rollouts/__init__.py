"""Argo Rollouts as a traffic splitter: what goes on is aborted, promoted, or moved to a weight at which its own steps wait.

What its controller does by its source (August 2026), and what follows. After an abort the template still names the new version, and
whoever retries goes there again: the template is put back too, which also ends the abort. A new template takes every order in the
status back, so an earlier version is promoted only once its template was taken up. Weights come from the steps alone, so no
other share can be had; a pause that was already left is skipped unless `controllerPause` is taken back with it.

Nothing counts requests there, so nothing is measured: the bot waits until the Rollout itself says that it routes so.
None of this has met a real cluster: the tests' API server is a fake with a controller after that source.
"""

import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import Field

from bot.connectors.argo_rollouts.state import AT_STEP, HEALTHY, PAUSED, Kept, Seen, seen
from bot.connectors.kubernetes.access import ACCESS, Name, Routing, Target, routing
from bot.connectors.kubernetes.api import JSON_PATCH, Api, Right
from bot.connectors.kubernetes.papers import Paper, at, rows, template, text
from bot.core.deployments import NotNow
from bot.core.errors import ActionFailed, NotFound, WorldMoved
from bot.core.models import Split, same_split, servable, split_words
from bot.core.ports import ConnectorKind
from bot.core.routers import NoWay

GROUP = "argoproj.io"
GET = Right("get", GROUP, "rollouts", version="v1alpha1")
PATCH = Right("patch", GROUP, "rollouts", version="v1alpha1")
STATUS = Right("patch", GROUP, "rollouts", "status", version="v1alpha1")
REPLICA_SETS = Right("list", "apps", "replicasets")
RIGHTS = (GET, PATCH, STATUS, REPLICA_SETS)
TRIES = 5
TAKEN_UP_S, LOOK_S = 20.0, 0.5


class Place(Target):
    """The Rollout that serves a model."""

    called: Name = Field(alias="rollout")


class Options(Routing):
    """The section of `aiops.yaml`."""

    targets: Annotated[dict[str, Place], Field(min_length=1)]


class ArgoRollouts:
    """Implements `Router`; `targets` maps a model to the namespace and name of its Rollout. `sleep` is given by tests."""

    name = "argo_rollouts"
    grain = 100
    at_once = True

    def __init__(
        self,
        api: Api,
        targets: Mapping[str, tuple[str, str]],
        label: str = "",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api, self._targets, self._label, self._sleep = api, targets, label, sleep

    def split(self, target: str) -> Split:
        """Return the shares that the Rollout's router works with, or where it has none, those of its pods."""
        return self._routed(target, self._seen(target))

    def ordered(self, target: str) -> Split:
        """Return the shares that were asked for."""
        now = self._seen(target)
        return _named(now, now.ordered)

    def settling(self, target: str) -> str:
        """Return in words why it does not route as ordered yet; empty where it does."""
        now = self._seen(target)
        routed, ordered = self._routed(target, now), _named(now, now.ordered)
        if not now.observed:
            return "Argo Rollouts has not taken up the newest order yet"
        if now.held:
            return "it is paused by hand (spec.paused)"
        if not same_split(routed, ordered):
            return f"it still serves {split_words(routed)}, {now.standing}"
        if not now.verified:
            return "its router has not confirmed the weights yet"
        between = now.going and 0 < now.weight < now.most
        rests = (now.phase, now.message) == (PAUSED, AT_STEP) if between else now.phase == HEALTHY
        return "" if rests else f"it is {now.standing}"

    def check(self, target: str, split: Split) -> None:
        """Raise NoWay where its steps know no such share, ActionFailed or WorldMoved where it could not be asked for now."""
        self._order(target, self._seen(target), split)

    def set_split(self, target: str, split: Split, key: str) -> None:  # noqa: ARG002 - absolute, so a repetition changes nothing
        """Abort and put the template back, promote, or go to the step that sets this weight; whatever leads to these shares."""
        self._order(target, self._seen(target), split)()

    def versions(self, target: str) -> list[str]:
        """Return the versions between which traffic can be moved, the older one first."""
        return list(_names(self._seen(target)).values())

    def missing(self, target: str) -> list[str]:
        """Return what the bot may not do in the model's namespace although it needs it, as a Role writes it."""
        namespace, rollout = self._place(target)
        return [r.words for r in RIGHTS if not self._api.may(r, namespace, "" if r is REPLICA_SETS else rollout)]

    def where(self, target: str) -> str:
        """Return which Rollout serves the model, for people."""
        return f"Rollout {'/'.join(self._place(target))}"

    def close(self) -> None:
        """Close idle connections."""
        self._api.close()

    def _order(self, target: str, now: Seen, split: Split) -> Callable[[], None]:
        """Return the call that leads to these shares."""
        names = _names(now)
        strangers = [version for version, share in split.items() if share and version not in names.values()]
        if strangers:
            known = ", ".join(names.values())
            raise WorldMoved(f"{strangers[0]} is none of the versions that {self.where(target)} can be moved to now: {known}.")
        if now.held:
            raise ActionFailed(f"{self.where(target)} is paused by hand (spec.paused), so it does nothing; resume it first.")
        if not now.observed:
            raise NotNow(f"{self.where(target)} has not taken up what somebody ordered just now; look again in a moment.")
        shares = servable(target, {version: share for version, share in split.items() if version in names.values()}, names.values())
        alone = next((kept for kept in now.revisions if shares[names[kept.hash]] == 1.0), None)
        if alone is not None:
            return lambda: self._whole(target, now, alone)
        return self._part(target, now, shares[names[now.newest.hash]])

    def _whole(self, target: str, now: Seen, wanted: Kept) -> None:
        """Give everything to one version."""
        if wanted.hash == now.stable.hash:
            if now.going and not now.aborted:
                self._tell(target, {"abort": True})
            if now.going or now.template != wanted.template:
                self._put(target, now, wanted)
            return
        if wanted.hash != now.newest.hash:
            self._put(target, now, wanted)
            self._taken_up(target, wanted)
        if not now.promoting:
            self._tell(target, {"promoteFull": True})

    def _part(self, target: str, now: Seen, share: float) -> Callable[[], None]:
        """Return the call that goes to the step which sets this weight and then waits."""
        halts = {weight / now.most: step for weight, step in now.halts.items()} if now.exact else {}
        step = next((step for halt, step in halts.items() if abs(halt - share) < 1e-6), None)
        if not now.going or step is None:
            known = ", ".join(map(_percent, sorted(halts))) or "none"
            why = f"its steps wait at: {known}" if now.going else "no rollout goes on there"
            wanted = f"{self.where(target)} cannot give {_percent(share)} to {_names(now)[now.newest.hash]}"
            raise NoWay(f"{wanted} ({why}); switch it over to one version as a whole.")
        if now.aborted or now.promoting:
            raise NoWay(f"{self.where(target)} is being aborted or promoted, so it takes no other weight.")
        if now.index in (step, step + 1):
            return lambda: None
        return lambda: self._tell(target, {"currentStepIndex": step, "pauseConditions": None, "controllerPause": False})

    def _put(self, target: str, now: Seen, wanted: Kept) -> None:
        """Put a kept template in place of the one in use, unless somebody else has put another there meanwhile."""
        namespace, rollout = self._place(target)
        for _ in range(TRIES):
            paper = self._rollout(target)
            here = self._seen(target, paper)
            if here.template == wanted.template:
                return
            if here.template != now.template:
                raise WorldMoved(f"Somebody else has put another template into {self.where(target)} meanwhile.")
            patch: list[dict[str, Any]] = [
                {"op": "replace", "path": "/metadata/resourceVersion", "value": here.version},
                {"op": "replace", "path": "/spec/template", "value": template(wanted.paper)},
            ]
            if self._api.patch(PATCH, namespace, rollout, patch, JSON_PATCH):
                return
        raise ActionFailed(f"{self.where(target)} changed at each of {TRIES} tries to write it; look who else is changing it.")

    def _taken_up(self, target: str, wanted: Kept) -> None:
        """Wait until the controller works on this template: an order that came before that would be forgotten.

        An abort has to wait for it, too: of an order given by half nobody could tell whose it is.
        """
        for _ in range(round(TAKEN_UP_S / LOOK_S)):
            now = self._seen(target)
            if now.observed and now.newest.hash == wanted.hash:
                return
            self._sleep(LOOK_S)
        raise ActionFailed(f"{self.where(target)} has not taken up the template of {wanted.words} in {TAKEN_UP_S:.0f} s.")

    def _tell(self, target: str, status: Mapping[str, object]) -> None:
        self._api.patch(STATUS, *self._place(target), {"status": status})

    def _routed(self, target: str, now: Seen) -> Split:
        total = sum(now.routed.values())
        if not total:
            raise NotNow(f"{self.where(target)} has no pod that is available, {now.standing}.")
        return _named(now, {hashed: weight / total for hashed, weight in now.routed.items()})

    def _seen(self, target: str, paper: Paper | None = None) -> Seen:
        paper = paper or self._rollout(target)
        labels = at(paper, "spec", "selector", "matchLabels")
        selector = ",".join(f"{name}={value}" for name, value in (labels if isinstance(labels, dict) else {}).items())
        asked = {"labelSelector": selector} if selector else {}
        sets = list(rows(self._api.read(REPLICA_SETS, self._place(target)[0], **asked), "items"))
        return seen(self.where(target), paper, sets, self._label)

    def _rollout(self, target: str) -> Paper:
        namespace, rollout = self._place(target)
        paper = self._api.read(GET, namespace, rollout)
        if paper.get("kind") != "Rollout" or text(paper, "metadata", "name") != rollout:
            raise ActionFailed(f"Kubernetes answered with something else than the Rollout '{rollout}'.")
        return paper

    def _place(self, target: str) -> tuple[str, str]:
        if target not in self._targets:
            raise NotFound(f"No Rollout is named for '{target}'; known: {', '.join(sorted(self._targets))}.")
        return self._targets[target]


def _names(now: Seen) -> dict[str, str]:
    """Return what people call each version, by its hash; of several alike, the newest bears the label alone."""
    said: dict[str, str] = {}
    for kept in reversed(now.revisions):
        said[kept.hash] = f"{kept.words} ({kept.name})" if kept.words in said.values() else kept.words
    return dict(reversed(said.items()))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _named(now: Seen, shares: Mapping[str, float]) -> dict[str, float]:
    names = {**_names(now), **{hashed: hashed for hashed in shares if hashed not in _names(now)}}
    return {words: shares.get(hashed, 0.0) for hashed, words in names.items()}


def make(options: Mapping[str, object]) -> ArgoRollouts:
    """Build it from its section of the configuration.

    Raises:
        ConfigError: an option is missing or wrong, or the bot does not run in a cluster and no `url` says where one is.
    """
    return ArgoRollouts(*routing(options, Options, of="Connector argo_rollouts"))


argo_rollouts = ConnectorKind(
    name="argo_rollouts",
    make=make,
    options={
        "targets": "for each model: rollout, namespace",
        "version_label": "label of the pod template that names its version as the log does; without it, its ReplicaSet's name",
        **ACCESS,
    },
    summary="Argo Rollouts by canary: aborted with the template put back, promoted, or moved between its own steps; never counted",
)
