"""Rules: which policy holds for which playbook on which model. They are read from the top, and the first that fits is the one."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from bot.core.approvals import Policy
from bot.core.models import Model
from bot.core.playbooks import Playbook


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy, and what it holds for; what is empty fits everything."""

    policy: Policy
    playbooks: frozenset[str] = field(default_factory=frozenset)
    tiers: frozenset[str] = field(default_factory=frozenset)
    environments: frozenset[str] = field(default_factory=frozenset)
    risks: frozenset[str] = field(default_factory=frozenset)

    def fits(self, playbook: Playbook, model: Model) -> bool:
        """Return whether it holds for this playbook on this model."""
        asked = ((self.playbooks, playbook.name), (self.risks, playbook.risk), (self.tiers, model.tier))
        return all(not wanted or has in wanted for wanted, has in (*asked, (self.environments, model.environment)))

    def speaks_of(self, playbook: Playbook) -> bool:
        """Return whether it holds for this playbook on some model."""
        asked = ((self.playbooks, playbook.name), (self.risks, playbook.risk))
        return all(not wanted or has in wanted for wanted, has in asked)

    def covers(self, other: "Rule") -> bool:
        """Return whether everything that fits the other one fits this one too."""
        return all(
            not mine or (theirs and theirs <= mine) for mine, theirs in zip(self._conditions, other._conditions, strict=True)
        )

    @property
    def _conditions(self) -> tuple[frozenset[str], ...]:
        return self.playbooks, self.tiers, self.environments, self.risks

    @property
    def words(self) -> str:
        """What it holds for, in a line."""
        said = [
            ", ".join(sorted(self.playbooks)) or "every playbook",
            *(f"{name} {' or '.join(sorted(values))}" for name, values in self._told if values),
        ]
        return "; ".join(said)

    @property
    def _told(self) -> tuple[tuple[str, frozenset[str]], ...]:
        return ("tier", self.tiers), ("environment", self.environments), ("risk", self.risks)


def policy_for(rules: Iterable[Rule], playbook: Playbook, model: Model) -> Policy:
    """Return the policy of the first rule that fits; where none does, nobody may approve."""
    return next((rule.policy for rule in rules if rule.fits(playbook, model)), Policy())
