"""The feature flags: is each model's flag there, how does it stand, and may the bot switch it?"""

from collections.abc import Iterator
from typing import cast

from bot.app import registries
from bot.config import Plug, Settings
from bot.connectors.unleash import Unleash
from bot.core.errors import AiopsError
from bot.core.models import Model
from bot.core.toggles import word
from bot.doctor.data import made
from bot.doctor.remarks import Remark, hint, ok, problem

KIND = "unleash"


def flags(settings: Settings) -> Iterator[Remark]:
    """Ask each flag server about each model that it plays a part for."""
    for model in settings.models_with(registries().checks).values():
        for name in dict.fromkeys(model.connectors.values()):
            plug = settings.platforms[name]
            if plug.kind == KIND:
                yield _asked(name, plug, model)


def _asked(name: str, plug: Plug, model: Model) -> Remark:
    try:
        server = cast("Unleash", made(name, plug, registries().connectors))
        try:
            stand, lacks = server.toggle(model.name), server.lacks(model.name)
        finally:
            server.close()
    except AiopsError as reason:
        return problem("flag", f"'{name}', for {model.key}: {reason}", "Is its section in aiops.yaml right?")
    if lacks:
        words = f"'{name}': the token reads the flag {stand.name}, but may not switch it: it lacks {lacks}."
        return problem("flag", words, "Give it that permission for this project and environment.")
    if stand.nobody:
        words = f"'{name}': switched on, the flag {stand.name} of {model.key} is on for nobody: {stand.nobody}."
        return hint("flag", words, "Give it a strategy that fits somebody, or its parent what it needs.")
    reach = f" for {stand.reach}" if stand.on else ""
    return ok("flag", f"'{name}': {model.key} has the flag {stand.name}, which is {word(stand.on)}{reach}; the bot may switch it.")
