"""The clusters: does each model's Deployment answer, and may the bot do there all that its actions need?"""

from collections.abc import Iterator
from typing import cast

from bot.app import registries
from bot.config import Plug, Settings
from bot.connectors.kubernetes import Kubernetes
from bot.core.errors import AiopsError
from bot.core.models import Model
from bot.doctor.data import made
from bot.doctor.remarks import Remark, ok, problem

KIND = "kubernetes"


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
                yield problem("cluster", words, "Add these to its Role; the README has one that is enough.")
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
