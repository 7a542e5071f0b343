"""An incident: one open trouble of one kind with one model, and the states it may pass through."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.checks import Family
from bot.core.errors import Conflict
from bot.core.findings import Finding
from bot.core.windows import Window


class State(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    MITIGATING = "mitigating"
    VERIFYING = "verifying"
    RESOLVED = "resolved"


ROADS: Mapping[State, frozenset[State]] = {
    State.OPEN: frozenset({State.ACKNOWLEDGED, State.MITIGATING, State.RESOLVED}),
    State.ACKNOWLEDGED: frozenset({State.MITIGATING, State.RESOLVED}),
    State.MITIGATING: frozenset({State.VERIFYING, State.ACKNOWLEDGED, State.RESOLVED}),
    State.VERIFYING: frozenset({State.RESOLVED, State.ACKNOWLEDGED}),
    State.RESOLVED: frozenset(),
}


class Severity(StrEnum):
    """How bad; SEV1 is worst."""

    SEV1 = "SEV1"
    SEV2 = "SEV2"
    SEV3 = "SEV3"
    SEV4 = "SEV4"

    @property
    def rank(self) -> int:
        """1 is worst."""
        return int(self.value[3:])


def dedup_key(model: str, environment: str, family: Family) -> str:
    """Return the identity of a trouble: the database allows one open incident a key."""
    return f"{model}@{environment}:{family.value}"


@dataclass(frozen=True, slots=True)
class Incident:
    """One trouble, from opened to resolved. Times of the process (`opened_at` …) are wall time; `window` is time of the data.

    `findings` are those that opened or last changed it; `team` is who must act; `handed_to` says why no playbook is offered when
    the remedy is a person's. `version` counts writes: a write names the version it read, and the loser of a race reads again.
    """

    id: int
    model: str
    environment: str
    family: Family
    severity: Severity
    state: State
    title: str
    team: str
    opened_at: datetime
    window: Window
    findings: tuple[Finding, ...] = ()
    evidence: Mapping[str, object] = field(default_factory=dict)
    handed_to: str = ""
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    resolved_by: str = ""
    cause: str = ""
    version: int = 0

    @property
    def model_key(self) -> str:
        """The model's key, "name@environment"."""
        return f"{self.model}@{self.environment}"

    @property
    def key(self) -> str:
        """Its dedup key while it is open."""
        return dedup_key(self.model, self.environment, self.family)

    @property
    def open(self) -> bool:
        """Still somebody's business."""
        return self.state is not State.RESOLVED

    @property
    def time_to_resolve(self) -> timedelta | None:
        """Opened to resolved, once it is."""
        return self.resolved_at - self.opened_at if self.resolved_at else None

    def moved(self, state: State, **changes: object) -> "Incident":
        """Return it in another state; a road that does not exist raises Conflict."""
        if state is not self.state and state not in ROADS[self.state]:
            raise Conflict(f"Incident #{self.id} is {self.state.value}; it cannot become {state.value} from there.")
        return replace(self, state=state, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Note:
    """Something true and small, kept for the digest instead of paging anybody."""

    model: str
    environment: str
    at: datetime
    window: Window
    text: str

    @property
    def model_key(self) -> str:
        """The model's key, "name@environment"."""
        return f"{self.model}@{self.environment}"
