"""Served: is traffic shared as it was last decided?

A splitter forgets what it was told when it restarts (Envoy does: a rollback silently becomes the bad version again), and somebody
with a shell acts past everybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.checks import Family
from bot.core.errors import AiopsError
from bot.core.findings import SERVED, Finding, Verdict
from bot.core.incidents import Incident
from bot.core.models import Model, Split, same_split, split_words
from bot.core.ports import Unit
from bot.core.runs import RunState
from bot.core.windows import Window
from bot.core.words import SHARE
from bot.flow.desk import Desk

ACCEPTED = "accepted"
"""In an incident's evidence: the split that a person kept by resolving it."""

MINUTE = timedelta(minutes=1)
NAMED = "traffic not served as decided"


@dataclass(frozen=True, slots=True)
class Decided:
    """A split that somebody decided on, and when."""

    split: Split
    at: datetime

    @property
    def words(self) -> str:
        """As a sentence has it: "v6 100 % (26 Nov 21:30 UTC)"."""
        return f"{split_words(self.split)} ({self.at:%d %b %H:%M} UTC)"


def decided(unit: Unit, model: str) -> Decided | None:
    """Return the newest decision about this model's traffic (a key); None where there is none, or nobody knows what it left.

    A run that put everything back decided nothing; one that got stuck left something that nobody has decided.
    """
    runs = [run for run in unit.runs(model=model) if run.split and run.ended_at and run.state is not RunState.COMPENSATED]
    if not runs:
        return None
    run = max(runs, key=lambda run: run.ended_at or run.queued_at)
    left = None if run.state is RunState.FAILED else Decided(run.split, run.ended_at or run.queued_at)
    return max((*_accepted(unit, model, run.ended_at), *([left] if left else [])), key=lambda one: one.at, default=None)


def _accepted(unit: Unit, model: str, after: datetime | None) -> list[Decided]:
    """Return what people have kept as it was since then."""
    kept = [(incident.evidence.get(ACCEPTED), incident.resolved_at) for incident in unit.incidents(model=model)]
    return [Decided(split, at) for split, at in kept if isinstance(split, Mapping) and at and (after is None or at > after)]


def traffic(desk: Desk, model: Model, wanted: Split, words: str = "") -> Finding:
    """Return whether the platform shares traffic as wanted; the value is the share that goes elsewhere (total variation)."""
    window = Window.ending(desk.data.now().replace(second=0, microsecond=0), MINUTE)  # the same on every replica
    try:
        split = desk.split(model)
    except AiopsError as reason:
        return Finding(model.key, SERVED, Family.OPERATIONS, "model", Verdict.UNKNOWN, str(reason), window, label=NAMED)
    off = sum(abs(split.get(version, 0.0) - wanted.get(version, 0.0)) for version in {*split, *wanted}) / 2
    verdict = Verdict.HEALTHY if same_split(split, wanted) else Verdict.CRITICAL
    told = f"{model.serving} serves {split_words(split)}, decided was {words or split_words(wanted)}"
    return Finding(model.key, SERVED, Family.OPERATIONS, "model", verdict, told, window, SHARE, off, 0.0, label=NAMED)


def otherwise(incident: Incident) -> bool:
    """Return whether the incident says that something else is served than was decided."""
    return any(finding.check == SERVED for finding in incident.findings)


def kept(desk: Desk, incident: Incident) -> dict[str, object]:
    """Return the evidence that a person, by resolving this incident, keeps what is served now.

    Raises:
        ActionFailed: the platform does not say what it serves.
    """
    return {ACCEPTED: dict(desk.split(desk.model(incident.model_key)))} if otherwise(incident) else {}
