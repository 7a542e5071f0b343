"""A run: one approved plan being carried out, and what came of each step."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.core.actions import Plan
from bot.core.models import Split


class RunState(StrEnum):
    """Where a run stands; the last four are terminal."""

    QUEUED = "queued"
    RUNNING = "running"
    VERIFYING = "verifying"
    SUCCEEDED = "succeeded"
    COMPENSATED = "compensated"
    FAILED = "failed"
    HANDED_OVER = "handed_over"

    @property
    def over(self) -> bool:
        """Nothing more will happen."""
        return self in (RunState.SUCCEEDED, RunState.COMPENSATED, RunState.FAILED, RunState.HANDED_OVER)


@dataclass(frozen=True, slots=True)
class Run:
    """The carrying out of one proposal; its id is the proposal's, so a proposal runs once. `split` is the traffic it set last.

    `gate` is the step before which it waits for a person, until `gate_until`; empty where it does not. `undone` are the steps that
    were put back. Queued and `in_line`, it waits for its plan's lock.
    """

    id: str
    proposal: str
    incident: int
    model: str
    environment: str
    plan: Plan
    state: RunState
    queued_at: datetime
    started_at: datetime | None = None
    applied_at: datetime | None = None
    ended_at: datetime | None = None
    fresh_since: datetime | None = None
    progress: tuple[str, ...] = ()
    outcome: str = ""
    abort_by: str = ""
    result: Mapping[str, object] = field(default_factory=dict)
    split: Split = field(default_factory=dict)
    gate: str = ""
    gate_until: datetime | None = None
    in_line: bool = False
    undone: tuple[str, ...] = ()

    @property
    def waits(self) -> bool:
        """A person has to continue it."""
        return bool(self.gate) and not self.state.over and not self.abort_by

    @property
    def mended(self) -> bool:
        """Fresh data have shown that it helped; a run that verifies nothing has only done its work."""
        return self.state is RunState.SUCCEEDED and bool(self.plan.verification.checks)

    @property
    def model_key(self) -> str:
        """The model's key, "name@environment"."""
        return f"{self.model}@{self.environment}"
