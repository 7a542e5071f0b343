"""Toggles: a flag at a flag server that many applications ask, on or off in one environment, and for whom where it is on.

For whom is known by the digest of its rules, never copied into a plan: rules hold the ids of users, and the flag server keeps them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.core.actions import Platform
from bot.core.errors import ConfigError

EVERYBODY = "everybody"
Answers = tuple[int, int]
"""How often it was answered "on", and how often "off"."""


@dataclass(frozen=True, slots=True)
class Toggle:
    """Where a flag stands in one environment.

    `reach` says for whom it is on while it is on, `rules` is the digest of what decides that. `bare`: nothing does, so switching it
    on makes a rule for everybody. `nobody`: why nobody gets it even while it is on. `followers` are flags that depend on it.
    """

    flag: str
    place: str
    on: bool
    reach: str = EVERYBODY
    rules: str = ""
    bare: bool = False
    nobody: str = ""
    followers: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The flag and where it stands, for the middle of a sentence."""
        return f"'{self.flag}' in {self.place}"


class Toggles(Platform, Protocol):
    """A flag server. All raise ActionFailed where it cannot be asked, and NotFound where there is no such flag."""

    def toggle(self, target: str) -> Toggle:
        """Return where the model's flag stands."""
        ...

    def switch(self, target: str, key: str, *, on: bool) -> None:
        """Switch the model's flag. Absolute; raises OutcomeUnknown when the answer was cut off."""
        ...

    def answered(self, target: str) -> Mapping[tuple[str, str], Answers]:
        """Return what applications report that they were answered, by application and hour; hours long over may be left out."""
        ...


def toggles(platform: Platform, action: str) -> Toggles:
    """Return the platform as a flag server, or say that it is none."""
    if not hasattr(platform, "toggle"):
        raise ConfigError(f"'{platform.name}' has no feature flags, so {action} cannot use it.")
    return platform  # type: ignore[return-value]


def since(earlier: Mapping[tuple[str, str], Answers], later: Mapping[tuple[str, str], Answers]) -> dict[str, Answers]:
    """Return what was answered between two looks, by application; only those that were answered anything."""
    grown: dict[str, Answers] = {}
    for (application, hour), (on, off) in later.items():
        were_on, were_off = earlier.get((application, hour), (0, 0))
        so_far = grown.get(application, (0, 0))
        grown[application] = so_far[0] + max(0, on - were_on), so_far[1] + max(0, off - were_off)
    return {application: counts for application, counts in sorted(grown.items()) if any(counts)}


def word(on: object) -> str:
    """Return how people call it."""
    return "on" if on else "off"


def named(names: Sequence[str], most: int = 3) -> str:
    """Return some names and how many there are beside them."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(name[:60] for name in names[:most])}{more}"
