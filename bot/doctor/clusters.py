"""The clusters: does what serves each model there answer, and may the bot do there all that its actions need?"""

from collections.abc import Iterator
from functools import partial

from bot.config import Settings
from bot.connectors.argo_rollouts import ArgoRollouts
from bot.connectors.kserve import KServe
from bot.connectors.kubernetes import Kubernetes
from bot.doctor.parts import Part, parts, serving
from bot.doctor.remarks import Remark, hint, ok, problem

TOPIC = "cluster"
Cluster = Kubernetes | KServe | ArgoRollouts


def deployments(settings: Settings) -> Iterator[Remark]:
    """Ask each cluster about each model that it plays a part for."""
    for part in parts(settings, "kubernetes"):
        yield part.asked(TOPIC, partial(_deployed, part))


def _deployed(part: Part, cluster: Kubernetes) -> Remark:
    if refused := _forbidden(part, cluster):
        return refused
    model = part.model
    seen, now, other = cluster.rollout(model.name), cluster.revisions(model.name)[0], cluster.autoscaler(model.name)
    owner = f"; its replicas are set by {other}" if other else ""
    words = f"{seen.available} of {seen.wanted} replicas available, {now.words}{owner}"
    return ok(TOPIC, f"'{part.name}': {model.key} is {cluster.where(model.name)}: {words}; the bot may act on it.")


def routers(settings: Settings) -> Iterator[Remark]:
    """Ask each cluster that shares a model's traffic what the bot may not do there, and whether it serves what was ordered."""
    for part in serving(settings, "kserve", "argo_rollouts"):
        yield part.asked(TOPIC, partial(_routed, part))


def _routed(part: Part, cluster: KServe | ArgoRollouts) -> Remark:
    if refused := _forbidden(part, cluster):
        return refused
    is_there = f"'{part.name}': {part.model.key} is {cluster.where(part.model.name)}"
    if how_far := cluster.settling(part.model.name):
        return hint(TOPIC, f"{is_there}, not served as ordered yet: {how_far}.", "Look again in a minute.")
    return ok(TOPIC, f"{is_there}, served as ordered; the bot may act on it.")


def _forbidden(part: Part, cluster: Cluster) -> Remark | None:
    """Return what the bot may not do there although it needs it; None where nothing is lacking."""
    lacking = cluster.missing(part.model.name)
    if not lacking:
        return None
    words = f"'{part.name}': the bot may not {', '.join(lacking)} at {cluster.where(part.model.name)}."
    return problem(TOPIC, words, "Add these to its Role; bot/connectors/README.md has one that is enough.")
