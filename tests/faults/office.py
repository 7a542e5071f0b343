"""An office without Slack: the real verbs over the real store and engine, replicas that may be killed, and a splitter that counts.

Every model has one incident and one remedy, a playbook of real YAML; people decide from this process or from others. It imports
little, because every replica starts anew.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from bot import shelf
from bot.actions.set_traffic import set_traffic
from bot.core.actions import UNDO
from bot.core.approvals import Policy, Principal, Proposal
from bot.core.audit import AuditRow, first_break
from bot.core.errors import AiopsError
from bot.core.models import Model, Split
from bot.core.ports import Journal
from bot.core.runs import Run
from bot.core.waiting import pause
from bot.core.windows import Window
from bot.engine.durable import Durable, Pace
from bot.flow.decide import RUN, approve, reject
from bot.flow.desk import Desk
from bot.flow.execute import execute
from bot.flow.propose import propose
from bot.store.database import SqlStore, open_store
from tests.fakes.nouns import NOON, an_incident
from tests.fakes.world import FakeDirectory, paired
from tests.faults.lives import Book, Lives, holders, to_be_told_to_go

STEPS = ("third", "two thirds", "all")
SHARES = (0.25, 0.5, 1.0)
ON_CALL = frozenset({"on-call"})
ANA, BO, DEE = (Principal(f"U0{name.upper()}", name, ON_CALL) for name in ("ana", "bo", "dee"))
BRISK = Pace(poll_s=0.05, beat_s=0.2, ttl_s=1.2, runs_at_once=8)


class Now:
    """The time of people."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class Ledger(Book):
    """A splitter that keeps its state and every call in a file, applies a key once, and may be slow to answer.

    One that is `stuck` never comes into service with what it was asked for, unless that is the way back.
    """

    slow_s: float = 0.0
    stuck: bool = False
    name: str = "edge"
    grain: int = 100

    def build(self) -> "Ledger":
        with self._open() as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("CREATE TABLE effects (key TEXT PRIMARY KEY, target TEXT)")
            db.execute("CREATE TABLE calls (key TEXT, target TEXT, share REAL, at REAL)")
            db.execute("CREATE TABLE splits (target TEXT PRIMARY KEY, split TEXT)")
            db.execute("CREATE TABLE counts (target TEXT, version TEXT, n INTEGER, PRIMARY KEY (target, version))")
        return self

    def split(self, target: str) -> Split:
        with self._open() as db:
            row = db.execute("SELECT split FROM splits WHERE target = ?", (target,)).fetchone()
        return json.loads(row[0]) if row else {"v1": 0.0, "v2": 1.0}

    def set_split(self, target: str, split: Split, key: str) -> None:
        with self._open() as db:
            db.execute("INSERT INTO calls VALUES (?, ?, ?, ?)", (key, target, split["v1"], time.time()))
            if db.execute("INSERT INTO effects VALUES (?, ?) ON CONFLICT DO NOTHING", (key, target)).rowcount:
                told = json.dumps(dict(split))
                db.execute("INSERT INTO splits VALUES (?, ?) ON CONFLICT DO UPDATE SET split = excluded.split", (target, told))
        time.sleep(self.slow_s)  # between the effect and its answer: where a kill hurts most
        if self.stuck and not key.endswith(UNDO):
            pause(3_600)

    def requests(self, target: str) -> Mapping[str, int]:
        """Serve ten thousand more requests, and return how many each version has answered."""
        with self._open() as db:
            for version, share in self.split(target).items():
                more = (target, version, round(10_000 * share))
                db.execute("INSERT INTO counts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n", more)
            return dict(db.execute("SELECT version, n FROM counts WHERE target = ?", (target,)).fetchall())

    def effects(self) -> list[str]:
        return [str(key) for (key,) in self._all("SELECT key FROM effects")]

    def calls(self) -> list[tuple[str, float]]:
        """Return what was asked for, oldest first: key and share of the earlier version."""
        return [(str(key), float(str(share))) for key, share in self._all("SELECT key, share FROM calls ORDER BY at, rowid")]


@dataclass(frozen=True)
class Papers:
    """What a replica of the office is given to work by."""

    url: str
    folder: Path
    models: int
    slow_s: float = 0.0
    stuck: bool = False
    executor: str = ""
    pace: Pace = BRISK
    another_body: bool = False
    """Carry runs out by a body of other steps, as a careless release would."""

    @property
    def splitter(self) -> Ledger:
        return Ledger(self.folder / "splitter.db", self.slow_s, self.stuck)

    @property
    def playbook(self) -> Path:
        return self.folder / "playbooks" / "rollback.yaml"


def keys(run: str) -> list[str]:
    """Return what this run's steps are known by at the splitter."""
    return [f"{run}:{step}" for step in STEPS]


def remedy(shares: Sequence[tuple[str, float]] = tuple(zip(STEPS, SHARES, strict=True)), **last: object) -> str:
    """Return a playbook that moves traffic in these steps; `last` is said of the last one."""
    steps: list[dict[str, object]] = [
        {"name": name, "action": "set_traffic", "parameters": {"version": "{{ to_version }}", "share": share}}
        for name, share in shares
    ]
    steps[-1] |= last
    written = {
        "name": "rollback",
        "title": "Roll back",
        "summary": "Sends traffic to an earlier version.",
        "offered": {"families": ["performance"]},
        "parameters": [{"name": "to_version", "kind": "version", "title": "Version"}],
        "steps": steps,
    }
    return yaml.safe_dump(written, sort_keys=False)


def desk_of(papers: Papers, store: SqlStore, *, expires: timedelta = timedelta(hours=4)) -> Desk:
    """Lay a desk with the real verbs' needs, read from the papers as a starting bot reads them."""
    stretch = Window(NOON - timedelta(days=9), NOON - timedelta(days=4))
    models = [Model(f"m{n}", "production", "ml", "log", "edge", stretch, ()) for n in range(papers.models)]
    return Desk(
        clock=Now(),
        data=Now(),
        store=store,
        directory=FakeDirectory(),
        models={model.key: model for model in models},
        sources={},
        platforms={"edge": papers.splitter},
        scorers={},
        checks={},
        actions={"set_traffic": set_traffic},
        playbooks={"rollback": shelf.load(papers.playbook)},
        policies={"rollback": Policy(ON_CALL, expires=expires)},
        expand=shelf.expand,
        paired=paired,
        resampling=None,  # type: ignore[arg-type]  # nothing is calibrated here
        poll_s=0.1,
    )


def carry_out(desk: Desk, journal: Journal, number: str, *, another: bool) -> Mapping[str, object]:
    if another:
        journal.step("a step that was not there before", dict)
    return execute(desk, journal, number)


@contextmanager
def opened(papers: Papers, *, expires: timedelta = timedelta(hours=4)) -> Iterator[tuple[Desk, Durable]]:
    """Open the office in this process: people can decide; runs are carried out once the engine is launched."""
    engine = Durable(papers.url, executor=papers.executor, pace=papers.pace)
    store = open_store(papers.url, enqueue=engine.enqueue)
    desk = desk_of(papers, store, expires=expires)
    engine.register(RUN, lambda journal, payload: carry_out(desk, journal, str(payload["run"]), another=papers.another_body))
    try:
        yield desk, engine
    finally:
        engine.stop(drain_s=5)
        store.close()


def works(papers: Papers) -> None:
    """One replica, from start to SIGTERM, or to SIGKILL."""
    told_to_go = to_be_told_to_go()
    with opened(papers) as (_, engine):
        engine.launch()
        told_to_go.wait()


def clicks(papers: Papers, proposals: list[str], finger: int, gate: Any, told: Any) -> None:
    """Be one person who clicks on each proposal at the very moment at which all others do; every other one rejects."""
    person, answers = Principal(f"U{finger}", f"person {finger}", ON_CALL), []
    with opened(papers) as (desk, _):
        for number in proposals:
            gate.wait(60)
            try:
                _ = approve(desk, number, by=person) if finger % 2 else reject(desk, number, by=person, reason="No.")
            except AiopsError as refused:
                answers.append(str(refused))
            else:
                answers.append("")
    told.put((finger, answers))


class Office:
    """The office as a test sees it: it decides and looks, and runs nothing in this process."""

    def __init__(self, papers: Papers, desk: Desk, engine: Durable, lives: Lives) -> None:
        self.papers, self.desk, self.engine, self._lives = papers, desk, engine, lives
        self.splitter = papers.splitter

    def begins(self, **special: object) -> Any:
        """Start a replica."""
        return self._lives.begin(replace(self.papers, **special), works)  # type: ignore[arg-type]

    def is_staffed(self) -> bool:
        """Whether anybody has a lease."""
        return bool(holders(self.engine))

    def kills(self, replica: Any) -> None:
        self._lives.kill(replica)

    def deploys(self, playbook: str) -> None:
        """Lay another version of the playbook down; whoever starts from now on reads it."""
        self.papers.playbook.write_text(playbook, "utf-8")
        self.desk = replace(self.desk, playbooks={"rollback": shelf.load(self.papers.playbook)})

    def proposed(self, model: int) -> Proposal:
        """Open this model's incident and propose its remedy."""
        with self.desk.store.write() as unit:
            incident = unit.open_incident(an_incident(model=f"m{model}", findings=(), evidence={}))
        assert incident is not None
        return propose(self.desk, incident.id, "rollback", {"to_version": "v1"}, by=ANA)

    def run(self, number: str) -> Run:
        with self.desk.store.read() as unit:
            return unit.run(number)

    def runs(self) -> list[Run]:
        with self.desk.store.read() as unit:
            return list(unit.runs())

    def record(self) -> list[AuditRow]:
        """Return the audit log, which must have neither gap nor break."""
        with self.desk.store.read() as unit:
            rows = list(unit.audit_rows(1_000_000))
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        assert first_break(rows, [row.hash for row in rows]) is None
        return rows

    def audited(self) -> Counter[tuple[str, str]]:
        """Return how often each action was audited of each target."""
        return Counter((row.entry.action, row.entry.target) for row in self.record())
