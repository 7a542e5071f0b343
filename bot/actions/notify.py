"""Tell a team about the incident in its own channel, and wait until Slack has taken the message."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

from bot.core.actions import Action, Change, Effect, Going, Json, Platform
from bot.core.errors import ActionFailed, ConfigError, NotFound
from bot.core.own import Teller

LONGEST = 1_000


@dataclass(frozen=True)
class Notify(Action):
    """Posts to a team, once; going back says in that message that it no longer holds."""

    name: str
    needs: ClassVar[Sequence[str]] = ("tell", "told")

    def plan(self, platform: Platform, target: str, parameters: Json, *, step: str, before: Json | None) -> Change:  # noqa: ARG002
        """Return the change; `parameters` are `team` and `words`.

        Raises:
            ConfigError: the parameters are no such thing.
            NotFound: there is no such team.
        """
        team, words = str(parameters.get("team", "")), str(parameters.get("words", "")).strip()
        if set(parameters) != {"team", "words"} or not words or len(words) > LONGEST:
            raise ConfigError(f"Step '{step}': notify needs `team` and `words`, {LONGEST} characters at most.")
        _known(platform, team)
        return Change(step, self.name, target, {}, {"team": team, "words": words}, f"tell {team}: {words}")

    def precheck(self, platform: Platform, change: Change) -> None:
        """Raise unless the team is still known."""
        _known(platform, str(change.after["team"]))

    def apply(self, platform: Platform, change: Change, key: str) -> None:
        """Queue the message; a second call with the same key changes nothing."""
        _teller(platform).tell(str(change.after["team"]), str(change.after["words"]), key)

    def read_back(self, platform: Platform, change: Change, key: str) -> None:
        """Raise ActionFailed when nothing was queued under this key."""
        if _teller(platform).told(key) is None:
            raise ActionFailed(f"'{change.step}': the message to {change.after['team']} was not kept.")

    def measure(self, platform: Platform, change: Change, key: str) -> Effect | Going:
        """Return that Slack has taken it.

        Raises:
            ActionFailed: Slack refuses it for good.
        """
        told, team = _teller(platform).told(key), change.after["team"]
        if told is None or told.state == "failed":
            why = (told.error if told else "") or "it does not say why"
            raise ActionFailed(f"Slack does not take the message to {team} ({why}); see that the bot is in that channel.")
        return Effect(f"{team} was told") if told.state == "sent" else Going("waiting for Slack to take it")

    def blast(self, changes: Sequence[Change]) -> str:
        """Say who is told."""
        teams = ", ".join(dict.fromkeys(str(change.after["team"]) for change in changes))
        return f"posts to {teams} and mentions them; no model is touched"

    def undo(self, platform: Platform, change: Change, key: str) -> str:
        """Say in the message that it no longer holds."""
        teller, team = _teller(platform), change.after["team"]
        if teller.told(key) is None:
            return f"{team} was never told."
        teller.take_back(key)
        return f"The message to {team} says now that it no longer holds."


def _teller(platform: Platform) -> Teller:
    return cast("Teller", platform)


def _known(platform: Platform, team: str) -> None:
    teams = _teller(platform).teams()
    if team not in teams:
        known = ", ".join(teams) or "none"
        raise NotFound(f"There is no team '{team[:60]}' under `teams:` in aiops.yaml; known: {known}.")


notify = Notify("notify")
