"""What Prefect tells of a flow run: its state, in our stages and in words that lead a person to it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.connectors.prefect.api import STRANGE, identity
from bot.core.errors import ActionFailed
from bot.core.jobs import Stage

STAGES = {
    "SCHEDULED": Stage.RUNNING,
    "PENDING": Stage.RUNNING,
    "RUNNING": Stage.RUNNING,
    "PAUSED": Stage.RUNNING,
    "CANCELLING": Stage.RUNNING,
    "COMPLETED": Stage.SUCCEEDED,
    "FAILED": Stage.FAILED,
    "CRASHED": Stage.FAILED,
    "CANCELLED": Stage.FAILED,
}
BROKEN = ("FAILED", "CRASHED")
SAYS = {
    "Scheduled": "waits for a worker",
    "Late": "waits for a worker, and should have begun by now",
    "AwaitingRetry": "broke down and will be tried again",
    "AwaitingConcurrencySlot": "waits for a free slot",
    "Paused": "is paused; somebody has to resume it in Prefect",
    "Suspended": "is suspended; somebody has to resume it in Prefect",
    "Pending": "is being begun",
    "Submitting": "is being begun",
    "InfrastructurePending": "waits for its machine",
    "Running": "runs",
    "Retrying": "runs once more",
    "Cancelling": "is being stopped",
}
"""A state's name, which says more than its type; people may give names of their own."""
NOISE = "Flow run encountered an exception: "
PASSWORD = re.compile(r"(?<=://)[^/\s@]+(?=@)")
"""An exception may quote the address of a database, with its password."""
MOST_CHARS, NAME_CHARS = 300, 60


@dataclass(frozen=True, slots=True)
class Run:
    """One flow run: type and name of its state, and what the state says."""

    id: str
    key: str
    type: str
    state: str
    message: str

    @property
    def stage(self) -> Stage:
        """Where it stands."""
        return STAGES[self.type]


def run(told: Mapping[str, Any], key: str) -> Run:
    """Return the run that was asked for by its key, or raise ActionFailed where this is another one, or none."""
    state = told.get("state")
    message = state.get("message") if isinstance(state, dict) else None
    name, kind = told.get("state_name"), told.get("state_type")
    if told.get("idempotency_key") != key or not isinstance(kind, str) or kind not in STAGES:
        raise ActionFailed(f"Prefect {STRANGE} It tells of a run '{key}' in no state that there is.")
    return Run(identity(told), key, kind, str(name or kind.capitalize()), plain(message))


def plain(message: object) -> str:
    """Return what a state says as one line, without what every failure says and without passwords in addresses."""
    text = " ".join(message.split()) if isinstance(message, str) else ""
    return PASSWORD.sub("…", text.removeprefix(NOISE))[:MOST_CHARS]


def ended(run: Run, tasks: Sequence[str]) -> str:
    """Return how a run ended: what broke in it, or its state, and what it says itself."""
    said = f": {run.message}" if run.message else ""
    if not tasks:
        return f"run {run.key} ended as '{run.state[:NAME_CHARS]}'{said}"
    return f"task{'s' if len(tasks) > 1 else ''} {', '.join(tasks)} failed in run {run.key}{said}"


def going(run: Run, tasks: Sequence[str], progress: str, obstacle: str) -> str:
    """Return how far a run is, and what keeps it where something does."""
    words = SAYS.get(run.state, f"is '{run.state[:NAME_CHARS]}'")
    done = ", ".join([*(f"task {task}" for task in tasks), *([progress] if progress else [])])
    said = done or (run.message if run.state == "AwaitingRetry" else "")
    return f"run {run.key} {words}{f': {said}' if said else ''}{f'; {obstacle}' if obstacle else ''}"


def names(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what task runs are called, quoted."""
    named = (row.get("name") for row in rows)
    return sorted({f"'{name[:NAME_CHARS]}'" for name in named if isinstance(name, str) and name})


def progress(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return how far the newest progress artifact says it is, e.g. "epochs 75 %"; empty where there is none."""
    for row in rows[:1]:
        share, label = row.get("data"), row.get("description") or row.get("key") or "progress"
        if isinstance(share, int | float) and not isinstance(share, bool) and 0 <= share <= 100:
            return f"{plain(label)[:NAME_CHARS]} {share:.3g} %"
    return ""
