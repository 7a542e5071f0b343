"""The room where the story is tested: the desk laid with fakes, and people who act in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bot.actions.set_traffic import SetTraffic
from bot.app.resampling import Resampled
from bot.core.actions import Json, Verification
from bot.core.approvals import Policy, Principal, Proposal
from bot.core.audit import first_break
from bot.core.checks import Family, Measured
from bot.core.errors import ActionFailed, OutcomeUnknown, StoreUnavailable
from bot.core.incidents import Incident, Severity
from bot.core.models import Feature, Model, Persistence, Watch
from bot.core.playbooks import Parameter, Playbook, Step
from bot.core.ports import Unit
from bot.core.readings import Reading
from bot.core.runs import Run
from bot.core.windows import Window
from bot.flow.decide import RUN, approve
from bot.flow.desk import Desk
from bot.flow.execute import execute
from bot.flow.explain import explain_all
from bot.flow.propose import propose
from bot.flow.watch import look
from tests.fakes.journal import FakeJournal
from tests.fakes.splitter import FakeSplitter
from tests.fakes.store import MemoryStore
from tests.fakes.world import CHECKS, MORNING, FakeClock, FakeDirectory, FakeLog, FakeVersions, paired

DAY = timedelta(days=1)
DAILY = Watch("daily", "0 9 * * *", 14 * DAY, ("performance", "missing", "psi", "latency"), persistence=Persistence(2, 2))
DELAYS = Model(
    name="delays",
    environment="production",
    team="ml-platform",
    source="log",
    serving="edge",
    reference=Window(MORNING - 90 * DAY, MORNING - 30 * DAY),
    watches=(DAILY,),
    features=(Feature("temp", "numeric", 0.4, "weather"), Feature("wind", "numeric", 0.01, "weather")),
)
ROLLBACK = Playbook(
    name="rollback",
    title="Roll back",
    summary="Send traffic back to an earlier version.",
    families=frozenset({Family.PERFORMANCE, Family.OPERATIONS}),
    severities=frozenset(Severity),
    parameters=(Parameter("to_version", "version", title="Version"),),
    steps=(Step("half", "set_traffic", {"share": 0.5}), Step("all", "set_traffic", {"share": 1.0})),
    verification=Verification(("same",), 1_000, 3 * 86_400),
    content={"name": "rollback"},
)


def expand(playbook: Playbook, parameters: Json) -> list[Step]:
    """Put the chosen version into every step."""
    return [replace(s, parameters={"version": parameters["to_version"], **s.parameters}) for s in playbook.steps]


class Splitter(FakeSplitter):
    """Writes down every real change of what is served, and has the troubles that a test gives to its next calls."""

    def __init__(self, target: str, split: dict[str, float]) -> None:
        super().__init__(target, split)
        self.moves: list[tuple[str, dict[str, float]]] = []
        self.troubles: list[str] = []
        self.down = False

    def split(self, target: str) -> dict[str, float]:
        if self.down:
            raise ActionFailed("The splitter gave no answer.")
        return dict(super().split(target))

    def set_split(self, target: str, split: dict[str, float], key: str) -> None:
        trouble, before = self.troubles.pop(0) if self.troubles else "", dict(self.configured)
        if trouble == "cut before":
            raise OutcomeUnknown("The call was cut off.")
        if trouble == "refuses":
            raise ActionFailed("The splitter refuses.")
        super().set_split(target, split, key)
        if self.configured != before:
            self.moves.append((key, self.split(target)))
        if trouble == "cut after":
            raise OutcomeUnknown("The call was cut off.")

    def somebody_sets(self, version: str) -> None:
        """Let a person with a shell send everything to one version."""
        self.set_raw({v: 100 * (v == version) for v in self.first})


class Database(MemoryStore):
    """A store where another replica may be first: what `lost` names gives the loser's answer. It is `away` once, after so many."""

    def __init__(self) -> None:
        super().__init__()
        self.lost: dict[str, object] = {}
        self.away = -1

    @contextmanager
    def read(self) -> Iterator[Unit]:
        self._may_be_away()
        with super().read() as unit:
            yield unit

    def _may_be_away(self) -> None:
        self.away -= 1
        if self.away == -1:
            raise StoreUnavailable("The database is locked; try again.")

    @contextmanager
    def write(self) -> Iterator[Unit]:
        self._may_be_away()
        with super().write() as unit:
            for name, answer in self.lost.items():
                setattr(unit, name, lambda *_told, answer=answer: answer)
            yield unit


@dataclass
class Room:
    """Everything that a test may move or look at."""

    clock: FakeClock = field(default_factory=FakeClock)
    data: FakeClock = field(default_factory=FakeClock)
    store: Database = field(default_factory=Database)
    log: FakeLog = field(default_factory=FakeLog)
    versions: FakeVersions = field(default_factory=FakeVersions)
    splitter: Splitter = field(default_factory=lambda: Splitter("delays", {"v1": 0.0, "v2": 0.0, "v3": 1.0}))
    model: Model = DELAYS
    policy: Policy = field(default_factory=lambda: Policy(frozenset({"on-call"})))
    playbook: Playbook = ROLLBACK

    def __post_init__(self) -> None:
        self.desk = Desk(
            clock=self.clock,
            data=self.data,
            store=self.store,
            directory=FakeDirectory(),
            models={self.model.key: self.model},
            sources={"log": self.log},
            platforms={"edge": self.splitter},
            scorers={"delays": self.versions},
            checks=CHECKS,
            actions={"set_traffic": SetTraffic("set_traffic", now=self._seconds, sleep=self._wait)},
            playbooks={self.playbook.name: self.playbook},
            policies={self.playbook.name: self.policy},
            expand=expand,
            digest_channel="#ml-platform",
            paired=paired,
            resampling=Resampled(),
        )

    def _seconds(self) -> float:
        return self.clock.now().timestamp()

    def _wait(self, seconds: float) -> None:
        self.clock.passes(seconds)
        self.splitter.send(2_000)

    def lays(self, **changes: object) -> None:
        """Lay something else on the desk."""
        self.desk = replace(self.desk, **changes)  # type: ignore[arg-type]

    def measures(self, name: str, measure: Callable[[Reading, Reading], Iterator[Measured]]) -> None:
        """Let a check measure something else."""
        self.lays(checks={**self.desk.checks, name: replace(self.desk.checks[name], measure=measure)})

    def person(self, name: str) -> Principal:
        return self.desk.directory.principal(f"U0{name.upper()}")

    def looks(self, times: int = 1) -> None:
        """Look at the model so many days in a row, and explain what was opened."""
        for _ in range(times):
            self.data.passes(86_400)
            look(self.desk, self.model, self.model.watches[0], self.data.now())
        explain_all(self.desk)

    def forgets_evidence(self) -> None:
        """Bring the incident back to the moment before it was explained."""
        with self.store.write() as unit:
            unit.save_incident(replace(unit.incident(1), evidence={}))

    def incident(self, number: int = 1) -> Incident:
        with self.store.read() as unit:
            return unit.incident(number)

    def run(self, number: str) -> Run:
        with self.store.read() as unit:
            return unit.run(number)

    def proposal(self, number: str) -> Proposal:
        with self.store.read() as unit:
            return unit.proposal(number)

    def audited(self) -> list[str]:
        """What was audited, oldest first; that the log has no gap and no break is part of every such question."""
        log = self.store.audit_log
        assert [row.seq for row in log] == list(range(1, len(log) + 1))
        assert first_break(log, [row.hash for row in log]) is None
        return [row.entry.action for row in log]

    def incidents(self) -> list[Incident]:
        with self.store.read() as unit:
            return list(unit.incidents())

    def shown(self, key: str) -> dict[str, object]:
        """What people see under this key now."""
        return dict(self.store.notices[key].data)

    def thread(self, number: int = 1) -> str:
        """Everything that was said in the incident's thread."""
        lines = [n for n in self.store.notices.values() if n.thread == f"incident:{number}"]
        return "\n".join(str(n.data.get("text", "")) for n in lines)

    def losing(self) -> Incident:
        """Bring the model to an open performance incident."""
        self.log.gap = 0.15
        self.looks(2)
        return self.incident()

    def proposed(self, to_version: str = "v2", by: str = "ana") -> Proposal:
        return propose(self.desk, 1, "rollback", {"to_version": to_version}, by=self.person(by))

    def approved(self, by: str = "bo") -> Proposal:
        return approve(self.desk, self.proposed().id, by=self.person(by))

    def journal(self, number: str, **kills: str) -> FakeJournal:
        return FakeJournal(id=f"{RUN}:{number}", passes=self._passes, **kills)

    def _passes(self, seconds: float) -> None:
        self.clock.passes(seconds)
        self.data.passes(6 * 3_600)

    def runs(self, number: str, journal: FakeJournal | None = None) -> Json:
        return execute(self.desk, journal or self.journal(number), number)
