"""A playbook: a named, versioned remedy, as data. Its identity is the hash of its content."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.actions import Verification, canonical
from bot.core.checks import Family
from bot.core.incidents import Severity


@dataclass(frozen=True, slots=True)
class Step:
    """One action with its parameters; texts may be sandboxed expressions over the playbook's parameters."""

    name: str
    action: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    hold_s: float = 0.0
    within: float = 0.0


@dataclass(frozen=True, slots=True)
class Parameter:
    """A typed input: `kind` is "version", "share" or "text"; without a default it must be chosen."""

    name: str
    kind: str
    default: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Playbook:
    """What to do, when it is offered, and what must be seen before it counts as mended."""

    name: str
    title: str
    summary: str
    families: frozenset[Family]
    severities: frozenset[Severity]
    parameters: tuple[Parameter, ...]
    steps: tuple[Step, ...]
    verification: Verification
    risk: str = "medium"
    content: Mapping[str, object] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        """SHA-256 over the canonical JSON of the file's content, hex."""
        return hashlib.sha256(canonical(self.content).encode()).hexdigest()

    def offered_for(self, family: Family, severity: Severity) -> bool:
        """Return whether it can mend this kind of trouble."""
        return family in self.families and severity in self.severities
