"""A stand-in for a platform that comes to serve what it was asked for by and by, and counts nothing."""

from bot.core.models import Split
from bot.rehearsal.standins import Ledger, Splitter


class Router(Splitter):
    """Serves as ordered from the second look on."""

    at_once = True

    def __init__(self, name: str, ledger: Ledger, split: Split) -> None:
        super().__init__(name, ledger, split)
        self._looks = 2

    def check(self, target: str, split: Split) -> None:
        """Take any shares."""

    def set_split(self, target: str, split: Split, key: str) -> None:
        """Come to serve this split."""
        super().set_split(target, split, key)
        self._looks = 0

    def ordered(self, target: str) -> Split:
        """Return what was ordered last."""
        return self.split(target)

    def settling(self, target: str) -> str:
        """Return that it is on its way, once."""
        self._ledger.writes(self.name, f"ask whether {target} is served as ordered")
        self._looks += 1
        return "" if self._looks > 1 else "on its way"
