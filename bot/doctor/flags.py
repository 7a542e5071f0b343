"""The feature flags: is each model's flag there, how does it stand, and may the bot switch it?"""

from collections.abc import Iterator
from functools import partial

from bot.config import Settings
from bot.connectors.unleash import Unleash
from bot.core.toggles import word
from bot.doctor.parts import Part, parts
from bot.doctor.remarks import Remark, hint, ok, problem


def flags(settings: Settings) -> Iterator[Remark]:
    """Ask each flag server about each model that it plays a part for."""
    for part in parts(settings, "unleash"):
        yield part.asked("flag", partial(_stands, part))


def _stands(part: Part, server: Unleash) -> Remark:
    stand, lacks = server.toggle(part.model.name), server.lacks(part.model.name)
    if lacks:
        words = f"'{part.name}': the token reads the flag {stand.name}, but may not switch it: it lacks {lacks}."
        return problem("flag", words, "Give it that permission for this project and environment.")
    if stand.nobody:
        words = f"'{part.name}': switched on, the flag {stand.name} of {part.model.key} is on for nobody: {stand.nobody}."
        return hint("flag", words, "Give it a strategy that fits somebody, or its parent what it needs.")
    how = f"which is {word(stand.on)}{f' for {stand.reach}' if stand.on else ''}"
    return ok("flag", f"'{part.name}': {part.model.key} has the flag {stand.name}, {how}; the bot may switch it.")
