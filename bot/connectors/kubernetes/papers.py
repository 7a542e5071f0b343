"""What stands in a cluster's objects, checked before it is believed."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from bot.connectors.kubernetes.api import line
from bot.core.actions import canonical
from bot.core.deployments import Revision, Rollout
from bot.core.errors import ActionFailed

STAMP = "aiops-bot/restarted-by"
STAMPS = (STAMP, "kubectl.kubernetes.io/restartedAt")
REVISION = "deployment.kubernetes.io/revision"
POD_HASHES = ("pod-template-hash", "rollouts-pod-template-hash")
DIGEST_CHARS = 16

Paper = Mapping[str, Any]


def at(paper: object, *path: str) -> Any:
    """Return what lies there; None where nothing does."""
    for name in path:
        paper = paper.get(name) if isinstance(paper, dict) else None
    return paper


def text(paper: object, *path: str) -> str:
    """Return the text that lies there; an object without it is no object."""
    found = at(paper, *path)
    if not isinstance(found, str) or not found:
        raise ActionFailed(f"Kubernetes sent an object without {'.'.join(path)}; is it really a Kubernetes API server?")
    return found


def count(paper: object, *path: str, default: int = 0) -> int:
    """Return the number that lies there; zeros are left out of a status."""
    found = at(paper, *path)
    if found is None:
        return default
    if isinstance(found, bool) or not isinstance(found, int) or found < 0:
        raise ActionFailed(f"Kubernetes sent an object whose {'.'.join(path)} is no count; is it really a Kubernetes API server?")
    return found


def rows(paper: object, *path: str) -> Iterator[Paper]:
    """Yield the objects of a list."""
    found = at(paper, *path)
    return (row for row in (found if isinstance(found, list) else []) if isinstance(row, dict))


def template(paper: object) -> dict[str, Any]:
    """Return an object's pod template without the label that Kubernetes adds to it in a ReplicaSet."""
    found = at(paper, "spec", "template")
    if not isinstance(found, dict) or not isinstance(at(found, "spec", "containers"), list):
        raise ActionFailed("Kubernetes sent an object without a pod template; is it really a Kubernetes API server?")
    return _without(found, "labels", POD_HASHES)


def _without(found: dict[str, Any], kind: str, names: tuple[str, ...]) -> dict[str, Any]:
    """Return a template whose labels or annotations lack these names; empty ones are as good as none."""
    about = at(found, "metadata")
    about = dict(about) if isinstance(about, dict) else {}
    there = at(about, kind)
    kept = {name: value for name, value in (there if isinstance(there, dict) else {}).items() if name not in names}
    about = {name: value for name, value in about.items() if name not in (kind, "creationTimestamp")}
    return {**found, "metadata": {**about, **({kind: kept} if kept else {})}}


def digest(found: dict[str, Any]) -> str:
    """Return what tells a template from others, whatever stamps it bears; hex."""
    try:
        plain = canonical(_without(found, "annotations", STAMPS))
    except (ValueError, RecursionError):
        raise ActionFailed("Kubernetes sent a pod template that cannot be read.") from None
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_CHARS]


def stamp(paper: object) -> str:
    """Return the stamp of our last restart."""
    return str(at(paper, "spec", "template", "metadata", "annotations", STAMP) or "")


def images(found: object) -> tuple[str, ...]:
    """Return the images of a pod's or a template's containers."""
    return tuple(line(row.get("image")) or "no image" for row in rows(found, "spec", "containers"))


def revision(replica_set: Paper) -> Revision:
    """Return the revision that a ReplicaSet keeps."""
    kept, number = template(replica_set), at(replica_set, "metadata", "annotations", REVISION)
    known = isinstance(number, str) and number.isascii() and number.isdigit()
    return Revision(text(replica_set, "metadata", "name"), int(str(number)[:9]) if known else 0, digest(kept), images(kept))


def owned(row: Paper, kind: str, uid: str) -> bool:
    """Return whether the one who controls this object is that one."""
    owners = rows(row, "metadata", "ownerReferences")
    return any(owner.get("controller") is True and owner.get("kind") == kind and owner.get("uid") == uid for owner in owners)


def rollout(paper: Paper) -> Rollout:
    """Return where a Deployment stands, by its own status."""
    conditions = {str(row.get("type")): row for row in rows(paper, "status", "conditions")}
    progress, failure = conditions.get("Progressing", {}), conditions.get("ReplicaFailure", {})
    observed = count(paper, "status", "observedGeneration") >= count(paper, "metadata", "generation")
    late = observed and progress.get("reason") == "ProgressDeadlineExceeded"
    return Rollout(
        template=digest(template(paper)),
        stamp=stamp(paper),
        wanted=count(paper, "spec", "replicas", default=1),
        updated=count(paper, "status", "updatedReplicas"),
        total=count(paper, "status", "replicas"),
        available=count(paper, "status", "availableReplicas"),
        observed=observed,
        paused=at(paper, "spec", "paused") is True,
        failed=(line(progress.get("message")) or "it made no progress in time") if late else "",
        trouble=line(failure.get("message")) if failure.get("status") == "True" else "",
    )


def ready(pod: Paper) -> bool:
    """Return whether a pod serves: ready, and not on its way out."""
    conditions = rows(pod, "status", "conditions")
    serves = any(row.get("type") == "Ready" and row.get("status") == "True" for row in conditions)
    return serves and not at(pod, "metadata", "deletionTimestamp")
