"""The parts that platforms play for a model besides serving, and how one of them is asked about it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from bot.app import registries
from bot.config import Plug, Settings
from bot.core.errors import AiopsError
from bot.core.models import Model
from bot.doctor.data import made
from bot.doctor.remarks import Remark, problem


@dataclass(frozen=True, slots=True)
class Part:
    """One platform of `aiops.yaml`, by name, and a model for which it does something."""

    name: str
    plug: Plug
    model: Model

    def asked(self, topic: str, ask: Callable[[Any], Remark]) -> Remark:
        """Return what asking the platform comes to; that it cannot be asked is a problem of this topic."""
        try:
            made_of_it: Any = made(self.name, self.plug, registries().connectors)
            with closing(made_of_it) as platform:
                return ask(platform)
        except AiopsError as reason:
            return problem(topic, f"'{self.name}', for {self.model.key}: {reason}", "Is its section in aiops.yaml right?")


def parts(settings: Settings, kind: str) -> Iterator[Part]:
    """Yield the parts that platforms of this kind play, one a model and platform; serving is none of them."""
    for model in settings.models_with(registries().checks).values():
        for name in dict.fromkeys(model.connectors.values()):
            if settings.platforms[name].kind == kind:
                yield Part(name, settings.platforms[name], model)


def serving(settings: Settings, *kinds: str) -> Iterator[Part]:
    """Yield the platforms of these kinds that share a model's traffic."""
    for model in settings.models_with(registries().checks).values():
        plug = settings.platforms.get(model.serving)
        if plug is not None and plug.kind in kinds:
            yield Part(model.serving, plug, model)
