"""A stand-in for a flag server: one flag for everybody, which one application asks twice a second and follows at once."""

from collections.abc import Mapping

from bot.core.toggles import Answers, Toggle, word
from bot.rehearsal.standins import Ledger

A_SECOND = 2


class Board:
    """Switches the model's flag when it is told to."""

    def __init__(self, name: str, ledger: Ledger, *, on: bool) -> None:
        self.name = name
        self._ledger = ledger
        self._on = on
        self._counted: dict[bool, float] = {True: 0.0, False: 0.0}
        self._since = 0.0

    def toggle(self, target: str) -> Toggle:
        """Return what was set last."""
        self._ledger.writes(self.name, f"ask how {target}'s flag stands")
        return Toggle(f"{target}-flag", "production", self._on)

    def switch(self, target: str, key: str, *, on: bool) -> None:
        """Answer so from now on."""
        self._count()
        self._on = on
        self._ledger.writes(self.name, f"switch {target}'s flag {word(on)}", key)

    def answered(self, target: str) -> Mapping[tuple[str, str], Answers]:
        """Return what the application was answered so far."""
        self._count()
        self._ledger.writes(self.name, f"ask what applications report of {target}'s flag")
        return {("application", "now"): (round(self._counted[True]), round(self._counted[False]))}

    def _count(self) -> None:
        passed, self._since = self._ledger.seconds - self._since, self._ledger.seconds
        self._counted[self._on] += passed * A_SECOND
