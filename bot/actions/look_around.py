"""Look around: run everything that is known of the model once more and write it into the incident's thread; nothing is changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

from bot.core.actions import Action, Change, Effect, Json, Platform
from bot.core.errors import ActionFailed, ConfigError
from bot.core.own import Scout


@dataclass(frozen=True)
class LookAround(Action):
    """Writes what there is to see; only reads, so there is nothing to go back to."""

    name: str
    needs: ClassVar[Sequence[str]] = ("look_around",)

    def plan(self, platform: Platform, target: str, parameters: Json, *, step: str, before: Json | None) -> Change:  # noqa: ARG002
        """Return the change; it takes no parameters, or raises ConfigError."""
        if parameters:
            raise ConfigError(f"Step '{step}': look_around takes no parameters.")
        return Change(step, self.name, target, {}, {}, f"look around at {target} and write it into the thread")

    def precheck(self, platform: Platform, change: Change) -> None:
        """Nothing can have moved: it only reads."""

    def apply(self, platform: Platform, change: Change, key: str) -> None:  # noqa: ARG002
        """Look and write; a second call with the same key changes nothing."""
        _scout(platform).look_around(key)

    def read_back(self, platform: Platform, change: Change, key: str) -> None:
        """Raise ActionFailed when nothing was written under this key."""
        if not _scout(platform).seen(key):
            raise ActionFailed(f"'{change.step}': nothing was written into the thread.")

    def measure(self, platform: Platform, change: Change, key: str) -> Effect:  # noqa: ARG002
        """Return what was seen, in a line."""
        return Effect(_scout(platform).seen(key))

    def blast(self, changes: Sequence[Change]) -> str:  # noqa: ARG002
        """Say that it touches nothing."""
        return "only reads: nothing is touched"

    def undo(self, platform: Platform, change: Change, key: str) -> str:  # noqa: ARG002
        """Say that there is nothing to undo."""
        return "It only read; what it wrote stays in the thread."


def _scout(platform: Platform) -> Scout:
    return cast("Scout", platform)


look_around = LookAround("look_around")
