"""Kubernetes Deployments: restarted, scaled and rolled back through the API server, over plain HTTP.

Three things that a cluster does by its documentation, and what follows. Every status update makes a new version of the object, so a
write that was refused for that (409) is tried again after reading anew, as long as what matters stands as planned. A Deployment
that was stuck says so for a while after it was rolled back, so that word counts only when it names the ReplicaSet in use. A pod on
its way out stays ready for a while, so it is not counted.

None of this has met a real cluster: the tests' API server is a fake that the real `kubectl` is content with.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from bot import validation
from bot.connectors.kubernetes import papers
from bot.connectors.kubernetes.access import ACCESS, Access, Name, reached
from bot.connectors.kubernetes.api import JSON_PATCH, MERGE, Api, Right
from bot.connectors.kubernetes.papers import Paper, at, rows, text
from bot.core.deployments import Pods, Revision, Rollout
from bot.core.errors import ActionFailed, ConfigError, NotFound, WorldMoved
from bot.core.ports import ConnectorKind
from bot.validation import Part

GET, PATCH = Right("get", "apps", "deployments"), Right("patch", "apps", "deployments")
SCALE = Right("patch", "apps", "deployments", "scale")
REPLICA_SETS, PODS = Right("list", "apps", "replicasets"), Right("list", "", "pods")
AUTOSCALERS = Right("list", "autoscaling", "horizontalpodautoscalers", version="v2")
RIGHTS = (GET, PATCH, SCALE, REPLICA_SETS, PODS, AUTOSCALERS)
TRIES = 5


class Target(Part):
    """The Deployment that serves a model, and how many replicas it may have."""

    deployment: Name
    namespace: Name | None = None
    least: int = Field(default=1, ge=0)
    most: int = Field(default=10, ge=1)


class Options(Access):
    """The section of `aiops.yaml`."""

    targets: Annotated[dict[str, Target], Field(min_length=1)]


class Kubernetes:
    """Implements `Deployments`."""

    name = "kubernetes"

    def __init__(self, api: Api, targets: Mapping[str, tuple[str, Target]]) -> None:
        self._api, self._targets = api, targets

    def rollout(self, target: str) -> Rollout:
        """Return where the model's Deployment stands."""
        paper = self._deployment(target)
        seen = papers.rollout(paper)
        return replace(seen, failed="") if seen.failed and self._of_before(target, paper, seen.failed) else seen

    def revisions(self, target: str) -> Sequence[Revision]:
        """Return its templates, the one in use first, then the newest."""
        paper = self._deployment(target)
        inuse = papers.digest(papers.template(paper))
        found = [papers.revision(row) for row in self._replica_sets(target, paper)]
        found.sort(key=lambda revision: (revision.template == inuse, revision.number), reverse=True)
        if not found or found[0].template != inuse:
            raise ActionFailed(f"Kubernetes has not taken up the newest order for {target} yet; look again in a moment.")
        return found

    def pods(self, target: str) -> Sequence[Pods]:
        """Return what really runs: its ready pods, by ReplicaSet, with the images of the template's own containers."""
        paper = self._deployment(target)
        sets = {text(row, "metadata", "uid"): text(row, "metadata", "name") for row in self._replica_sets(target, paper)}
        own = {row.get("name") for row in rows(papers.template(paper), "spec", "containers")}
        counted: Counter[tuple[str, tuple[str, ...]]] = Counter()
        for pod in self._listed(target, paper, PODS):
            home = [name for uid, name in sets.items() if papers.owned(pod, "ReplicaSet", uid)]
            if home and papers.ready(pod):
                mine = [row for row in rows(pod, "spec", "containers") if row.get("name") in own]  # others were injected
                counted[home[0], papers.images({"spec": {"containers": mine}})] += 1
        return [Pods(name, images, n) for (name, images), n in sorted(counted.items())]

    def limits(self, target: str) -> tuple[int, int]:
        """Return the least and the most replicas that the configuration lets it have."""
        _, place = self._place(target)
        return place.least, place.most

    def autoscaler(self, target: str) -> str:
        """Return in words what else sets its replicas; empty where nothing does."""
        namespace, place = self._place(target)
        for row in rows(self._api.read(AUTOSCALERS, namespace), "items"):
            owned = at(row, "spec", "scaleTargetRef")
            if at(owned, "kind") == "Deployment" and at(owned, "name") == place.deployment:
                least, most = papers.count(row, "spec", "minReplicas", default=1), papers.count(row, "spec", "maxReplicas")
                return f"the autoscaler '{text(row, 'metadata', 'name')}' ({least} to {most})"
        return ""

    def stamp(self, target: str, template: str, stamp: str) -> None:
        """Stamp this template: a new stamp replaces every pod, the earlier one takes the earlier pods again; "" is none."""

        def stamped(paper: Paper) -> object:
            if papers.stamp(paper) == stamp:
                return None
            _require(target, papers.digest(papers.template(paper)) == template, "another pod template")
            return {"spec": {"template": {"metadata": {"annotations": {papers.STAMP: stamp or None}}}}}

        self._change(target, PATCH, stamped)

    def scale(self, target: str, before: int, after: int) -> None:
        """Set how many replicas are wanted."""

        def scaled(paper: Paper) -> object:
            now = papers.rollout(paper).wanted
            if now == after:
                return None
            _require(target, now == before, f"{now} replicas")
            return {"spec": {"replicas": after}}

        self._change(target, SCALE, scaled)

    def roll_to(self, target: str, template: str, revision: Revision) -> None:
        """Take an earlier revision's template in place of this one."""

        def rolled(paper: Paper) -> object:
            now = papers.digest(papers.template(paper))
            if now == revision.template:
                return None
            _require(target, now == template, "another pod template")
            kept = [papers.template(row) for row in self._replica_sets(target, paper) if _keeps(row, revision)]
            if not kept:
                raise NotFound(f"Kubernetes no longer keeps {revision.words} of {target}, so there is nothing to go back to.")
            return kept[0]

        self._change(target, PATCH, rolled, whole=True)

    def missing(self, target: str) -> list[str]:
        """Return what the bot may not do in the model's namespace although its actions need it, as a Role writes it."""
        namespace, place = self._place(target)
        return [r.words for r in RIGHTS if not self._api.may(r, namespace, "" if r.verb == "list" else place.deployment)]

    def where(self, target: str) -> str:
        """Return which Deployment serves the model, for people."""
        namespace, place = self._place(target)
        return f"Deployment {namespace}/{place.deployment}"

    def close(self) -> None:
        """Close idle connections."""
        self._api.close()

    def _change(self, target: str, right: Right, wanted: Callable[[Paper], object], *, whole: bool = False) -> None:
        """Write what is wanted of the object just read; where it changed meanwhile, read and decide anew."""
        namespace, place = self._place(target)
        for _ in range(TRIES):
            paper = self._deployment(target)
            body = wanted(paper)
            if body is None:
                return
            version = text(paper, "metadata", "resourceVersion")
            patch = _replacing(version, body) if whole else {"metadata": {"resourceVersion": version}, **dict(body)}  # type: ignore[call-overload]
            if self._api.patch(right, namespace, place.deployment, patch, JSON_PATCH if whole else MERGE):
                return
        raise ActionFailed(
            f"The Deployment of {target} changed at each of {TRIES} tries to write it; look who else is changing it."
        )

    def _deployment(self, target: str) -> Paper:
        namespace, place = self._place(target)
        paper = self._api.read(GET, namespace, place.deployment)
        if paper.get("kind") != "Deployment" or text(paper, "metadata", "name") != place.deployment:
            raise ActionFailed(f"Kubernetes answered with something else than the Deployment '{place.deployment}'.")
        return paper

    def _replica_sets(self, target: str, paper: Paper) -> list[Paper]:
        uid = text(paper, "metadata", "uid")
        return [row for row in self._listed(target, paper, REPLICA_SETS) if papers.owned(row, "Deployment", uid)]

    def _listed(self, target: str, paper: Paper, right: Right) -> list[Paper]:
        labels = at(paper, "spec", "selector", "matchLabels")
        selector = ",".join(f"{name}={value}" for name, value in (labels if isinstance(labels, dict) else {}).items())
        asked = {"labelSelector": selector} if selector else {}
        return list(rows(self._api.read(right, self._place(target)[0], **asked), "items"))

    def _of_before(self, target: str, paper: Paper, said: str) -> bool:
        """Return whether a complaint speaks of a ReplicaSet that is no longer in use."""
        exact = papers.template(paper)
        sets = self._replica_sets(target, paper)
        current = {text(row, "metadata", "name") for row in sets if papers.template(row) == exact}
        named = {name for row in sets if f'"{(name := text(row, "metadata", "name"))}"' in said}
        return bool(named) and not named & current

    def _place(self, target: str) -> tuple[str, Target]:
        if target not in self._targets:
            raise NotFound(f"No Deployment is named for '{target}'; known: {', '.join(sorted(self._targets))}.")
        return self._targets[target]


def _require(target: str, stands: bool, what: str) -> None:  # noqa: FBT001
    if not stands:
        raise WorldMoved(f"{target} has {what} by now, set by somebody else.")


def _keeps(row: Paper, revision: Revision) -> bool:
    found = papers.revision(row)
    return (found.replica_set, found.template) == (revision.replica_set, revision.template)


def _replacing(version: str, template: object) -> list[dict[str, Any]]:
    """A JSON patch: merging would leave what only the newer template has."""
    return [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
        {"op": "replace", "path": "/spec/template", "value": template},
    ]


def make(options: Mapping[str, object]) -> Kubernetes:
    """Build it from its section of the configuration.

    Raises:
        ConfigError: an option is missing or wrong, or the bot does not run in a cluster and no `url` says where one is.
    """
    read = validation.options(options, Options, of="Connector kubernetes")
    wrong = next((name for name, place in read.targets.items() if place.least > place.most), None)
    if wrong is not None:
        raise ConfigError(f"Connector kubernetes: `least` of {wrong} is above its `most`.")
    api, home = reached(read, of="Connector kubernetes")
    return Kubernetes(api, {name: (place.namespace or home, place) for name, place in read.targets.items()})


kubernetes = ConnectorKind(
    name="kubernetes",
    make=make,
    options={
        "targets": "for each model: deployment, namespace, and how many replicas it may have: least (1), most (10)",
        **ACCESS,
    },
    summary="Kubernetes Deployments, restarted, scaled and rolled back through the API server",
)
