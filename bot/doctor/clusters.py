"""The clusters: does what serves each model there answer, and may the bot do there all that its actions need?"""

from collections.abc import Iterator
from typing import Any, cast

from bot.app import registries
from bot.config import Plug, Settings
from bot.connectors.kubernetes import Kubernetes
from bot.core.errors import AiopsError
from bot.core.models import Model
from bot.doctor.data import made
from bot.doctor.remarks import Remark, hint, ok, problem

KIND = "kubernetes"
ROUTERS = ("kserve", "argo_rollouts")


def deployments(settings: Settings) -> Iterator[Remark]:
    """Ask each cluster about each model that it plays a part for."""
    for model in settings.models_with(registries().checks).values():
        for name in dict.fromkeys(model.connectors.values()):
            plug = settings.platforms[name]
            if plug.kind == KIND:
                yield from _asked(name, plug, model)


def _asked(name: str, plug: Plug, model: Model) -> Iterator[Remark]:
    try:
        cluster = cast("Kubernetes", made(name, plug, registries().connectors))
        try:
            lacking = cluster.missing(model.name)
            if lacking:
                words = f"'{name}': the bot may not {', '.join(lacking)} at {cluster.where(model.name)}."
                yield problem("cluster", words, "Add these to its Role; bot/connectors/README.md has one that is enough.")
                return
            seen, now, other = cluster.rollout(model.name), cluster.revisions(model.name)[0], cluster.autoscaler(model.name)
        finally:
            cluster.close()
    except AiopsError as reason:
        yield problem("cluster", f"'{name}', for {model.key}: {reason}", "Is its address in aiops.yaml right?")
        return
    owner = f"; its replicas are set by {other}" if other else ""
    words = f"{seen.available} of {seen.wanted} replicas available, {now.words}{owner}"
    yield ok("cluster", f"'{name}': {model.key} is {cluster.where(model.name)}: {words}; the bot may act on it.")


def routers(settings: Settings) -> Iterator[Remark]:
    """Ask each cluster that shares a model's traffic what the bot may not do there, and whether it serves what was ordered."""
    for model in settings.models_with(registries().checks).values():
        plug = settings.platforms.get(model.serving)
        if plug is not None and plug.kind in ROUTERS:
            yield _routed(model.serving, plug, model)


def _routed(name: str, plug: Plug, model: Model) -> Remark:
    try:
        cluster = cast("Any", made(name, plug, registries().connectors))
        try:
            where, lacking = cluster.where(model.name), cluster.missing(model.name)
            if lacking:
                words = f"'{name}': the bot may not {', '.join(lacking)} at {where}."
                return problem("cluster", words, "Add these to its Role; bot/connectors/README.md has one that is enough.")
            how_far = cluster.settling(model.name)
        finally:
            cluster.close()
    except AiopsError as reason:
        return problem("cluster", f"'{name}', for {model.key}: {reason}", "Is its address in aiops.yaml right?")
    if how_far:
        return hint(
            "cluster", f"'{name}': {model.key} is {where}, not served as ordered yet: {how_far}.", "Look again in a minute."
        )
    return ok("cluster", f"'{name}': {model.key} is {where}, served as ordered; the bot may act on it.")
