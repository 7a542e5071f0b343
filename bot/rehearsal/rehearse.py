"""One rehearsal: an incident that never was, proposed for, approved and carried out by the real verbs in a database of its own."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from bot import shelf
from bot.app.house import paired
from bot.app.resampling import Resampled
from bot.core.actions import Action, Change, Json, Platform, Verification
from bot.core.approvals import Policy, Principal, Proposal
from bot.core.checks import Check, Family
from bot.core.errors import ConfigError
from bot.core.findings import Finding, Verdict
from bot.core.incidents import Incident, State
from bot.core.models import Model, Split, live_version
from bot.core.playbooks import Playbook
from bot.core.ports import Journal, Store, never
from bot.core.windows import Window
from bot.flow.decide import approve
from bot.flow.desk import Desk
from bot.flow.execute import TO_PEOPLE, execute
from bot.flow.gate import proceed
from bot.flow.propose import propose
from bot.rehearsal.board import Board
from bot.rehearsal.cluster import Cluster
from bot.rehearsal.registry import Registry
from bot.rehearsal.router import Router
from bot.rehearsal.standins import BEGIN, Call, Failing, Jobs, Ledger, Own, Splitter
from bot.store.database import open_store
from bot.store.schema import upgrade

DIRECTOR = Principal("rehearsal", "rehearsal", frozenset({"rehearsal"}))
POLICY = Policy(DIRECTOR.roles, self_approval=True)
GATE = "/gate"
TEAM = "another-team"
MANY = 10_000
"""More steps than any run takes: one that waits for ever is stopped."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What would happen: what was chosen, the plan, every call in order, and how the run ended."""

    chosen: Json
    changes: tuple[Change, ...]
    blast: str
    calls: tuple[Call, ...]
    state: str
    outcome: str
    seconds: float


@dataclass
class Aloud(Journal):
    """A journal that forgets nothing because nothing dies: each step is done and named in the ledger, waiting takes no time.

    `at_gate` is told the step before which the run waits for a person.
    """

    id: str
    ledger: Ledger
    at_gate: Callable[[str], None]
    steps: int = 0

    def step(self, name: str, do: Callable[[], Json]) -> Json:
        """Do it now."""
        self.steps += 1
        if self.steps > MANY:
            raise ConfigError("The rehearsal took 10,000 steps and did not end; give each step a timeout that can pass.")
        self.ledger.step = name
        came = dict(do())
        if name.endswith(GATE):
            self.at_gate(name.removesuffix(GATE))
        return came

    def sleep(self, seconds: float, cut_short: Callable[[], bool] = never) -> None:  # noqa: ARG002 - nobody is there to abort
        """Let the time pass at once."""
        self.ledger.passes(max(1.0, seconds))


class Nobody:
    """A directory without people: nobody is mentioned by a rehearsal."""

    def principal(self, slack_id: str) -> Principal:
        """Return somebody without roles."""
        return Principal(slack_id)

    def mention(self, team: str) -> str:
        """Return the plain name."""
        return team

    def channel(self, team: str) -> str:
        """Return the plain name."""
        return team

    def teams(self) -> Sequence[str]:
        """Return one, which can be chosen."""
        return (TEAM,)


@dataclass(frozen=True, slots=True)
class Scene:
    """What is rehearsed: a playbook on a model that is served as `split` says, with what is installed.

    `real` are platforms whose orders are checked, `parameters` what somebody chose, `fail` a step that is to fail.
    """

    playbook: Playbook
    model: Model
    split: Split
    actions: Mapping[str, Action]
    checks: Mapping[str, Check]
    real: Mapping[str, Platform] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    fail: str = ""

    @property
    def other(self) -> str:
        """A version that does not serve now, the newest of them; where there is only one, that one."""
        return next(
            (version for version in reversed(list(self.split)) if version != live_version(self.split)), next(iter(self.split))
        )

    @property
    def guessed(self) -> dict[str, str]:
        """What an incident would suggest: another version, the first input, a team."""
        guess = {"version": self.other, "feature": next((feature.name for feature in self.model.features), ""), "team": TEAM}
        return {p.name: guess[p.kind] for p in self.playbook.parameters if guess.get(p.kind)}


def rehearse(scene: Scene) -> Rehearsal:
    """Carry the playbook out on stand-ins.

    Verification is left out: what it would look at are fresh data, and there are none.

    Raises:
        ConfigError, NotAllowed, NotFound: it could not be proposed like this; the sentence says why.
    """
    playbook, ledger = scene.playbook, Ledger()
    if scene.fail and scene.fail not in (names := [step.name for step in playbook.steps]):
        raise ConfigError(f"'{playbook.name}' has no step '{scene.fail}'; its steps: {', '.join(names)}.")
    with _database() as store:
        desk = _desk(scene, store, ledger)
        number = _pretended(desk, scene)
        proposal = propose(desk, number, playbook.name, {**scene.guessed, **scene.parameters}, by=DIRECTOR)
        ledger.calls.clear()  # planning asked the platforms, too; what follows is the run
        approve(desk, proposal.id, by=DIRECTOR)
        journal = Aloud(f"run_playbook:{proposal.id}", ledger, lambda step: _continue(desk, ledger, proposal, step))
        ended = execute(desk, journal, proposal.id)
    calls = tuple(replace(call, key=call.key.replace(proposal.id, "RUN")) for call in ledger.calls)
    outcome = str(ended["outcome"])
    if playbook.verification.checks:  # what the verb says of a plan that verifies nothing is not so of this one
        outcome = outcome.removesuffix(TO_PEOPLE)
    told = str(proposal.preview.get("blast_radius", "")), calls, str(ended["state"]), outcome
    return Rehearsal(proposal.plan.parameters, proposal.plan.changes, *told, ledger.seconds)


def _continue(desk: Desk, ledger: Ledger, proposal: Proposal, step: str) -> None:
    """Press Continue at once, as somebody would who has looked."""
    look = next(change.gate for change in proposal.plan.changes if change.place == step)
    ledger.writes("a person", f"look, then press Continue: {look}")
    proceed(desk, f"{proposal.id}:{step}", by=DIRECTOR)


@contextmanager
def _database() -> Iterator[Store]:
    with tempfile.TemporaryDirectory(prefix="aiops-rehearsal-") as folder:
        url = f"sqlite:///{Path(folder) / 'rehearsal.db'}"
        upgrade(url)
        store = open_store(url, enqueue=lambda *_: None)
        yield store
        store.close()


def _desk(scene: Scene, store: Store, ledger: Ledger) -> Desk:
    playbook, model = scene.playbook, scene.model
    platforms: dict[str, Platform] = {}
    for step in playbook.steps:
        name = model.platform(step.on)
        if name and name not in platforms:
            platforms[name] = _standin(scene, ledger, step.action, name)
    hurried = {name: _hurried(action, ledger) for name, action in scene.actions.items()}
    failing = {step.action: Failing(hurried[step.action], scene.fail) for step in playbook.steps if step.name == scene.fail}
    return Desk(
        clock=ledger,
        data=ledger,
        store=store,
        directory=Nobody(),
        models={model.key: model},
        sources={},
        platforms=platforms,
        scorers={},
        checks=scene.checks,
        actions={**hurried, **failing},
        playbooks={playbook.name: replace(playbook, verification=Verification())},
        policies={playbook.name: POLICY},
        expand=shelf.expand,
        paired=paired,
        resampling=Resampled(),
    )


def _standin(scene: Scene, ledger: Ledger, action: str, name: str) -> Platform:
    """Return who stands in for the platform of this name where this action is at work."""
    if action in ("set_traffic", "switch_version"):
        return (Router if action == "switch_version" else Splitter)(name, ledger, scene.split)
    if action == "set_alias":
        return Registry(name, ledger, scene.split)
    if action == "run_job":
        return Jobs(name, ledger, getattr(scene.real.get(name), "order", None))
    if action in ("restart_deployment", "scale", "undo_rollout"):
        return Cluster(name, ledger)
    if action == "set_toggle":
        return Board(name, ledger, on=not _switches_on(scene))
    if action in ("notify", "look_around"):
        return Own(name, ledger, (TEAM,))
    raise ConfigError(f"The action '{action}' cannot be rehearsed yet: nothing stands in for what it acts on.")


def _switches_on(scene: Scene) -> bool:
    """Return whether the first thing that is done to a flag is to switch it on: then it must be off before."""
    steps = shelf.expand(scene.playbook, {**scene.guessed, **scene.parameters})
    return next((step.parameters.get("to") in ("on", True) for step in steps if step.action == "set_toggle"), False)


def _hurried(action: Action, ledger: Ledger) -> Action:
    """Return the action with the rehearsal's time, where it waits by itself."""
    if not hasattr(action, "sleep"):
        return action
    time = {"now": lambda: ledger.seconds, "sleep": ledger.passes}
    return replace(action, **{name: given for name, given in time.items() if hasattr(action, name)})  # type: ignore[type-var]


def _pretended(desk: Desk, scene: Scene) -> int:
    """Open an incident of the kind that the playbook mends, about every input of the model."""
    playbook, model = scene.playbook, scene.model
    family = min(playbook.families, key=lambda one: one.precedence)
    window = Window.ending(BEGIN, timedelta(days=1))
    subjects = [feature.name for feature in model.features] if family is Family.DATA_QUALITY else ["model"]
    found = tuple(
        Finding(model.key, "rehearsed", family, subject, Verdict.CRITICAL, "", window) for subject in subjects or ["model"]
    )
    severity = min(playbook.severities, key=lambda one: one.rank)
    draft = Incident(
        id=0,
        model=model.name,
        environment=model.environment,
        family=family,
        severity=severity,
        state=State.OPEN,
        title=f"{model.name}: a rehearsal",
        team=model.team,
        opened_at=BEGIN,
        window=window,
        findings=found,
        evidence={"decided": {version: float(version == scene.other) for version in scene.split}},
    )
    with desk.store.write() as unit:
        opened = unit.open_incident(draft)
    if opened is None:
        raise ConfigError("The rehearsal's own database is not empty.")
    return opened.id
