"""A playbook: a named, versioned remedy, as data. Its identity is the hash of its content."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bot.core.actions import Verification, canonical
from bot.core.checks import Family
from bot.core.incidents import Severity


@dataclass(frozen=True, slots=True)
class Step:
    """One action with its parameters; texts may be sandboxed expressions over the playbook's parameters.

    `on` is the part that the platform plays for the model; a step whose `when` works out as false is left out of the plan,
    and so is an `optional` one where nothing plays its part.
    Before a step with a `gate` (what a person has to look at) the run waits for one, `gate_s` at most. A step that was refused, and
    of which nothing has happened, is asked for `retries` times more, `pause_s` apart. `together` names the parallel step that holds
    it, if one does. One that comes `again` is carried out once more on the way back, where what was put back needs that.
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
    gate: str = ""
    gate_s: float = 0.0
    retries: int = 0
    pause_s: float = 0.0
    together: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """A typed input; without a default it must be chosen.

    `kind` is "version", "feature", "split", "team", "share", "number" or "text". `least` and `most` limit numbers; where there are
    `choices`, a text must be one of them.
    """

    name: str
    kind: str
    default: str = ""
    title: str = ""
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Playbook:
    """What to do, when it is offered, and what must be seen before it counts as mended.

    Without `tiers` or `environments` it is for models of all. It rests `cooldown` after a run of it ended on a model, and is tried
    `max_attempts` times at most on one incident (0: as often as people like). `command` is its own slash command ("/x").
    Its runs never overlap with others of the same `lock`; without one only with those on the same model.
    """

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
    owner: str = ""
    tiers: frozenset[str] = frozenset()
    environments: frozenset[str] = frozenset()
    cooldown: timedelta = timedelta(0)
    max_attempts: int = 0
    command: str = ""
    lock: str = ""

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

    def meant_for(self, tier: str, environment: str) -> bool:
        """Return whether it is for models of this tier in this environment."""
        return (not self.tiers or tier in self.tiers) and (not self.environments or environment in self.environments)
