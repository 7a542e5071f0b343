"""Switch a feature flag on or off, and count what applications report that they were answered: a flag server only promises."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bot.core.actions import ARROW, Action, Change, Effect, Json, Platform
from bot.core.errors import ActionFailed, ConfigError, WorldMoved
from bot.core.toggles import EVERYBODY, Answers, Toggle, Toggles, named, since, toggles, word
from bot.core.waiting import pause

LAG_S = 80.0
"""So long an answer from before the switch may still come in: applications ask every 15 s and report every 60 s, by default."""


@dataclass(frozen=True)
class SetToggle(Action):
    """Switches a model's feature flag on or off, reads it back, then counts what applications report that they are answered.

    `sleep` (seconds) is given by tests.
    """

    name: str
    sleep: Callable[[float], None] = pause
    needs: ClassVar[Sequence[str]] = ("toggle",)

    def plan(self, platform: Platform, target: str, parameters: Json, *, step: str, before: Json | None) -> Change:
        """Return the change; `to` is "on" or "off".

        Raises:
            ConfigError: it is neither, the flag stands so already, or switching it on would reach nobody.
        """
        wanted = _wanted(parameters, step)
        stand = toggles(platform, self.name).toggle(target)
        was_on = stand.on if before is None else bool(before["on"])
        if wanted == was_on:
            raise ConfigError(f"The flag {stand.name} is {word(wanted)} already; there is nothing to switch.")
        if wanted and stand.nobody:
            raise ConfigError(f"The flag {stand.name} would be on for nobody: {stand.nobody}; mend that first.")
        snapshot = {"on": was_on, "rules": stand.rules, "bare": stand.bare, "followers": list(stand.followers)}
        words = f"{stand.flag} in {stand.place}: {_words(stand, on=was_on)}{ARROW}{_words(stand, on=wanted)}"
        return Change(step, self.name, target, snapshot, {"on": wanted, "flag": stand.flag, "place": stand.place}, words)

    def precheck(self, platform: Platform, change: Change) -> None:
        """Raise WorldMoved where it would be switched on for others than those whom the plan told of."""
        stand = _stand(platform, change)
        if change.after["on"] and not stand.on:
            _same_rules(stand, change)

    def apply(self, platform: Platform, change: Change, key: str) -> None:
        """Switch it; looked at once more just before, because nothing there compares and swaps."""
        self.precheck(platform, change)
        toggles(platform, self.name).switch(change.target, key, on=bool(change.after["on"]))

    def read_back(self, platform: Platform, change: Change, key: str) -> None:  # noqa: ARG002
        """Raise ActionFailed unless the flag server itself says so."""
        _require(platform, change, on=bool(change.after["on"]))

    def measure(self, platform: Platform, change: Change, key: str) -> Effect:  # noqa: ARG002 - a flag has no start to name
        """Count what applications report in the later part of `change.hold_s`; where none reports, there is nothing to wait for.

        Raises:
            ActionFailed: none of them follows, it is on for nobody, or somebody has switched it back meanwhile.
        """
        told, silence = self._counted(toggles(platform, self.name), change)
        stand = _require(platform, change, on=bool(change.after["on"]))
        if stand.on and stand.nobody:
            raise ActionFailed(f"The flag {stand.name} is on, but for nobody: {stand.nobody}.")
        return _effect(stand, told, change.hold_s - _lag(change), silence)

    def blast(self, changes: Sequence[Change]) -> str:
        """Say who is touched: whatever asks for the flag, and the flags that depend on it."""
        change = changes[0]
        followers: Sequence[str] = change.before["followers"]  # type: ignore[assignment]
        asking = f"whatever asks for '{change.after['flag']}' in {change.after['place']}, as soon as it asks again"
        return f"{asking}, and the flags that depend on it: {named(followers)}" if followers else asking

    def undo(self, platform: Platform, change: Change, key: str) -> str:
        """Switch it back, and read that back; what was refused needs no way back, which might be refused as well.

        Raises:
            WorldMoved: somebody has meanwhile changed for whom it would be on again.
        """
        stand, on = _stand(platform, change), bool(change.before["on"])
        if stand.on == on:
            return f"The flag {stand.name} stands as before: {word(on)}."
        if on:
            _same_rules(stand, change)
        toggles(platform, self.name).switch(change.target, key, on=on)
        _require(platform, change, on=on)
        left = " The rule for everybody that it got for being switched on stays." if change.before["bare"] and not on else ""
        return f"The flag {stand.name} was switched {word(on)} again, and that was read back.{left}"

    def _counted(self, flags: Toggles, change: Change) -> tuple[Mapping[str, Answers], str]:
        """Return what applications were answered in the later part of the hold, and what to say where that is nothing.

        Reports are evidence beside the flag: where they cannot be read, that is said, and nothing is put back for it.
        """
        if not change.hold_s:
            return {}, "nobody has looked whether applications follow"
        try:
            if not flags.answered(change.target):
                return {}, "no application reports that it asks for it"
            self.sleep(_lag(change))
            earlier = flags.answered(change.target)
            self.sleep(change.hold_s - _lag(change))
            return since(earlier, flags.answered(change.target)), "no application has reported since"
        except ActionFailed as why:
            return {}, f"what applications report cannot be read: {str(why).rstrip('.')}"


def _lag(change: Change) -> float:
    """Return how long reports are left out, in seconds: LAG_S, or half of a short hold."""
    return min(LAG_S, change.hold_s / 2)


def _effect(stand: Toggle, told: Mapping[str, Answers], seconds: float, silence: str) -> Effect:
    """Return what was counted, or raise ActionFailed where all of it says that nobody follows."""
    now, wrong = word(stand.on), word(not stand.on)
    right = sum(counts[0 if stand.on else 1] for counts in told.values())
    strays = {application: count for application, counts in told.items() if (count := counts[1 if stand.on else 0])}
    other = sum(strays.values())
    measured = {"on": stand.on, "answered_right": right, "answered_otherwise": other}
    if not told:
        return Effect(f"{stand.flag} is {now}; {silence}", measured)
    everybody = not stand.on or stand.reach == EVERYBODY
    if everybody and not right:
        raise ActionFailed(
            f"The flag {stand.name} is {now}, but {named(list(strays))} report only '{wrong}' "
            f"({other:,} answers in {seconds:.0f} s); nobody follows it."
        )
    words = f"{stand.flag} is {now}; applications were answered '{now}' {right:,} times in {seconds:.0f} s"
    behind = f" ({named(list(strays))} did not follow yet)" if everybody else ""
    return Effect(f"{words}, '{wrong}' {other:,} times{behind}" if other else words, measured)


def _wanted(parameters: Json, step: str) -> bool:
    """Return what is asked for; YAML reads a bare `on` or `off` as true or false."""
    to = parameters.get("to")
    if set(parameters) != {"to"} or not (isinstance(to, bool) or to in ("on", "off")):
        raise ConfigError(f"Step '{step}': set_toggle needs `to`, which is 'on' or 'off'.")
    return to in ("on", True)


def _words(stand: Toggle, *, on: bool) -> str:
    if not on:
        return "off"
    return f"on for {EVERYBODY}, by a new rule that stays" if stand.bare else f"on for {stand.reach}"


def _stand(platform: Platform, change: Change) -> Toggle:
    """Return where the flag of the plan stands; WorldMoved where aiops.yaml names another one by now."""
    stand = toggles(platform, change.action).toggle(change.target)
    if (stand.flag, stand.place) != (change.after["flag"], change.after["place"]):
        planned = f"'{change.after['flag']}' in {change.after['place']}"
        raise WorldMoved(f"The plan was made for the flag {planned}, but aiops.yaml now names {stand.name}; propose it again.")
    return stand


def _same_rules(stand: Toggle, change: Change) -> None:
    if stand.rules != change.before["rules"]:
        raise WorldMoved(f"Somebody has changed for whom the flag {stand.name} is on since the plan was made; look at it first.")


def _require(platform: Platform, change: Change, *, on: bool) -> Toggle:
    stand = _stand(platform, change)
    if stand.on != on:
        raise ActionFailed(f"The flag {stand.name} was switched {word(on)}, but the flag server says that it is {word(stand.on)}.")
    return stand


set_toggle = SetToggle("set_toggle")
