"""Move the alias of a registered model, and look which version its server really answers with: a moved alias serves nobody."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bot.core.actions import ARROW, Action, Change, Effect, Json, Platform
from bot.core.aliases import AliasedRegistry, NotServed
from bot.core.errors import ActionFailed, ConfigError, WorldMoved
from bot.core.models import live_version
from bot.core.waiting import pause

POLL_S = 1.0
NOW, LATER = "now", "later"
"""Whether the server must answer with the version at the end of this step, or only after a later one (a restart)."""


@dataclass(frozen=True)
class SetAlias(Action):
    """Moves a registered model's alias to a version, reads it back, then asks the model's server which version answers.

    `now` (seconds) and `sleep` are given by tests.
    """

    name: str
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = pause
    needs: ClassVar[Sequence[str]] = ("set_alias",)

    def plan(self, platform: Platform, target: str, parameters: Json, *, step: str, before: Json | None) -> Change:
        """Return the change; `parameters` are `version` and, where a later step restarts the server, `served: later`.

        Raises:
            ConfigError: the parameters are no such thing.
            NotFound: the alias was never set.
        """
        registry, served = _registry(platform), parameters.get("served", NOW)
        if set(parameters) - {"served"} != {"version"} or served not in (NOW, LATER):
            raise ConfigError(f"Step '{step}': set_alias needs `version`, and may say `served: later`.")
        wanted, known = str(parameters["version"]), registry.versions(target)
        if wanted not in known:
            raise ConfigError(f"Step '{step}': there is no version '{wanted}' of {target}; known: {', '.join(known) or 'none'}.")
        from_ = str(before["version"]) if before is not None else registry.aliased(target)
        after = {"version": wanted, "served": served}
        alias = registry.alias(target)
        words = f"{alias}: {from_}{ARROW}{wanted}" if from_ != wanted else f"{alias} names {wanted}{ARROW}{wanted} served"
        return Change(step, self.name, target, {"version": from_}, after, words)

    def precheck(self, platform: Platform, change: Change) -> None:
        """Raise WorldMoved unless the alias is where the plan found it, or where it puts it."""
        registry = _registry(platform)
        now, alias = registry.aliased(change.target), registry.alias(change.target)
        if now not in (_version(change.before), _version(change.after)):
            raise WorldMoved(
                f"The alias '{alias}' of {change.target} now names {now}, but the plan was made for {_version(change.before)}; "
                "propose it again."
            )

    def apply(self, platform: Platform, change: Change, key: str) -> None:
        """Move the alias, unless the step only looks; read once more just before, because nothing there compares and swaps."""
        self.precheck(platform, change)
        if _version(change.before) == _version(change.after):
            return
        _registry(platform).set_alias(change.target, _version(change.after), key)

    def read_back(self, platform: Platform, change: Change, key: str) -> None:  # noqa: ARG002
        """Raise ActionFailed unless the registry itself says so."""
        _require(_registry(platform), change.target, _version(change.after))

    def measure(self, platform: Platform, change: Change, key: str) -> Effect:  # noqa: ARG002 - an alias has no start to name
        """Ask the server which version answers, for at most `change.hold_s`: a restarted one takes its time.

        Raises:
            ActionFailed: it answers with another version, or not at all.
        """
        registry, wanted = _registry(platform), _version(change.after)
        if change.after.get("served") == LATER:
            return Effect(f"{registry.alias(change.target)} names {wanted}", {"alias": wanted})
        self._served(registry, change.target, wanted, change.hold_s)
        _require(registry, change.target, wanted)  # somebody may have moved it under us
        return Effect(f"the server answers with {wanted}", {"alias": wanted, "served": wanted}, {wanted: 1.0})

    def blast(self, changes: Sequence[Change]) -> str:
        """Say that all of the model's traffic follows."""
        return f"all of {changes[0].target}'s traffic, at once where its server is restarted"

    def undo(self, platform: Platform, change: Change, key: str) -> str:
        """Put the alias back, read that back, and say so when the server goes on with the new version.

        Raises:
            NotServed: the alias is back, but the server answers with another version, or not at all.
        """
        registry, before = _registry(platform), _version(change.before)
        if before == _version(change.after):
            return f"'{change.step}' had only looked."
        if registry.aliased(change.target) != before:
            registry.set_alias(change.target, before, key)
        _require(registry, change.target, before)
        if wrong := _wrong(registry, change.target, before):
            raise NotServed(wrong)
        return "The alias was put back and read back; the server answers as before."

    def _served(self, registry: AliasedRegistry, target: str, wanted: str, within_s: float) -> None:
        """Ask until the server answers with this version, or the time is over."""
        until = self.now() + within_s
        while True:
            wrong = _wrong(registry, target, wanted)
            if not wrong:
                return
            if self.now() >= until:
                raise ActionFailed(wrong)
            self.sleep(POLL_S)


def _wrong(registry: AliasedRegistry, target: str, wanted: str) -> str:
    """Return what is wrong with the version that is served, empty where nothing is."""
    alias = registry.alias(target)
    try:
        serves = live_version(registry.split(target))
    except ActionFailed as reason:
        return f"The alias '{alias}' of {target} names {wanted}, but its server does not say what it serves: {reason}"
    if serves == wanted:
        return ""
    return f"The alias '{alias}' of {target} names {wanted}, but its server still answers with {serves}; it has to be restarted."


def _require(registry: AliasedRegistry, target: str, wanted: str) -> None:
    now = registry.aliased(target)
    if now != wanted:
        raise ActionFailed(f"The alias '{registry.alias(target)}' of {target} was moved to {wanted}, but the registry says {now}.")


def _version(stand: Json) -> str:
    return str(stand["version"])


def _registry(platform: Platform) -> AliasedRegistry:
    if not hasattr(platform, "set_alias"):
        raise ConfigError(f"'{platform.name}' is no registry with aliases, so set_alias cannot use it.")
    return platform  # type: ignore[return-value]


set_alias = SetAlias("set_alias")
