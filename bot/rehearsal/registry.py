"""A stand-in for a registry with aliases: its servers follow at once, as if whatever restarts them had done so."""

from collections.abc import Sequence

from bot.core.models import Split, live_version
from bot.rehearsal.standins import Ledger


class Registry:
    """Knows the versions of the scene; its alias names the one that serves."""

    def __init__(self, name: str, ledger: Ledger, split: Split) -> None:
        self.name = name
        self._ledger = ledger
        self._versions = tuple(split)
        self._aliased = live_version(split)

    def split(self, target: str) -> Split:
        """Return that the version of the alias serves everything."""
        self._ledger.writes(self.name, f"ask {target}'s server which version it is")
        return {self._aliased: 1.0}

    def versions(self, target: str) -> Sequence[str]:
        """Return the scene's versions."""
        self._ledger.writes(self.name, f"ask which versions of {target} there are")
        return self._versions

    def alias(self, target: str) -> str:  # noqa: ARG002  it is what a configuration would say
        """Return the usual name."""
        return "champion"

    def aliased(self, target: str) -> str:
        """Return what was set last."""
        self._ledger.writes(self.name, f"ask which version of {target} is the champion")
        return self._aliased

    def set_alias(self, target: str, version: str, key: str) -> None:
        """Name this version from now on."""
        self._ledger.writes(self.name, f"make {version} the champion of {target}", key)
        self._aliased = version
