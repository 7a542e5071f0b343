"""One transaction, as the story sees it. What each noun's rows are stands in its own file; here is only who may hold the pen."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select

from bot.core.actions import Json
from bot.core.approvals import Proposal, Vote
from bot.core.audit import AuditEntry, AuditRow
from bot.core.errors import ConfigError
from bot.core.findings import Finding, Verdict
from bot.core.gates import Press
from bot.core.holds import Hold, Kind
from bot.core.incidents import Incident, Note
from bot.core.lines import Lines
from bot.core.notices import Notice, Posted
from bot.core.readings import Reading
from bot.core.runs import Run
from bot.store import audit, findings, gates, holds, incidents, lines, notices, proposals, references, runs

PEN = 0x61696F7073  # "aiops": the advisory lock of everybody who writes the story


class SqlUnit:
    """The `Unit` over one open transaction."""

    def __init__(
        self,
        connection: Connection,
        *,
        writing: bool,
        now: Callable[[], datetime],
        enqueue: Callable[[Connection, str, str, Json, str], None] | None,
    ) -> None:
        self._connection, self._writing, self._now, self._enqueue = connection, writing, now, enqueue
        self._has_pen = connection.dialect.name == "sqlite"  # BEGIN IMMEDIATE is the pen there

    @property
    def _story(self) -> Connection:
        """The connection, with the pen when this unit may write: what it reads from then on, nobody else can change."""
        if self._writing and not self._has_pen:
            self._connection.execute(select(func.pg_advisory_xact_lock(PEN)))
            self._has_pen = True
        return self._connection

    def _pen(self) -> Connection:
        """Return the connection to write the story with."""
        self._must_write()
        return self._story

    def _must_write(self) -> Connection:
        if not self._writing:
            raise RuntimeError("This is a reading transaction; use store.write() to change something.")
        return self._connection

    # incidents

    def open_incident(self, incident: Incident) -> Incident | None:
        """Insert it under the next number; None when one with its key is open already."""
        return incidents.open_new(self._pen(), incident)

    def incident(self, number: int) -> Incident:
        """Return it, or raise NotFound."""
        return incidents.get(self._story, number)

    def open_for(self, key: str) -> Incident | None:
        """Return the open incident of this dedup key."""
        return incidents.open_for(self._story, key)

    def incidents(self, *, open_only: bool = False, model: str | None = None, limit: int = 200) -> Sequence[Incident]:
        """Return incidents, newest first."""
        return incidents.newest(self._story, open_only=open_only, model=model, limit=limit)

    def troubled(self, models: Sequence[str]) -> frozenset[str]:
        """Return those of these models of which an incident is open; without the pen."""
        return incidents.troubled(self._connection, models)

    def save_incident(self, incident: Incident) -> Incident:
        """Write it as the next version; Conflict when somebody wrote since it was read."""
        return incidents.save(self._pen(), incident)

    def note(self, note: Note) -> bool:
        """Keep a line for the digest, once a (model, environment, window, text); return whether it was new."""
        return incidents.add_note(self._must_write(), note)

    def notes(self, since: datetime, model: str | None = None) -> Sequence[Note]:
        """Return digest lines, oldest first."""
        return incidents.notes_since(self._connection, since, model)

    # findings and references

    def record(self, slot: datetime, findings_: Iterable[Finding]) -> None:
        """Keep what was found at this slot; the same slot of a model again replaces it whole."""
        findings.record(self._must_write(), slot, findings_)

    def recent(self, model: str, key: tuple[str, str], before: datetime, n: int) -> Sequence[Verdict]:
        """Return the verdicts of one (check, subject) at the last `n` slots before this one, newest first."""
        return findings.recent(self._connection, model, key, before, n)

    def history(self, model: str, key: tuple[str, str], limit: int = 90) -> Sequence[Finding]:
        """Return the newest `limit` findings of one (check, subject), oldest first."""
        return findings.history(self._connection, model, key, limit)

    def latest(self, model: str | None = None) -> Sequence[Finding]:
        """Return the findings of each model's newest slot."""
        return findings.latest(self._connection, model)

    def reference(self, model: str, fingerprint: str) -> Reading | None:
        """Return the stored reference reading of this fingerprint."""
        return references.get(self._connection, model, fingerprint)

    def save_reference(self, model: str, fingerprint: str, reading: Reading) -> None:
        """Keep a reference reading."""
        references.save(self._must_write(), model, fingerprint, reading)

    def lines(self, model: str, watch: str, fingerprint: str) -> Lines | None:
        """Return the measured lines of a watch that were kept under this fingerprint."""
        return lines.get(self._connection, model, watch, fingerprint)

    def save_lines(self, model: str, watch: str, fingerprint: str, measured: Lines) -> None:
        """Keep the measured lines of a watch, in place of those of another fingerprint."""
        lines.save(self._must_write(), model, watch, fingerprint, measured)

    # proposals, votes, runs

    def add_proposal(self, proposal: Proposal) -> None:
        """Insert it; Conflict when its id is taken."""
        proposals.add(self._pen(), proposal)

    def proposal(self, number: str) -> Proposal:
        """Return it, or raise NotFound."""
        return proposals.get(self._story, number)

    def proposals(self, *, incident: int | None = None, waiting: bool = False) -> Sequence[Proposal]:
        """Return proposals, newest first."""
        return proposals.newest(self._story, incident=incident, waiting=waiting)

    def close_proposal(self, proposal: Proposal) -> bool:
        """Write a decision; False when another one was first."""
        return proposals.close(self._pen(), proposal)

    def save_proposal(self, proposal: Proposal) -> bool:
        """Write it anew in the same standing; False when it no longer stands so."""
        return proposals.save(self._pen(), proposal)

    def add_vote(self, vote: Vote) -> bool:
        """Count a vote; False when this person has voted already."""
        return proposals.add_vote(self._pen(), vote)

    def votes(self, proposal: str) -> Sequence[Vote]:
        """Return the votes, oldest first."""
        return proposals.votes_on(self._story, proposal)

    def save_run(self, run: Run) -> None:
        """Insert or update a run; a stop that somebody asked for is never overwritten by progress."""
        runs.save(self._pen(), run)

    def run(self, number: str) -> Run:
        """Return it, or raise NotFound."""
        return runs.get(self._story, number)

    def runs(self, *, model: str | None = None, incident: int | None = None, active: bool = False) -> Sequence[Run]:
        """Return runs, newest first."""
        return runs.newest(self._story, model=model, incident=incident, active=active)

    def runs_of(self, models: Sequence[str]) -> Mapping[str, Sequence[Run]]:
        """Return the runs of each of these models, in one question."""
        return runs.of_models(self._connection, models)

    def press(self, press: Press) -> bool:
        """Continue a run at a gate; False when somebody has done so already."""
        return gates.add(self._pen(), press)

    def presses(self, run: str) -> Sequence[Press]:
        """Return who continued this run before which step, oldest first."""
        return gates.of(self._story, run)

    # what stands until a person lifts it

    def hold(self, hold: Hold) -> bool:
        """Hold something; False when the same is held already."""
        return holds.add(self._pen(), hold)

    def holds(self, kind: Kind) -> Sequence[Hold]:
        """Return what is held, oldest first."""
        return holds.standing(self._story, kind)

    def lift(self, kind: Kind, subject: str) -> Hold | None:
        """Lift a hold and return it; None when it does not stand."""
        return holds.lift(self._pen(), kind, subject)

    # the record, and what leaves the transaction with it

    def audit(self, entry: AuditEntry) -> AuditRow:
        """Append to the audit log; part of this transaction."""
        return audit.append(self._pen(), entry)

    def audit_rows(self, limit: int) -> Sequence[AuditRow]:
        """Return the newest rows of the audit log, newest last."""
        return [row for row, _ in audit.stored(self._connection, newest=limit)]

    def announce(self, notice: Notice) -> None:
        """Say what people should see; delivered after this transaction commits."""
        notices.announce(self._pen(), notice, self._now())

    def posted(self, key: str) -> Posted | None:
        """Return what was announced under this key last and how far it is; None where nothing was."""
        return notices.posted(self._story, key)

    def enqueue(self, workflow: str, number: str, payload: Json, *, lane: str) -> None:
        """Start a durable workflow with this transaction, once a number; one at a time a lane.

        Raises:
            ConfigError: the store was opened without an engine (a reading command of the shell).
        """
        connection = self._must_write()
        if self._enqueue is None:
            raise ConfigError(f"This process has no engine and cannot start '{workflow}'; do it through a running `aiops serve`.")
        self._enqueue(connection, workflow, number, payload, lane)
