"""A stand-in for a cluster: one Deployment of three pods that has had two templates, and rolls out at the second look."""

from collections.abc import Sequence
from dataclasses import replace

from bot.core.deployments import Pods, Revision, Rollout
from bot.rehearsal.standins import Ledger

REPLICAS = 3
NOW = Revision("second", 2, "template-2", ("model:v2",))
EARLIER = Revision("first", 1, "template-1", ("model:v1",))


class Cluster:
    """Rolls out whatever it is asked to, without trouble."""

    def __init__(self, name: str, ledger: Ledger) -> None:
        self.name = name
        self._ledger = ledger
        self._revisions = [NOW, EARLIER]
        self._at = Rollout(NOW.template, "", REPLICAS, REPLICAS, REPLICAS, REPLICAS)
        self._looks = 0

    def rollout(self, target: str) -> Rollout:
        """Return where it stands: after an order half-way at the first look, done at the second."""
        self._ledger.writes(self.name, f"ask how {target}'s Deployment stands")
        self._looks += 1
        if self._looks <= 2:
            return replace(self._at, updated=0, total=self._at.wanted + 1)
        return self._at

    def revisions(self, target: str) -> Sequence[Revision]:
        """Return both templates, the one in use first."""
        self._ledger.writes(self.name, f"ask for {target}'s revisions")
        return list(self._revisions)

    def pods(self, target: str) -> Sequence[Pods]:
        """Return that all pods come from the template in use."""
        self._ledger.writes(self.name, f"ask which pods of {target} run")
        return [Pods(self._revisions[0].replica_set, self._revisions[0].images, self._at.available)]

    def limits(self, target: str) -> tuple[int, int]:  # noqa: ARG002  it is what a configuration would say
        """Return that anything from 1 to 100 is allowed."""
        return 1, 100

    def autoscaler(self, target: str) -> str:
        """Return that nothing else scales it."""
        self._ledger.writes(self.name, f"ask who else scales {target}")
        return ""

    def stamp(self, target: str, template: str, stamp: str) -> None:  # noqa: ARG002
        """Restart its pods."""
        self._ledger.writes(self.name, f"restart {target}'s pods" if stamp else f"take {target}'s earlier pods again", stamp)
        self._orders(replace(self._at, stamp=stamp))

    def scale(self, target: str, before: int, after: int) -> None:  # noqa: ARG002
        """Have so many pods."""
        self._ledger.writes(self.name, f"scale {target} to {after} replicas")
        self._orders(replace(self._at, wanted=after, updated=after, total=after, available=after))

    def roll_to(self, target: str, template: str, revision: Revision) -> None:  # noqa: ARG002
        """Take another template."""
        self._ledger.writes(self.name, f"roll {target} to {revision.words}")
        self._revisions.sort(key=lambda one: one.template != revision.template)
        self._orders(replace(self._at, template=revision.template))

    def _orders(self, at: Rollout) -> None:
        self._at, self._looks = at, 0
