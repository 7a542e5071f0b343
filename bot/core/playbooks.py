"""A playbook: a named, versioned remedy, as data. Its identity is the hash of its content."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.actions import Verification, canonical
from bot.core.checks import Family
from bot.core.incidents import Severity


@dataclass(frozen=True, slots=True)
class Step:
    """One action with its parameters; texts may be sandboxed expressions over the playbook's parameters.

    `on` is the part that the platform plays for the model; a step whose `when` works out as false is left out of the plan,
    and so is an `optional` one where nothing plays its part.
    """

    name: str
    action: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    hold_s: float = 0.0
    within: float = 0.0
    on: str = "serving"
    when: str = ""
    patience_s: float = 0.0
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """A typed input: `kind` is "version", "feature", "split", "share" or "text"; without a default it must be chosen."""

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

    @property
    def parts(self) -> list[str]:
        """The parts that platforms must play for a model to use it, sorted."""
        return sorted({step.on for step in self.steps if not step.optional})

    def offered_for(self, family: Family, severity: Severity) -> bool:
        """Return whether it can mend this kind of trouble."""
        return family in self.families and severity in self.severities
