"""Kubernetes Deployments: restarted, scaled and rolled back through the API server, over plain HTTP.

Three things that a cluster does by its documentation, and what follows. Every status update makes a new version of the object, so a
write that was refused for that (409) is tried again after reading anew, as long as what matters stands as planned. A Deployment
that was stuck says so for a while after it was rolled back, so that word counts only when it names the ReplicaSet in use. A pod on
its way out stays ready for a while, so it is not counted.

None of this has met a real cluster: the tests' API server is a fake that the real `kubectl` is content with.
"""

import os
import ssl
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from bot import validation
from bot.connectors.kubernetes import papers
from bot.connectors.kubernetes.api import JSON_PATCH, MERGE, Api, Right
from bot.connectors.kubernetes.papers import Paper, at, rows, text
from bot.core.deployments import Pods, Revision, Rollout
from bot.core.errors import ActionFailed, ConfigError, NotFound, WorldMoved
from bot.core.ports import ConnectorKind
from bot.http import Allowed, Http

MOUNTED = Path("/var/run/secrets/kubernetes.io/serviceaccount")
GET, PATCH = Right("get", "apps", "deployments"), Right("patch", "apps", "deployments")
SCALE = Right("patch", "apps", "deployments", "scale")
REPLICA_SETS, PODS = Right("list", "apps", "replicasets"), Right("list", "", "pods")
AUTOSCALERS = Right("list", "autoscaling", "horizontalpodautoscalers")
RIGHTS = (GET, PATCH, SCALE, REPLICA_SETS, PODS, AUTOSCALERS)
TRIES = 5
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]{0,250}[a-z0-9])?$")]


class Part(BaseModel):
    """Any part of the section."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Target(Part):
    """The Deployment that serves a model, and how many replicas it may have."""

    deployment: Name
    namespace: Name | None = None
    least: int = Field(default=1, ge=0)
    most: int = Field(default=10, ge=1)


class Options(Part):
    """The section of `aiops.yaml`; without `url` the bot's own service account in the cluster is used."""

    targets: Annotated[dict[str, Target], Field(min_length=1)]
    url: str = ""
    token: str = ""
    token_file: str = ""
    ca: str = ""
    namespace: Name | None = None
    timeout: float = Field(default=10.0, gt=0, le=60)


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
    inside = not read.url
    url = read.url or _own_cluster()
    token_file = read.token_file or (str(MOUNTED / "token") if inside and not read.token else "")
    _sealed(url, bool(read.token or token_file))
    http = Http(Allowed.of(url), deadline_s=read.timeout, tls=_trust(read.ca or (str(MOUNTED / "ca.crt") if inside else "")))
    home = read.namespace or (_read(MOUNTED / "namespace") if inside else "default")
    places = {name: (place.namespace or home, place) for name, place in read.targets.items()}
    return Kubernetes(Api(url, http, lambda: _read(Path(token_file)) if token_file else read.token), places)


def _own_cluster() -> str:
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST", ""), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise ConfigError("Connector kubernetes: the bot does not run in a cluster, so `url` must say where the API server is.")
    return f"https://{f'[{host}]' if ':' in host else host}:{port}"


def _sealed(url: str, token: bool) -> None:  # noqa: FBT001
    parts = urlsplit(url)
    if token and parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise ConfigError("Connector kubernetes: a token is sent over https:// only; correct `url`.")


def _trust(ca: str) -> ssl.SSLContext:
    """What a server's certificate must be signed by: this file's authorities only, or this machine's usual ones."""
    try:
        return ssl.create_default_context(cafile=ca or None)
    except (OSError, ValueError):  # an SSLError is an OSError
        raise ConfigError(f"Connector kubernetes: {ca} holds no certificate authority that can be read; name a PEM file.") from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        raise ConfigError(f"Connector kubernetes: {path} cannot be read; is the service account's token mounted?") from None


kubernetes = ConnectorKind(
    name="kubernetes",
    make=make,
    options={
        "targets": "for each model: deployment, namespace, and how many replicas it may have: least (1), most (10)",
        "url": "the API server, e.g. https://10.0.0.1:6443; without it, the cluster in which the bot itself runs",
        "token": "a service account's token, named: ${file:…} or ${env:…}",
        "token_file": "instead of token: a file with it that is read at each call, for tokens that are replaced",
        "ca": "file with the certificate authority of the API server",
        "namespace": "where Deployments lie whose target names none; in a cluster the bot's own, else default",
        "timeout": "seconds that one call may take, whole; 10 by default",
    },
    summary="Kubernetes Deployments, restarted, scaled and rolled back through the API server",
)
