"""The store in memory, under the same unique rules as the databases; the contract suite holds all three to the same words.

A write works on a copy that replaces the state when the block ends well, so a raised exception leaves nothing behind. What is kept
went through the real codec once: a value that no database could hold fails here too.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from bot.core.actions import Json
from bot.core.approvals import Proposal, Standing, Vote
from bot.core.audit import GENESIS, AuditEntry, AuditRow
from bot.core.errors import Conflict, NotFound
from bot.core.findings import Finding, Verdict
from bot.core.gates import Press
from bot.core.holds import Hold, Kind
from bot.core.incidents import Incident, Note
from bot.core.lines import Lines
from bot.core.notices import Notice, Posted
from bot.core.ports import Unit
from bot.core.readings import Reading
from bot.core.runs import Run
from bot.store.codec import Arrays, dumps, loads
from bot.store.entries import settled

T = TypeVar("T")


@dataclass(frozen=True)
class Enqueued:
    """A workflow that was started with its transaction."""

    workflow: str
    number: str
    payload: Json
    lane: str


@dataclass
class State:
    """Everything that is stored; a write works on a copy of it."""

    incidents: dict[int, Incident] = field(default_factory=dict)
    notes: dict[tuple[object, ...], Note] = field(default_factory=dict)
    findings: dict[tuple[str, datetime], dict[tuple[str, str], Finding]] = field(default_factory=dict)
    references: dict[tuple[str, str], Reading] = field(default_factory=dict)
    lines: dict[tuple[str, str], tuple[str, Lines]] = field(default_factory=dict)
    proposals: dict[str, Proposal] = field(default_factory=dict)
    decided: set[str] = field(default_factory=set)
    votes: dict[tuple[str, str], Vote] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    presses: dict[tuple[str, str], Press] = field(default_factory=dict)
    holds: dict[tuple[Kind, str], Hold] = field(default_factory=dict)
    audit: list[AuditRow] = field(default_factory=list)
    notices: dict[str, Notice] = field(default_factory=dict)
    deliveries: dict[str, tuple[str, str]] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)
    enqueued: dict[str, Enqueued] = field(default_factory=dict)

    def copy(self) -> State:
        return State(*(type(part)(part) for part in vars(self).values()))  # values are frozen; only the containers are ours


class MemoryStore:
    """A `Store` in memory. `notices`, `revisions`, `enqueued` and `audit_log` show what a test wants to see."""

    def __init__(self) -> None:
        self._state = State()
        self._lock = threading.Lock()
        self._writing = threading.local()

    @contextmanager
    def write(self) -> Iterator[Unit]:
        if getattr(self._writing, "now", False):
            raise RuntimeError("This thread is writing already; use the unit it has.")
        with self._lock:
            self._writing.now = True
            try:
                draft = self._state.copy()
                yield MemoryUnit(draft, writing=True)
                self._state = draft
            finally:
                self._writing.now = False

    @contextmanager
    def read(self) -> Iterator[Unit]:
        yield MemoryUnit(self._state, writing=False)

    @property
    def notices(self) -> Mapping[str, Notice]:
        """Each message as people should see it now, by key, in the order of first telling."""
        return self._state.notices

    @property
    def revisions(self) -> Mapping[str, int]:
        """How often each message's content changed, by key; 1 after the first telling."""
        return self._state.revisions

    @property
    def enqueued(self) -> Sequence[Enqueued]:
        """Workflows started, oldest first."""
        return list(self._state.enqueued.values())

    @property
    def audit_log(self) -> Sequence[AuditRow]:
        """The audit rows, oldest first."""
        return list(self._state.audit)


class MemoryUnit:
    """A `Unit` over one state."""

    def __init__(self, state: State, *, writing: bool) -> None:
        self._now, self._writing = state, writing

    @property
    def _draft(self) -> State:
        if not self._writing:
            raise RuntimeError("This is a reading transaction; use store.write() to change something.")
        return self._now

    # incidents

    def open_incident(self, incident: Incident) -> Incident | None:
        draft = self._draft
        if incident.open and self.open_for(incident.key):
            return None
        opened = _kept(replace(incident, id=len(draft.incidents) + 1, version=1))
        draft.incidents[opened.id] = opened
        return opened

    def incident(self, number: int) -> Incident:
        if number not in self._now.incidents:
            raise NotFound(f"There is no incident #{number}.")
        return self._now.incidents[number]

    def open_for(self, key: str) -> Incident | None:
        return next((i for i in self._now.incidents.values() if i.open and i.key == key), None)

    def incidents(self, *, open_only: bool = False, model: str | None = None, limit: int = 200) -> Sequence[Incident]:
        found = (i for _, i in sorted(self._now.incidents.items(), reverse=True))
        return [i for i in found if (i.open or not open_only) and model in (None, i.model_key)][:limit]

    def troubled(self, models: Sequence[str]) -> frozenset[str]:
        return frozenset(i.model_key for i in self._now.incidents.values() if i.open and i.model_key in models)

    def save_incident(self, incident: Incident) -> Incident:
        draft, stored = self._draft, self.incident(incident.id)
        if stored.version != incident.version:
            raise Conflict(f"Incident #{incident.id} was changed by somebody else a moment ago; look again.")
        other = self.open_for(incident.key) if incident.open else None
        if other and other.id != incident.id:
            raise Conflict(f"Incident #{other.id} is open for {incident.key} already.")
        saved = _kept(replace(incident, version=incident.version + 1))
        draft.incidents[saved.id] = saved
        return saved

    def note(self, note: Note) -> bool:
        key = (note.model, note.environment, note.window, note.text)
        if key in self._draft.notes:
            return False
        self._draft.notes[key] = _kept(note)
        return True

    def notes(self, since: datetime, model: str | None = None) -> Sequence[Note]:
        kept = [n for n in self._now.notes.values() if n.at >= since and model in (None, n.model_key)]
        return sorted(kept, key=lambda n: n.at)

    # findings and references

    def record(self, slot: datetime, findings: Iterable[Finding]) -> None:
        draft, kept = self._draft, [_kept(f) for f in findings]
        for model in {f.model for f in kept}:
            mine = {f.key: f for f in kept if f.model == model}
            again = {check for check, _ in mine}
            before = draft.findings.get((model, slot), {})
            draft.findings[model, slot] = {key: f for key, f in before.items() if key[0] not in again} | mine

    def recent(self, model: str, key: tuple[str, str], before: datetime, n: int) -> Sequence[Verdict]:
        slots = [slot for slot in self._slots(model) if slot < before]
        verdicts = [self._now.findings[model, slot][key].verdict for slot in slots if key in self._now.findings[model, slot]]
        return verdicts[::-1][:n]

    def history(self, model: str, key: tuple[str, str], limit: int = 90) -> Sequence[Finding]:
        found = [self._now.findings[model, slot].get(key) for slot in self._slots(model)]
        return [f for f in found if f is not None][-limit:]

    def latest(self, model: str | None = None) -> Sequence[Finding]:
        newest: dict[tuple[str, str], dict[tuple[str, str], Finding]] = {}
        for (name, _), found in sorted(self._now.findings.items(), key=lambda item: item[0]):
            for check in {check for check, _ in found}:
                newest[name, check] = {key: f for key, f in found.items() if key[0] == check}
        return [newest[at][key] for at in sorted(newest) if model in (None, at[0]) for key in sorted(newest[at])]

    def _slots(self, model: str) -> list[datetime]:
        return sorted(slot for name, slot in self._now.findings if name == model)

    def reference(self, model: str, fingerprint: str) -> Reading | None:
        return self._now.references.get((model, fingerprint))

    def save_reference(self, model: str, fingerprint: str, reading: Reading) -> None:
        self._draft.references[model, fingerprint] = _kept(reading)

    def lines(self, model: str, watch: str, fingerprint: str) -> Lines | None:
        mark, kept = self._now.lines.get((model, watch), ("", None))
        return kept if mark == fingerprint else None

    def save_lines(self, model: str, watch: str, fingerprint: str, measured: Lines) -> None:
        self._draft.lines[model, watch] = (fingerprint, _kept(measured))

    # proposals, votes, runs

    def add_proposal(self, proposal: Proposal) -> None:
        if proposal.id in self._draft.proposals:
            raise Conflict(f"Proposal {proposal.id} exists already.")
        self.incident(proposal.incident)
        self._draft.proposals[proposal.id] = _kept(proposal)

    def proposal(self, number: str) -> Proposal:
        if number not in self._now.proposals:
            raise NotFound(f"There is no proposal {number}.")
        return self._now.proposals[number]

    def proposals(self, *, incident: int | None = None, waiting: bool = False) -> Sequence[Proposal]:
        found = sorted(self._now.proposals.values(), key=lambda p: (p.proposed_at, p.id), reverse=True)
        wanted = (p for p in found if incident in (None, p.incident))
        return [p for p in wanted if not waiting or p.standing is Standing.WAITING]

    def close_proposal(self, proposal: Proposal) -> bool:
        if proposal.standing is Standing.WAITING:
            raise ValueError(f"Proposal {proposal.id} is still waiting; close it with a decision.")
        self.proposal(proposal.id)
        if proposal.id in self._draft.decided:
            return False
        self._draft.decided.add(proposal.id)
        self._draft.proposals[proposal.id] = _kept(proposal)
        return True

    def save_proposal(self, proposal: Proposal) -> bool:
        known = self._draft.proposals.get(proposal.id)
        if known is None or known.standing is not proposal.standing:
            return False
        self._draft.proposals[proposal.id] = _kept(proposal)
        return True

    def add_vote(self, vote: Vote) -> bool:
        self.proposal(vote.proposal)
        if (vote.proposal, vote.by) in self._draft.votes:
            return False
        self._draft.votes[vote.proposal, vote.by] = _kept(vote)
        return True

    def votes(self, proposal: str) -> Sequence[Vote]:
        mine = [vote for (number, _), vote in self._now.votes.items() if number == proposal]
        return sorted(mine, key=lambda vote: (vote.at, vote.by))

    def save_run(self, run: Run) -> None:
        self.incident(run.incident)
        earlier = self._draft.runs.get(run.id)
        asked = run.abort_by or (earlier.abort_by if earlier else "")  # an asked-for stop is never overwritten by progress
        self._draft.runs[run.id] = _kept(replace(run, abort_by=asked))

    def run(self, number: str) -> Run:
        if number not in self._now.runs:
            raise NotFound(f"There is no run {number}.")
        return self._now.runs[number]

    def runs(self, *, model: str | None = None, incident: int | None = None, active: bool = False) -> Sequence[Run]:
        found = sorted(self._now.runs.values(), key=lambda r: (r.queued_at, r.id), reverse=True)
        wanted = (r for r in found if model in (None, r.model_key) and incident in (None, r.incident))
        return [r for r in wanted if not (active and r.state.over)]

    def runs_of(self, models: Sequence[str]) -> Mapping[str, Sequence[Run]]:
        return {model: self.runs(model=model) for model in models}

    def press(self, press: Press) -> bool:
        self.run(press.run)
        if (press.run, press.step) in self._draft.presses:
            return False
        self._draft.presses[press.run, press.step] = _kept(press)
        return True

    def presses(self, run: str) -> Sequence[Press]:
        mine = [press for (number, _), press in self._now.presses.items() if number == run]
        return sorted(mine, key=lambda press: (press.at, press.step))

    # what stands until a person lifts it

    def hold(self, hold: Hold) -> bool:
        if (hold.kind, hold.subject) in self._draft.holds:
            return False
        self._draft.holds[hold.kind, hold.subject] = _kept(hold)
        return True

    def holds(self, kind: Kind) -> Sequence[Hold]:
        return sorted((h for h in self._now.holds.values() if h.kind is kind), key=lambda h: (h.at, h.subject))

    def lift(self, kind: Kind, subject: str) -> Hold | None:
        return self._draft.holds.pop((kind, subject), None)

    # the record, and what leaves the transaction with it

    def audit(self, entry: AuditEntry) -> AuditRow:
        log = self._draft.audit
        row = AuditRow(len(log) + 1, settled(entry), log[-1].hash if log else GENESIS)
        log.append(row)
        return row

    def audit_rows(self, limit: int) -> Sequence[AuditRow]:
        return self._now.audit[max(0, len(self._now.audit) - limit) :]

    def announce(self, notice: Notice) -> None:
        draft = self._draft
        if notice.thread and not notice.channel and notice.thread in draft.notices:
            notice = replace(notice, channel=draft.notices[notice.thread].channel)  # an answer stands where its thread stands
        kept = _kept(notice)
        if notice.key not in draft.notices or dumps(draft.notices[notice.key]) != dumps(kept):
            draft.notices[notice.key] = kept
            draft.revisions[notice.key] = draft.revisions.get(notice.key, 0) + 1

    def posted(self, key: str) -> Posted | None:
        notice = self._now.notices.get(key)
        return Posted(notice, *self._now.deliveries.get(key, ("sent", ""))) if notice else None

    def enqueue(self, workflow: str, number: str, payload: Json, *, lane: str) -> None:
        started = self._draft.enqueued.setdefault(number, Enqueued(workflow, number, payload, lane))
        if started.workflow != workflow:
            raise Conflict(f"Workflow '{number}' is a {started.workflow} already.")


def _kept(value: T) -> T:
    """Return the value as a database would give it back."""
    arrays: Arrays = {}
    text = dumps(value, arrays)
    return loads(type(value), text, arrays)
