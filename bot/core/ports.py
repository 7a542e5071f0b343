"""What the story needs of the world, as protocols. The workshop rooms implement them; `tests/fakes` does so in memory."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from bot.core.actions import Json, Platform
from bot.core.approvals import Principal
from bot.core.audit import AuditEntry, AuditRow
from bot.core.deciding import Deciding
from bot.core.findings import Finding, Verdict
from bot.core.gates import Pressing
from bot.core.holds import Holding
from bot.core.incidents import Incident, Note
from bot.core.lines import Lines
from bot.core.metrics import Series
from bot.core.models import Model, Split
from bot.core.notices import Notice, Posted
from bot.core.profiles import ColumnProfile, Floats, Profiles
from bot.core.readings import Reading, Sample
from bot.core.runs import Run
from bot.core.watching import Watching
from bot.core.windows import Window


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> datetime:
        """Return the time, UTC."""
        ...


class Source(Protocol):
    """A prediction log that can be read one window at a time."""

    name: str

    def reading(
        self, model: Model, window: Window, like: Profiles | None = None, *, as_of: datetime | None = None, whole_rows: bool = True
    ) -> Reading:
        """Profile one window; `like` gives the reference's cut points, without it the window becomes a reference.

        A label counts when it had arrived before `as_of` (usually later than the window's end); None takes all that are there.
        Some rows are kept whole (`Reading.joint`) unless `whole_rows` says that nobody looks at them.

        Raises:
            SourceUnavailable: the log cannot be read now.
        """
        ...

    def sample(self, model: Model, window: Window, limit: int, version: str | None = None) -> Sample:
        """Return at most `limit` labelled rows spread evenly over the window, the same ones at every call."""
        ...


class Meter(Protocol):
    """A source that holds no predictions, but the numbers that somebody measures about serving them."""

    name: str

    def series(self, queries: Mapping[str, str], window: Window) -> Mapping[str, Series]:
        """Ask every query over a window; what cannot be told, for whatever reason, says so in its series and raises nothing."""
        ...


class Resampling(Protocol):
    """The numerics of measured lines: windows that might have been, and how rare one look must be."""

    def drawn(self, parts: int, take: int, times: int) -> npt.NDArray[np.int64]:
        """Return which parts make each window, shape (times, take)."""
        ...

    def without(self, whole: ColumnProfile, part: ColumnProfile) -> ColumnProfile:
        """Return the profile of a column without some of its rows."""
        ...

    def chance_a_look(self, wanted: float, windows: float, step: float, persist: tuple[int, int], measures: int) -> float:
        """Return the chance of one look with which at most so many false incidents come in a time of so many windows."""
        ...

    def heights(self, badness: Floats, chance: float, independent: float) -> Floats:
        """Return a line a measure, any of which draws cross with this chance; NaN where there is nothing to learn."""
        ...


class Splitter(Platform, Protocol):
    """A traffic splitter: the thing in front of the versions of a model; its shares are whole steps of 1 / `grain`."""

    grain: int

    def split(self, target: str) -> Split:
        """Return the configured shares, as the splitter itself reports them."""
        ...

    def set_split(self, target: str, split: Split, key: str) -> None:
        """Ask for these shares. Absolute; raises OutcomeUnknown when the answer was cut off."""
        ...

    def requests(self, target: str) -> Mapping[str, int]:
        """Return how many requests each version has answered since the splitter started: counters, not configuration."""
        ...


class Scorer(Protocol):
    """Model versions that can be asked to score given rows, without serving anybody."""

    def versions(self, target: str) -> Sequence[str]:
        """Return the versions that can be asked, oldest first."""
        ...

    def score(self, target: str, version: str, sample: Sample) -> Floats:
        """Return this version's scores for the sample's rows, shape (n,)."""
        ...


@dataclass(frozen=True, slots=True)
class SourceKind:
    """A way of reading logs: `make(options)` builds one from its section of the configuration; `options` explains each."""

    name: str
    make: Callable[[Mapping[str, object]], Source]
    options: Mapping[str, str] = field(default_factory=dict)
    summary: str = ""


@dataclass(frozen=True, slots=True)
class ConnectorKind:
    """A platform: `make(options)` builds the object that its actions talk to."""

    name: str
    make: Callable[[Mapping[str, object]], Platform]
    options: Mapping[str, str] = field(default_factory=dict)
    summary: str = ""


class Unit(Deciding, Holding, Pressing, Watching, Protocol):
    """One transaction: everything said through it happens together or not at all."""

    # incidents; where `model` filters, it is a model's key, "name@environment"
    def open_incident(self, incident: Incident) -> Incident | None:
        """Insert it under the next number; None when one with its key is open already."""
        ...

    def incident(self, number: int) -> Incident:
        """Return it, or raise NotFound."""
        ...

    def open_for(self, key: str) -> Incident | None:
        """Return the open incident of this dedup key."""
        ...

    def incidents(self, *, open_only: bool = False, model: str | None = None, limit: int = 200) -> Sequence[Incident]:
        """Return incidents, newest first."""
        ...

    def save_incident(self, incident: Incident) -> Incident:
        """Write it as the next version; Conflict when somebody wrote since it was read."""
        ...

    def note(self, note: Note) -> bool:
        """Keep a line for the digest, once a (model, window, text); return whether it was new."""
        ...

    def notes(self, since: datetime, model: str | None = None) -> Sequence[Note]:
        """Return digest lines, oldest first."""
        ...

    # findings and references
    def record(self, slot: datetime, findings: Iterable[Finding]) -> None:
        """Keep what was found at this slot; the same slot again replaces it, check by check."""
        ...

    def recent(self, model: str, key: tuple[str, str], before: datetime, n: int) -> Sequence[Verdict]:
        """Return the verdicts of one (check, subject) at the last `n` slots before this one, newest first."""
        ...

    def history(self, model: str, key: tuple[str, str], limit: int = 90) -> Sequence[Finding]:
        """Return the findings of one (check, subject), oldest first: what a chart shows."""
        ...

    def latest(self, model: str | None = None) -> Sequence[Finding]:
        """Return what each check of each model found at its newest slot."""
        ...

    def reference(self, model: str, fingerprint: str) -> Reading | None:
        """Return the stored reference reading of this fingerprint."""
        ...

    def save_reference(self, model: str, fingerprint: str, reading: Reading) -> None:
        """Keep a reference reading."""
        ...

    def lines(self, model: str, watch: str, fingerprint: str) -> Lines | None:
        """Return the measured lines of a watch that were kept under this fingerprint."""
        ...

    def save_lines(self, model: str, watch: str, fingerprint: str, measured: Lines) -> None:
        """Keep the measured lines of a watch, in place of those of another fingerprint."""
        ...

    # runs
    def save_run(self, run: Run) -> None:
        """Insert or update a run."""
        ...

    def run(self, number: str) -> Run:
        """Return it, or raise NotFound."""
        ...

    def runs(self, *, model: str | None = None, incident: int | None = None, active: bool = False) -> Sequence[Run]:
        """Return runs, newest first."""
        ...

    # the record, and what leaves the transaction with it
    def audit(self, entry: AuditEntry) -> AuditRow:
        """Append to the audit log; part of this transaction."""
        ...

    def audit_rows(self, limit: int) -> Sequence[AuditRow]:
        """Return the newest rows of the audit log, newest last."""
        ...

    def announce(self, notice: Notice) -> None:
        """Say what people should see; delivered after this transaction commits."""
        ...

    def posted(self, key: str) -> Posted | None:
        """Return what was announced under this key last and how far it is; None where nothing was."""
        ...

    def enqueue(self, workflow: str, number: str, payload: Json, *, lane: str) -> None:
        """Start a durable workflow with this transaction, once a number; one at a time a lane."""
        ...


class Store(Protocol):
    """The database."""

    def write(self) -> AbstractContextManager[Unit]:
        """Begin a writing transaction; commits at the end, rolls back on an exception."""
        ...

    def read(self) -> AbstractContextManager[Unit]:
        """Begin a reading transaction."""
        ...


def never() -> bool:
    """Say no: nothing cuts the wait short."""
    return False


class Journal(Protocol):
    """A durable workflow's memory. Outside a `step` a workflow body must do nothing but decide."""

    id: str

    def step(self, name: str, do: Callable[[], Json]) -> Json:
        """Do it and remember what it returned; after a crash the remembered answer is given instead.

        A step that finds the bot's own database away (StoreUnavailable) is done again, so its body never hears of that.
        """
        ...

    def sleep(self, seconds: float, cut_short: Callable[[], bool] = never) -> None:
        """Wait; a restart waits only what is left.

        `cut_short` is asked about every second, and ends the wait when it says yes. What it said is not remembered, so the body
        must not decide by it: what made it say so has to be found by the next step.
        """
        ...


class Directory(Protocol):
    """Who people are: roles by the configuration, names by Slack."""

    def principal(self, slack_id: str) -> Principal:
        """Return the person with the roles they hold now."""
        ...

    def mention(self, team: str) -> str:
        """Return how Slack mentions a team: its user group, its people, or its plain name."""
        ...

    def channel(self, team: str) -> str:
        """Return the channel where this team's incidents go."""
        ...

    def teams(self) -> Sequence[str]:
        """Return the teams that are known, sorted."""
        ...
